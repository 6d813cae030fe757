"""What was sold at our own prices, by day and hour, shared out over the knots of each product's demand.

Only prices that our own policies showed teach: what somebody else set had reasons that were not logged.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import duckdb
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.store_day import hours_of_ticks
from catalog.load import Catalog
from features.cells import query
from serving.belief.gaussian import Counts, Knots, evenly_chosen
from serving.belief.shoppers import MOST_PRODUCTS, SoldInStores, kinds_of_stores
from warehouse.parquet import positions

WEEKDAYS = 7
FIRST_OF_WEEKEND = 5


def alike_weekdays(single: float) -> Floats:
    """Return the covariance of effects of weekdays: the weekend's two share one of variance 1, shape (7, 7).

    `single` is the spread of each weekday's own effect.
    """
    is_weekend = np.arange(WEEKDAYS) >= FIRST_OF_WEEKEND
    return np.asarray(np.outer(is_weekend, is_weekend) + single**2 * np.eye(WEEKDAYS))


def hours_of_day(catalog: Catalog) -> Ints:
    """Return the hour in which each tick begins, by its position among those in which one does, shape (n_ticks,)."""
    return np.unique(hours_of_ticks(catalog.store), return_inverse=True)[1]


def n_hours_of(catalog: Catalog) -> int:
    """Return how many hours a day has."""
    return int(hours_of_day(catalog)[-1]) + 1


@dataclass(frozen=True)
class Sales:
    """What was sold in some days, one row per product, day, hour and knot, by product; n_rows rows.

    Attributes
    ----------
    dates
        The days, ascending.
    starts
        First row of each product, and the number of rows, shape (n_products + 1,).
    day, hour, knot
        Position of the day, of the hour and of the knot, shape (n_rows,).
    met, bought
        Visits that found the product on the shelf, and those that bought.
    n_hours
        Hour blocks of a day.
    """

    dates: tuple[dt.date, ...]
    starts: Ints
    day: Ints
    hour: Ints
    knot: Ints
    met: Floats
    bought: Floats
    n_hours: int

    @cached_property
    def product(self) -> Ints:
        """Position of each row's product."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    @cached_property
    def weekdays(self) -> Ints:
        """Weekday of each day, Monday is 0."""
        return np.array([date.weekday() for date in self.dates], dtype=np.int64)

    def of_products(self, chosen: Ints) -> "Sales":
        """Return the sales of some products, by their positions, in this order."""
        counts = np.diff(self.starts)[chosen]
        rows = np.concatenate([np.arange(self.starts[own], self.starts[own + 1]) for own in chosen])
        return Sales(
            self.dates,
            np.concatenate([[0], np.cumsum(counts)]),
            self.day[rows],
            self.hour[rows],
            self.knot[rows],
            self.met[rows],
            self.bought[rows],
            self.n_hours,
        )

    def at_knots(self, shape: tuple[int, int]) -> Counts:
        """Return the sales of all days together, shape (n_products, n_knots)."""
        cell = self.product * shape[1] + self.knot
        found = [np.bincount(cell, own, shape[0] * shape[1]).astype(float) for own in (self.met, self.bought)]
        return Counts(*(own.reshape(shape) for own in found))


@dataclass(frozen=True)
class SoldAtPrices:
    """Visits that found a product on the shelf, and those that bought, at any prices, EUR; arrays of shape (n_rows,).

    `day` and `hour` are positions, as in `Sales`.
    """

    product: Ints
    day: Ints
    hour: Ints
    price: Floats
    met: Floats
    bought: Floats


def sales_at_knots(knots: Knots, dates: tuple[dt.date, ...], n_hours: int, sold: SoldAtPrices) -> Sales:
    """Share sales at any prices out over the knots beside them."""
    (n_products, n_knots), order = knots.shape, np.argsort(sold.day, kind="stable")
    of_day = np.split(order, np.searchsorted(sold.day[order], np.arange(1, len(dates))))
    parts = [_at_knots_of_day(knots, n_hours, sold, own) for own in of_day]  # a day at a time: many days have millions
    cells, met, bought = (np.concatenate(own) for own in zip(*parts, strict=True))
    product, day = cells // (n_hours * n_knots), np.repeat(np.arange(len(parts)), [len(own) for own, _, _ in parts])
    rows = np.argsort(product, kind="stable")
    return Sales(
        dates,
        np.searchsorted(product[rows], np.arange(n_products + 1)),
        day[rows],
        cells[rows] // n_knots % n_hours,
        cells[rows] % n_knots,
        met[rows],
        bought[rows],
        n_hours,
    )


def _at_knots_of_day(knots: Knots, n_hours: int, sold: SoldAtPrices, own: Ints) -> tuple[Ints, Floats, Floats]:
    """Return the cells (product, hour and knot) of some rows that anybody met, ascending, how many did and bought."""
    below, share = knots.place(sold.product[own], sold.price[own])
    cell = (sold.product[own] * n_hours + sold.hour[own]) * knots.shape[1] + below
    cells, row = np.unique(np.concatenate([cell, cell + 1]), return_inverse=True)
    met, bought = (
        np.bincount(row, np.concatenate([counts * (1 - share), counts * share]), len(cells)).astype(float)
        for counts in (sold.met[own], sold.bought[own])
    )
    some = met > 0
    return cells[some], met[some], bought[some]


