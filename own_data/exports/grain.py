"""What one row of an export is: a visit, a line of a receipt, or the units of one store, product and day or hour.

It is said, or found out from the header and the first rows. A file in doubt is refused: units that are taken for
visits, or lines of receipts that are taken for whole days, would set prices by numbers that mean something else.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import DataError
from etl.files.block import Block
from etl.files.decimals import NumberFormat
from own_data.exports.columns import BASKET, PROMOTIONS, SOLD, Columns, Grain, plain
from own_data.exports.parse import flags, moments, numbers
from own_data.exports.read import Export
from own_data.exports.times import refuse_unread_times
from own_data.exports.typed import NUMBERS, US_PER_DAY

_USED: dict[Grain, tuple[str, ...]] = {
    "visits": ("shopper_id", "budget_multiplier", "propensity", "purchased"),
    "receipts": ("units", "traffic", "revenue", "receipt"),
    "units": ("units", "hour", "traffic", "revenue"),
}
_ALWAYS = (
    "seen_at",
    "time_of_day",
    "store_id",
    "sku",
    "product_name",
    "category",
    "price_offered",
    "base_price",
    "unit_cost",
    "inventory_level",
    *PROMOTIONS,
)
_FEW = 0.01  # share of rows that may be otherwise than the grain says
_SEVERAL = 0.05  # share of rows that share store, product and day, from which a day has several rows
_SOME, _MOST = 0.25, 0.5  # shares of rows
_US_PER_MINUTE = 60_000_000


@dataclass(frozen=True)
class _Look:
    """What the first rows look like: shares of them.

    Attributes
    ----------
    repeated, alike
        Rows whose store, product and day (and hour) an earlier row has, and rows whose price is the same, too.
    not_sold
        Rows that sold nothing.
    timed
        Rows with a time of day that is not a whole hour.
    """

    repeated: float
    alike: float
    not_sold: float
    timed: float
    has_receipt: bool


def settled(export: Export) -> Export:
    """Return an export that knows its grain, and keeps the columns that this grain uses.

    Raises
    ------
    DataError
        When the file cannot be read, its grain is in doubt, or it lacks a column that its grain needs.
    """
    first = next((block for block in export.blocks() if block.rows.num_rows), None)
    theirs = dict(export.columns.theirs)
    if first is not None:
        refuse_unread_times(first, theirs, export.reading, export.where)
    if first is not None and _is_a_number_sold(export, first):
        theirs["units"] = theirs.pop("purchased")
    grain = export.reading.grain or _grain_of(export, theirs, first)
    if grain == "visits" and "shopper_id" not in theirs and plain(theirs.get("receipt", "")) == BASKET:
        theirs["shopper_id"] = theirs["receipt"]
    _refuse_without_what_it_needs(export, theirs, grain)
    kept = {ours: name for ours, name in theirs.items() if ours in {*_ALWAYS, *_USED[grain]}}
    return replace(export, columns=Columns(kept, export.columns.said, grain))


def _is_a_number_sold(export: Export, first: Block) -> bool:
    """Tell whether a column called `sold` counts units: some of its values are neither 0 nor 1."""
    name = export.columns.theirs.get("purchased")
    if name is None or plain(name) != SOLD or "purchased" in export.columns.said:
        return False
    column = first.rows[name].combine_chunks()
    counted = numbers(column, _decimal_in(export, {**export.columns.theirs, "units": name}, first))
    return bool(pc.any(pc.and_(pc.is_valid(counted), pc.is_null(flags(column)))).as_py())


def _grain_of(export: Export, theirs: dict[str, str], first: Block | None) -> Grain:
    if "purchased" in theirs:
        if "units" in theirs and first is not None and not _has_refusals(first, theirs["purchased"]):
            raise _doubt(export, f"{theirs['purchased']!r}, 1 in each row, beside {theirs['units']!r}")
        return "visits"
    if first is None:
        return "receipts" if "receipt" in theirs else "units"
    look = _look_at(export, theirs, first)
    if look.has_receipt and look.not_sold <= _SOME:
        return "receipts"  # however many products and stores share its lines; those that sell nothing are rejected
    if look.timed > _MOST and look.not_sold <= _FEW:
        return "receipts"  # units are of a day or an hour
    if look.timed > _FEW and look.not_sold <= _FEW and look.repeated > _SEVERAL:
        return "receipts"
    if not look.has_receipt and look.timed <= _FEW and look.alike <= _FEW:
        return "units"
    marks = [
        f"{look.repeated:.0%} of the rows on a store, product and day that had a row before",
        f"{look.timed:.0%} with minutes or seconds",
        f"{look.not_sold:.0%} that sold nothing",
        "receipt numbers" if look.has_receipt else "no receipt number",
    ]
    raise _doubt(export, f"{theirs['units']!r} with " + ", ".join(marks))


def _has_refusals(first: Block, name: str) -> bool:
    return bool(pc.any(pc.equal(flags(first.rows[name].combine_chunks()), 0.0)).as_py())


def _doubt(export: Export, found: str) -> DataError:
    return DataError(
        f"{export.where}: expected visits (a row for each shopper who looked, bought or not), receipts (a row for each "
        f"line of a receipt) or units (one row for each store, product and day or hour), found {found}; nothing was "
        "read: say which it is with --grain visits, --grain receipts or --grain units"
    )


def _refuse_without_what_it_needs(export: Export, theirs: dict[str, str], grain: Grain) -> None:
    needed = {"visits": "purchased", "units": "units", "receipts": None}[grain]
    if needed is not None and needed not in theirs:
        raise DataError(
            f"{export.where}: expected a column for {needed}, which {grain} have, found none; nothing was read: say "
            f"which it is with --column {needed}=NAME, or what a row is with --grain"
        )
    if "price_offered" not in theirs and ("units" not in theirs or "revenue" not in theirs):
        raise DataError(
            f"{export.where}: expected a column for price_offered, or for revenue and units, found neither; nothing "
            "was read: say which it is with --column price_offered=NAME"
        )


def _decimal_in(export: Export, theirs: dict[str, str], first: Block) -> str:
    written = {name: first.rows[name].combine_chunks() for ours, name in theirs.items() if ours in NUMBERS}
    return NumberFormat(export.reading.decimal).sign_in(written, first.lines, export.where)


def _look_at(export: Export, theirs: dict[str, str], first: Block) -> _Look:
    own = {ours: first.rows[name].combine_chunks() for ours, name in theirs.items()}
    in_utc = export.reading.model_copy(update={"time_zone": "UTC"})
    decimal = _decimal_in(export, theirs, first)
    moment = pc.fill_null(moments(own["seen_at"], in_utc)[0].cast(pa.int64()), 0).to_numpy()
    keys = pd.DataFrame({"day": moment // US_PER_DAY, "hour": moment // (60 * _US_PER_MINUTE) % 24})
    for name in ("store_id", "sku", "product_name", "hour", "price_offered"):
        if name in own and not (name == "product_name" and "sku" in own):
            keys[name] = own[name].cast(pa.string()).to_pandas()
    has_minutes = moment % (60 * _US_PER_MINUTE) != 0
    if has_minutes.mean() > _FEW:
        keys = keys.drop(columns="hour")  # lines of one day: an hour with one line would hide that
    units = numbers(own["units"], decimal).to_numpy(zero_copy_only=False)
    keys = keys[~(units < 0)]  # what was brought back stands beside what was sold
    time = [name for name in keys.columns if name != "price_offered"]
    return _Look(
        repeated=float(keys.duplicated(time).mean()),
        alike=float(keys.duplicated().mean()),
        not_sold=float(np.mean(~(units != 0) | np.isnan(units))),
        timed=float(has_minutes.mean()),
        has_receipt="receipt" in own,
    )
