"""Unit sales of a business date from the lines of its receipts: as the ingest of a retailer's receipts makes them.

Beside what sold stands what did not: a product that a store sold in the four weeks before, and that sold nothing, has a
row at each price of ours that stood, and else at its last price. Where it usually sells much, the shelf may have been
empty, and the row says so.

Stock is known from a count on: one between the closing before and a moment of the date. What came and went since then
is added and taken off. Counts of one moment with last dates of sale are parts of one count. Without a count nothing is
known, and a shelf that was empty is not told from one that nobody bought from.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Flags, Ints
from catalog.decisions.store_day import hour_shares
from catalog.load import Catalog
from catalog.records.store import Store
from catalog.tables.contracts import TABLES
from plugins.own_store.history.day_units import SalesSoFar, chances_of, days_before, in_contract, summed, without_a_unit

_EPOCH = dt.date(1970, 1, 1)
_LATEST = dt.datetime.max.replace(tzinfo=dt.UTC)
_ORDER = {"delivery": 0, "spoiled": 1, "sold": 2, "count": 3}  # at one moment: a count knows all of it


class _Change(NamedTuple):
    """What changed the stock of a product, or counted it."""

    at: dt.datetime
    kind: str
    units: float
    expires_on: dt.date | None = None


class _Level(NamedTuple):
    """Units on the shelf from a moment on, UTC."""

    since: dt.datetime
    units: float


class ShelfStock:
    """The stock of products in stores over one business date.

    Parameters
    ----------
    events
        Rows of `stock_events` of the date and of the date before.
    lines, counts
        Rows of `receipt_lines` of both dates, and whether each counts, shape (n_lines,).
    """

    def __init__(self, store: Store, date: dt.date, events: pa.Table, lines: pa.Table, counts: Flags) -> None:
        self._store, self._date = store, date
        changes: dict[tuple[str, str], list[_Change]] = {}
        for row in events.to_pylist():
            changes.setdefault(pair_of(row), []).append(
                _Change(row["happened_at"], row["kind"], row["units"], row["expires_on"])
            )
        for row in sold_lines(lines, counts) if changes else ():
            if pair_of(row) in changes:
                changes[pair_of(row)].append(_Change(row["sold_at"], "sold", row["units"]))
        self._levels = {pair: list(self._levels_of(pair[0], change)) for pair, change in changes.items()}

    def at_opening(self, store: str, sku: str) -> float | None:
        """Return the units of a product when the store opens; None where they are not known."""
        opens = self._store.clock_of(store).opening_of(self._date)
        units = [level.units for level in self._levels.get((store, sku), ()) if level.since <= opens]
        return units[-1] if units else None

    def minutes(self, store: str, sku: str, starts_at: dt.datetime, ends_at: dt.datetime) -> float | None:
        """Return for how many minutes of a span there was a unit; None where stock is not known all the time."""
        levels = self._levels.get((store, sku), [])
        if not levels or levels[0].since > starts_at:
            return None
        stocked = dt.timedelta()
        for level, after in pairwise([*levels, _Level(_LATEST, 0.0)]):
            begins, ends = max(level.since, starts_at), min(after.since, ends_at)
            if level.units > 0 and ends > begins:
                stocked += ends - begins
        return stocked.total_seconds() / 60

    def levels(self, store: str, sku: str) -> list[tuple[dt.datetime, float]]:
        """Return from when on there were how many units of a product, in order of time; nothing before the first."""
        return list(self._levels.get((store, sku), ()))

    def _levels_of(self, store: str, changes: Sequence[_Change]) -> Iterable[_Level]:
        """Yield the level of a product whenever it changed, from its first count since the closing before."""
        closed = self._store.clock_of(store).closing_of(self._date - dt.timedelta(days=1))
        units: float | None = None
        counted: dict[dt.date | None, float] = {}
        counted_at: dt.datetime | None = None
        for moment, kind, by, expires_on in sorted(changes, key=lambda change: (change.at, _ORDER[change.kind])):
            if moment < closed:
                continue
            if kind == "count":
                counted = {**(counted if counted_at == moment else {}), expires_on: by}
                counted_at, units = moment, sum(counted.values())
            elif units is not None:
                units = units + by if kind == "delivery" else max(0.0, units - by)
            if units is not None:
                yield _Level(moment, units)


def pair_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the store and the product of a row."""
    return row["store_id"], row["sku"]