_Rows: TypeAlias = dict[str, NDArray[Any]]

LOOKS_BACK = 56
"""The days whose decisions a belief rests on, the last one included."""

_HOURS_A_DAY, _AN_HOUR, _NOON = 24, dt.timedelta(hours=1), dt.time(12)


def sales_of_all(connection: duckdb.DuckDBPyConnection, catalog: Catalog, knots: Knots, through: dt.date) -> Sales:
    """Return what all stores together sold in the days that a belief looks back at."""
    rows, hours = _read(connection, catalog, "own_sales", through), hours_of_day(catalog)
    rows = _among(rows, rows["tick"] < len(hours))
    return _at_knots(catalog, knots, rows, hours[rows["tick"]])


def sales_by_kind(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, knots: Knots, through: dt.date
) -> Iterator[tuple[tuple[str, ...], Sales]]:
    """Yield the stores of each kind and what they sold; nothing while all stores are alike."""
    if len(catalog.store.stores) == 1:
        return
    some = [catalog.skus[place] for place in evenly_chosen(len(catalog.skus), MOST_PRODUCTS)]
    rows = _read(connection, catalog, "own_sales_by_store", through, skus=some)
    stores, store = np.unique(rows["store_id"].astype(str), return_inverse=True)
    product, met, bought = (rows[name] for name in ("product", "count_met", "count_bought"))
    ratio = rows["price_offered"] / catalog.base_prices[product]
    kinds = kinds_of_stores(SoldInStores(store, product, ratio, met, bought), len(stores), catalog.store.belief)
    for kind in range(int(kinds.max(initial=0)) + 1 if kinds.any() else 0):
        own = tuple(stores[kinds == kind].tolist())
        yield own, _sales_in(connection, catalog, knots, through, own)


def _sales_in(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, knots: Knots, through: dt.date, stores: Sequence[str]
) -> Sales:
    """Return what some stores sold; those of a time zone are read together, for a day has its hours by their clock."""
    zones: dict[str, list[str]] = {}
    for store in stores:
        zones.setdefault(catalog.store.clock_of(store).time_zone, []).append(store)
    parts = []
    for own in zones.values():
        rows = _read(connection, catalog, "own_sales_in_stores", through, stores=own)
        parts.append(rows | {"hour": _hours(catalog, own[0], rows)})
    sold = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    sold = _among(sold, sold["hour"] >= 0)
    return _at_knots(catalog, knots, sold, sold["hour"])


def _hours(catalog: Catalog, store: str, rows: _Rows) -> Ints:
    """Return the position of each row's hour among those of a store's day, shape (n_rows,); -1 for one of no day.

    Where a zone is not whole hours from UTC, an hour counts for the one that most of it lies in, or for the nearest.
    """
    places, hours = np.full(_HOURS_A_DAY, -1), np.unique(hours_of_ticks(catalog.store))
    places[hours % _HOURS_A_DAY] = np.arange(len(hours))
    places = np.where(places >= 0, places, np.maximum(np.roll(places, 1), np.roll(places, -1)))
    clock, (dates, day) = catalog.store.clock_of(store), np.unique(rows["business_date"], return_inverse=True)
    noons = [dt.datetime.combine(date, _NOON, dt.UTC) for date in dates.tolist()]
    half = _AN_HOUR / 2
    ahead = [((clock.local(noon).utcoffset() or 0 * half) + half) // _AN_HOUR for noon in noons]
    return np.asarray(places[(rows["hour_utc"] + np.array(ahead, dtype=np.int64)[day]) % _HOURS_A_DAY])


def _read(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, name: str, through: dt.date, **asked: Sequence[str]
) -> _Rows:
    """Read the rows of a query over the days that a belief looks back at, of the products of the shelf.

    Counts are floats, and `product` is the position of each row's. They are read as Arrow has them: a long shelf has
    millions, and a text of Python for each takes more memory than all else.
    """
    span = {"first": through - dt.timedelta(days=LOOKS_BACK - 1), "last": through}
    known = span | {name: list(values) for name, values in asked.items()}
    table = connection.sql(query(name), params=known).to_arrow_table()
    rows = {"product": positions(table["sku"], catalog.skus)}
    rows |= {column: table[column].to_numpy() for column in table.column_names if column != "sku"}
    rows |= {count: rows[count].astype(float) for count in ("count_met", "count_bought")}
    return _among(rows, rows["product"] >= 0)


def _among(rows: _Rows, some: Flags) -> _Rows:
    return rows if some.all() else {name: own[some] for name, own in rows.items()}


def _at_knots(catalog: Catalog, knots: Knots, rows: _Rows, hour: Ints) -> Sales:
    dates, day = np.unique(rows["business_date"], return_inverse=True)
    known = (rows[name] for name in ("price_offered", "count_met", "count_bought"))
    sold = SoldAtPrices(rows["product"], day.astype(np.int64), hour, *known)
    return sales_at_knots(knots, tuple(dates.tolist()), n_hours_of(catalog), sold)
