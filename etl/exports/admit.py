"""Admit an export to the lake, date by date: a row becomes a decision, or is rejected with a reason.

Preconditions: at least one row of the export can be read, and only one export is admitted at a time, so that there is
one row per decision. Rows that repeat a decision of another partition are rejected, so files that overlap count once.
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from catalog.names import EXTERNAL
from catalog.store_day import BOUGHT, OUT_OF_STOCK, OUTCOMES, TOO_EXPENSIVE
from catalog.tables.decisions import INTERACTIONS, REJECTED
from etl.exports.estimate_shelf import places_on, store_id_of
from etl.exports.stage import NO_DATE, StagedExport
from etl.load import conform
from etl.validate import Validated, row_texts, validate
from warehouse.columns import coded, constant, moments
from warehouse.lake import Lake, Partition

_EPOCH = dt.date(1970, 1, 1)
_US_PER_MINUTE = 60_000_000
_MINUTES_PER_DAY = 1_440
_IN_LAKE = "it repeats a decision that is in the lake already"
_ROW = list(INTERACTIONS.key)


@dataclass(frozen=True)
class Admission:
    """An export on its way into the lake.

    Attributes
    ----------
    source, part
        The file's name, and the name of its partitions in the lake.
    inputs
        Fingerprint of everything that the partitions are made from.
    not_after
        Latest time at which a decision can have been made.
    """

    lake: Lake
    catalog: Catalog
    staged: StagedExport
    source: str
    part: str
    inputs: str
    not_after: dt.datetime


@dataclass(frozen=True)
class Admitted:
    """The result for one date: decisions in the lake, and for each reason the rejected rows and the first line."""

    business_date: dt.date
    valid: int
    rejected: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class _Shares:
    """How often the export shows each price of each product: `keys` ascending, `share` of the product's rows."""

    prices: Floats
    keys: Ints
    share: Floats

    def of(self, product: Ints, price: Floats) -> Floats:
        """Return the share of each row's price, shape (n_rows,)."""
        key = product * len(self.prices) + np.searchsorted(self.prices, price)
        return self.share[np.searchsorted(self.keys, key)]