def sold_lines(lines: pa.Table, counts: Flags) -> Iterable[Mapping[str, Any]]:
    """Yield the lines that count and sold something."""
    rows = lines.select(["store_id", "sku", "sold_at", "units", "voids_event_id", "voids_receipt"])
    for row in rows.filter(pa.array(counts)).to_pylist():
        if row["voids_event_id"] is None and row["voids_receipt"] is None:
            yield row


@dataclass(frozen=True)
class DayLines:
    """What the unit sales of a business date are made from.

    Attributes
    ----------
    lines, counts
        Rows of `receipt_lines`, and whether each counts, shape (n_lines,).
    exposures
        Exposures of the date.
    visitors
        Visitors of each store over the date, where every opening hour was counted.
    before
        Unit sales of the business dates before, by date.
    elsewhere
        Pairs of a store and a sku whose sales of the date came in a file, which count.
    """

    date: dt.date
    lines: pa.Table
    counts: Flags
    exposures: pa.Table
    stock: ShelfStock
    visitors: Mapping[str, float]
    before: Mapping[dt.date, pd.DataFrame]
    elsewhere: Collection[tuple[str, str]] = ()


def unit_sales_of(catalog: Catalog, day: DayLines) -> pa.Table:
    """Return the unit sales of a business date; products and stores that the catalog no longer has are left out."""
    pairs = Pairs(catalog)
    sold = _sold(day, pairs)
    if not len(sold):
        return TABLES["unit_sales"].schema.empty_table()
    rows = summed(sold)
    so_far, prices = _known_before(day, pairs)
    rows = pd.concat([rows, _without_a_sale(day, pairs, rows, prices)], ignore_index=True)
    rows["traffic"] = (
        rows["store"].map({pairs.store(name): count for name, count in day.visitors.items()}).astype(float)
    )
    rows["stock"] = [day.stock.at_opening(*pairs.names(pair)) for pair in pairs.of(rows)]
    rows = rows[~np.isin(pairs.of(rows), pairs.numbers(day.elsewhere))].reset_index(drop=True)
    most = np.array([product.chances_per_day for product in catalog.products], dtype=float)
    place = rows["product"].to_numpy()
    chances = chances_of(rows, most[place], hour_shares(catalog.store))
    every, pair_number = np.unique(pairs.of(rows), return_inverse=True)
    total = np.bincount(pair_number, rows["sold"], minlength=len(every)).astype(float)
    is_sudden = so_far.sudden_zeros(every, total)[pair_number] & rows["stock"].isna().to_numpy()
    rows = rows.assign(chances=chances, is_sudden=is_sudden, place=place)
    return in_contract(rows, catalog.store.stores, catalog)


class Pairs:
    """Numbers of the pairs of a store and a product of a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._stores = {name: number for number, name in enumerate(catalog.store.stores)}
        self._products = catalog.positions
        self._names = catalog.store.stores, catalog.skus

    def __len__(self) -> int:
        return len(self._stores) * len(self._products)

    def store(self, name: str) -> int:
        """Return the number of a store; -1 of one that the catalog does not have."""
        return self._stores.get(name, -1)

    def of(self, rows: pd.DataFrame) -> Ints:
        """Return the numbers of the pairs of rows with `store` and `product`, shape (n_rows,)."""
        return np.asarray(rows["store"].to_numpy(np.int64) * len(self._products) + rows["product"].to_numpy(np.int64))

    def names(self, pair: int) -> tuple[str, str]:
        """Return the store and the sku of a pair."""
        store, product = self.apart(pair)
        return self._names[0][store], self._names[1][product]

    def apart(self, pair: int) -> tuple[int, int]:
        """Return the numbers of the store and the product of a pair."""
        return divmod(int(pair), len(self._products))

    def numbers(self, pairs: Collection[tuple[str, str]]) -> Ints:
        """Return the numbers of pairs that the catalog has, shape (n_pairs,)."""
        of_this_shop = [pair for pair in pairs if pair[0] in self._stores and pair[1] in self._products]
        return np.array(
            [self._stores[store] * len(self._products) + self._products[sku] for store, sku in of_this_shop], np.int64
        )

    def numbered(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with `store_id` and `sku` that the catalog has, with `store` and `product` as numbers."""
        codes = rows.assign(store=rows["store_id"].map(self._stores), product=rows["sku"].map(self._products))
        codes = codes[codes["store"].notna() & codes["product"].notna()]
        return codes.astype({"store": np.int64, "product": np.int64})


