"""Read what was sold at our own prices off the log: in all stores together, and in the stores of each kind.

Only prices that our own policies showed teach: what somebody else set had reasons that were not logged.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import duckdb
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Ints
from catalog.decisions.store_day import hours_of_ticks
from catalog.load import Catalog
from features.cells import query
from serving.belief.belief import hours_of_day, n_hours_of
from serving.belief.gaussian import Knots
from serving.belief.kinds import MOST_PRODUCTS, SoldInStores, kinds_of_stores
from serving.belief.sales import Sales, SoldAtPrices, evenly_chosen, sales_at_knots
from warehouse.parquet import positions

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