class Admitting:
    """Admits one date after another; the dates are independent of each other."""

    def __init__(self, admission: Admission) -> None:
        self.given = admission
        self.places = places_on(admission.catalog, admission.staged)
        self.shares = _shares_of(admission.staged)
        self.newest = max(admission.staged.spans)

    def dates(self) -> list[int]:
        """Return the dates of the export as days since 1970, also dates on which no row could be read."""
        aside = set(pc.unique(self.given.staged.aside["date"]).to_pylist()) - {NO_DATE}
        return sorted(aside | self.given.staged.spans.keys())

    def admit(self, date: int) -> Admitted:
        """Validate and publish one date: the rejected rows first, the decisions last."""
        given = self.given
        day = _EPOCH + dt.timedelta(days=date)
        bad = [self._unreadable(date)]
        valid = INTERACTIONS.schema.empty_table()
        if date in given.staged.spans:
            own = given.staged.on(date)
            lines = own["line"].to_numpy()
            rows = self._interactions(own)
            checked = validate(rows, given.catalog, given.source, given.not_after, lines)
            kept = np.isin(lines, checked.rejected["row_number"].to_numpy(), invert=True)
            checked = without_repeats(given, day, checked.valid, lines[kept], checked.rejected)
            valid = conform(checked.valid)
            bad.append(checked.rejected)
        rejected = pa.concat_tables(bad).sort_by("row_number").cast(REJECTED.schema)
        for table, rows in (("rejected", rejected), ("interactions", valid)):
            partition = Partition(table, day, given.part)
            if rows.num_rows or given.lake.receipt(partition):
                given.lake.publish(partition, rows, inputs=given.inputs)
        reasons = rejected.group_by("reason").aggregate([("row_number", "count"), ("row_number", "min")])
        counts = (reasons[name].to_pylist() for name in ("reason", "row_number_count", "row_number_min"))
        return Admitted(day, valid.num_rows, {reason: (n, line) for reason, n, line in zip(*counts, strict=True)})

    def clear_other_dates(self) -> None:
        """Remove what an earlier reading of the same file published on dates that it does not have now."""
        days = {_EPOCH + dt.timedelta(days=date) for date in self.dates()}
        for table in ("interactions", "rejected", "demand_cells"):
            for partition in list(self.given.lake.partitions(table)):
                if partition.group == self.given.part and partition.business_date not in days:
                    self.given.lake.remove(partition)

    def _unreadable(self, date: int) -> pa.Table:
        """Return the unreadable rows of a date; rows whose date cannot be read belong to the newest one."""
        aside = self.given.staged.aside
        own = pc.equal(aside["date"], date)
        if date == self.newest:
            own = pc.or_(own, pc.equal(aside["date"], NO_DATE))
        rows = aside.filter(own)
        source = constant(self.given.source, rows.num_rows)
        columns = [source, rows["line"], rows["reason"].dictionary_encode(), rows["text"]]
        return pa.table(columns, names=REJECTED.schema.names).cast(REJECTED.schema)

    def _interactions(self, own: pa.Table) -> pa.Table:
        """Return rows with the columns of `interactions`; a product that is not on the shelf keeps its own name."""
        catalog, staged = self.given.catalog, self.given.staged
        n_rows = own.num_rows
        code = own["product"].to_numpy().astype(np.int64)
        place = np.where(self.places[code] >= 0, self.places[code], len(catalog.skus) + code)
        words = staged.products.words
        purchased = own["purchased"].to_numpy()
        stock = own["inventory_level"] if "inventory_level" in own.column_names else pa.nulls(n_rows, pa.float64())
        is_empty = pc.fill_null(pc.equal(stock, 0.0), pa.scalar(value=False)).to_numpy(zero_copy_only=False)
        outcome = np.where(purchased, BOUGHT, np.where(is_empty, OUT_OF_STOCK, TOO_EXPENSIVE))
        multiplier = own["budget_multiplier"] if "budget_multiplier" in own.column_names else pa.nulls(n_rows)
        price = own["price_offered"].to_numpy()
        shares = pa.array(self.shares.of(code, price))
        return pa.table(
            {
                "store_id": coded(own["store"].to_numpy(), [store_id_of(word) for word in staged.stores.words]),
                "tick": pa.array(self._ticks(own["seen_at"].to_numpy())),
                "seen_at": moments(own["seen_at"].to_numpy()),
                "shopper_id": _shoppers(own),
                "sku": coded(place, [*catalog.skus, *words]),
                "product_name": coded(place, [*(product.name for product in catalog.products), *words]),
                "price_offered": own["price_offered"],
                "inventory_level": stock,
                "budget_multiplier": multiplier.cast(pa.float32()),
                "purchased": own["purchased"],
                "outcome": coded(outcome, OUTCOMES),
                "policy": constant(EXTERNAL, n_rows),
                "propensity": own["propensity"] if "propensity" in own.column_names else shares,
                "model_version": constant(None, n_rows),
            }
        )

    def _ticks(self, seen_at: Ints) -> Ints:
        """Return each row's tick, -1 outside the opening hours, shape (n_rows,)."""
        opening = self.given.catalog.store.opening
        minute = seen_at // _US_PER_MINUTE % _MINUTES_PER_DAY - opening.opens_minute
        return np.where((minute >= 0) & (minute < opening.minutes), minute // opening.tick_minutes, -1)


def without_repeats(given: Admission, day: dt.date, valid: pa.Table, lines: Ints, rejected: pa.Table) -> Validated:
    """Reject rows that are decisions of another partition of the lake already."""
    known = [
        given.lake.read(partition).select(_ROW)
        for partition in given.lake.partitions("interactions")
        if partition.business_date == day and partition.group != given.part
    ]
    if not known:
        return Validated(valid, rejected)
    is_known = _are_among(valid.select(_ROW), pa.concat_tables(known))
    bad = pa.table(
        {
            "source": constant(given.source, int(is_known.sum())),
            "row_number": pa.array(lines[is_known]),
            "reason": constant(_IN_LAKE, int(is_known.sum())),
            "row_text": row_texts(valid, np.flatnonzero(is_known)),
        },
        schema=REJECTED.schema,
    )
    return Validated(valid.filter(pa.array(~is_known)), pa.concat_tables([rejected, bad]))


def _are_among(rows: pa.Table, known: pa.Table) -> Flags:
    """Flag the rows that are in `known`, shape (n_rows,)."""
    both = pd.concat([_keys(known), _keys(rows)], ignore_index=True)
    return both.duplicated().to_numpy()[known.num_rows :]


def _keys(rows: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = rows.to_pandas()
    return frame.astype({"store_id": "str", "sku": "str"})


def _shoppers(own: pa.Table) -> pa.Array:
    """Return the shoppers; where the file names none, simultaneous visits to one product of a store are numbered."""
    shopper = own["shopper"]
    if shopper.null_count == 0:
        return shopper
    keys = pd.DataFrame({name: own[name].to_numpy() for name in ("store", "seen_at", "product")})
    return pa.array(keys.groupby(["store", "seen_at", "product"], sort=False).cumcount().to_numpy())


def _shares_of(staged: StagedExport) -> _Shares:
    counted = staged.rows.group_by(["product", "price_offered"]).aggregate([([], "count_all")])
    product, price = counted["product"].to_numpy().astype(np.int64), counted["price_offered"].to_numpy()
    count = counted["count_all"].to_numpy().astype(float)
    prices = np.unique(price)
    keys = product * len(prices) + np.searchsorted(prices, price)
    order = np.argsort(keys)
    share = count / np.bincount(product, count, minlength=len(staged.products.codes))[product]
    return _Shares(prices, keys[order], share[order])