def _sold(day: DayLines, pairs: Pairs) -> pd.DataFrame:
    """Return the lines that count and sold something, or brought it back."""
    names = ["store_id", "sku", "units", "price", "receipt", "voids_event_id", "voids_receipt"]
    lines = day.lines.select(names).filter(pa.array(day.counts)).to_pandas()
    lines = lines.astype({"store_id": "str", "sku": "str"})
    lines = pairs.numbered(lines[lines["voids_event_id"].isna() & lines["voids_receipt"].isna()])
    if lines["receipt"].isna().all():
        lines = lines.drop(columns="receipt")
    return lines.assign(hour=np.int8(-1))


def _known_before(day: DayLines, pairs: Pairs) -> tuple[SalesSoFar, dict[int, float]]:
    """Return what is known of the four weeks before, and the last price of each pair that sold in them."""
    so_far, last_price = SalesSoFar(len(pairs)), dict[int, float]()
    date = (day.date - _EPOCH).days
    days = {(earlier - _EPOCH).days: day.before[earlier] for earlier in days_before(date) if earlier in day.before}
    rows = [rows.assign(number=number) for number, rows in days.items() if len(rows)]
    if not rows:
        for number in (*days, date):
            so_far.begin(number)
        return so_far, last_price
    numbered = pairs.numbered(pd.concat(rows)).sort_values(["number", "units"])
    numbered["pair"] = pairs.of(numbered)
    by_day = numbered.groupby(["number", "pair"]).agg(
        units=("units", "sum"), price=("price", "last"), is_sudden=("is_sudden_zero", "any")
    )
    numbers, pair = (by_day.index.get_level_values(name).to_numpy() for name in ("number", "pair"))
    units, price, is_sudden = (by_day[name].to_numpy() for name in ("units", "price", "is_sudden"))
    for number in days:
        so_far.begin(number)
        rows_of_number = slice(*np.searchsorted(numbers, [number, number + 1]))
        so_far.remember(
            number, pair[rows_of_number], units[rows_of_number], price[rows_of_number], is_sudden[rows_of_number]
        )
        last_price |= {
            last_prices: last
            for last_prices, last, sold in zip(
                pair[rows_of_number].tolist(), price[rows_of_number].tolist(), units[rows_of_number] > 0, strict=True
            )
            if sold or last_prices in last_price
        }
    so_far.begin(date)
    return so_far, last_price


def _without_a_sale(day: DayLines, pairs: Pairs, rows: pd.DataFrame, last_price: Mapping[int, float]) -> pd.DataFrame:
    """Return rows with no unit, for products that a store with sales on this date sells at other times."""
    open_stores, sold = set(rows["store"].tolist()), set(pairs.of(rows).tolist())
    ours: dict[tuple[str, str], list[float]] = {}
    stood = day.exposures.select(["store_id", "sku", "charged_price", "open_minutes"]).to_pylist()
    for row in stood:
        if row["open_minutes"]:
            ours.setdefault((row["store_id"], row["sku"]), []).append(row["charged_price"])
    zeros: list[tuple[int, int, float]] = []
    for pair, price in last_price.items():
        store, product = pairs.apart(pair)
        if store in open_stores and pair not in sold:
            prices: Sequence[float] = sorted(set(ours.get(pairs.names(pair), [price])))
            zeros += [(store, product, price) for price in prices]
    columns = {"store": np.int64, "product": np.int64, "price": np.float64}
    frame = pd.DataFrame(zeros, columns=list(columns)).astype(columns)
    return without_a_unit(frame, rows)
