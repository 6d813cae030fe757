"""What one row of an export is: a visit, a line of a receipt, or the units of one store, product and day or hour.

It is said, or found out from the header and the first rows. A file in doubt is refused: units that are taken for
visits, or lines of receipts that are taken for whole days, would set prices by numbers that mean something else.
"""

from dataclasses import replace

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import DataError
from plugins.own_store.files.block import Block
from plugins.own_store.history.columns import BASKET, PROMOTIONS, SOLD, Columns, Grain, plain
from plugins.own_store.history.read import Export
from plugins.own_store.history.rows import RowReader, connect, query, refuse_unread_times

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
    "brand",
    "tier",
    "price_offered",
    "base_price",
    "unit_cost",
    "inventory_level",
    *PROMOTIONS,
)
_FEW = 0.01  # share of rows that may be otherwise than the grain says
_SEVERAL = 0.05  # share of rows that share store, product and day, from which a day has several rows
_SOME, _MOST = 0.25, 0.5  # shares of rows


def settled(export: Export) -> Export:
    """Return an export that knows its grain, and keeps the columns that this grain uses.

    Raises
    ------
    DataError
        When the file cannot be read, its grain is in doubt, or it lacks a column that its grain needs.
    """
    theirs, parsed = dict(export.columns.theirs), None
    first = next((block for block in export.blocks() if block.rows.num_rows), None)
    with connect() as connection:
        if first is not None:
            parsed = _parsed(connection, export, theirs, first)
            refuse_unread_times(first, parsed, theirs, export.reading, export.where)
            name = theirs.get("purchased", "")
            if plain(name) == SOLD and "purchased" not in export.columns.said:
                counted = _parsed(connection, export, {**theirs, "units": name}, first)
                if pc.any(pc.and_(pc.is_valid(counted["units"]), pc.is_null(counted["purchased"]))).as_py():
                    theirs["units"] = theirs.pop("purchased")  # some of its values are neither 0 nor 1
                    parsed = _parsed(connection, export, theirs, first)
        grain = export.reading.grain or _grain_of(connection, export, theirs, parsed)
    if grain == "visits" and "shopper_id" not in theirs and plain(theirs.get("receipt", "")) == BASKET:
        theirs["shopper_id"] = theirs["receipt"]
    _refuse_without_what_it_needs(export, theirs, grain)
    kept = {ours: name for ours, name in theirs.items() if ours in {*_ALWAYS, *_USED[grain]}}
    return replace(export, columns=Columns(kept, export.columns.said, grain))


def _parsed(connection: duckdb.DuckDBPyConnection, export: Export, theirs: dict[str, str], first: Block) -> pa.Table:
    columns = Columns(theirs, export.columns.said, export.reading.grain)
    return RowReader(connection, columns, export.reading, export.where).parsed(first)


def _grain_of(
    connection: duckdb.DuckDBPyConnection, export: Export, theirs: dict[str, str], parsed: pa.Table | None
) -> Grain:
    if "purchased" in theirs:
        if "units" in theirs and parsed is not None and not pc.any(pc.invert(parsed["purchased"])).as_py():
            raise _doubt(export, f"{theirs['purchased']!r}, 1 in each row, beside {theirs['units']!r}")
        return "visits"
    has_receipt = "receipt" in theirs
    if parsed is None:
        return "receipts" if has_receipt else "units"
    connection.register("parsed", parsed)
    [(repeated, alike, not_sold, timed)] = connection.execute(query("first_rows"), {"few": _FEW}).fetchall()
    if has_receipt and not_sold <= _SOME:
        return "receipts"  # however many products and stores share its lines; those that sell nothing are rejected
    if timed > _MOST and not_sold <= _FEW:
        return "receipts"  # units are of a day or an hour
    if timed > _FEW and not_sold <= _FEW and repeated > _SEVERAL:
        return "receipts"
    if not has_receipt and timed <= _FEW and alike <= _FEW:
        return "units"
    marks = [
        f"{repeated:.0%} of the rows on a store, product and day that had a row before",
        f"{timed:.0%} with minutes or seconds",
        f"{not_sold:.0%} that sold nothing",
        "receipt numbers" if has_receipt else "no receipt number",
    ]
    raise _doubt(export, f"{theirs['units']!r} with " + ", ".join(marks))


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
