"""Read what was sold at our own prices off the log: in all stores together, and in the stores of each kind.

Only prices that our own policies showed teach: what somebody else set had reasons that were not logged.
"""

import datetime as dt
from collections.abc import Iterator, Sequence

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Ints
from catalog.load import Catalog
from catalog.store_day import hours_of_ticks
from features.cells import query
from serving.belief.belief import hours_of_day, n_hours_of
from serving.belief.gaussian import Knots
from serving.belief.sales import Sales, SoldAtPrices, evenly_chosen, sales_at_knots
from serving.belief.store_kinds import MOST_PRODUCTS, SoldInStores, kinds_of_stores

LOOKS_BACK = 56
"""The days whose decisions a belief rests on, the last one included."""

_HOURS_A_DAY, _AN_HOUR = 24, dt.timedelta(hours=1)


def sales_of_all(connection: duckdb.DuckDBPyConnection, catalog: Catalog, knots: Knots, through: dt.date) -> Sales:
    """Return what all stores together sold in the days that a belief looks back at."""
    rows, hours = _read(connection, catalog, "own_sales", through), hours_of_day(catalog)
    rows = rows[rows["tick"] < len(hours)]
    return _at_knots(catalog, knots, rows, hours[rows["tick"].to_numpy()])


def sales_by_kind(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, knots: Knots, through: dt.date
) -> Iterator[tuple[tuple[str, ...], Sales]]:
    """Yield the stores of each kind and what they sold; nothing while all stores are alike."""
    if len(catalog.store.stores) == 1:
        return
    some = [catalog.skus[place] for place in evenly_chosen(len(catalog.skus), MOST_PRODUCTS)]
    rows = _read(connection, catalog, "own_sales_by_store", through, skus=some)
    stores, store = np.unique(rows["store_id"].to_numpy(dtype=str), return_inverse=True)
    product = _products(catalog, rows)
    ratio = rows["price_offered"].to_numpy(dtype=float) / catalog.base_prices[product]
    met, bought = (rows[name].to_numpy(dtype=float) for name in ("count_met", "count_bought"))
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
        parts.append(rows.assign(hour=_hours(catalog, own[0], rows)))
    sold = pd.concat(parts)
    sold = sold[sold["hour"] >= 0]
    return _at_knots(catalog, knots, sold, sold["hour"].to_numpy(dtype=np.int64))


def _hours(catalog: Catalog, store: str, rows: pd.DataFrame) -> Ints:
    """Return the position of each row's hour among those of a store's day, shape (n_rows,); -1 for one of no day.

    Where a zone is not whole hours from UTC, an hour counts for the one that most of it lies in, or for the nearest.
    """
    places, hours = np.full(_HOURS_A_DAY, -1), np.unique(hours_of_ticks(catalog.store))
    places[hours % _HOURS_A_DAY] = np.arange(len(hours))
    places = np.where(places >= 0, places, np.maximum(np.roll(places, 1), np.roll(places, -1)))
    clock, dates = catalog.store.clock_of(store), pd.to_datetime(rows["business_date"])
    noons = {date: date.to_pydatetime().replace(hour=12, tzinfo=dt.UTC) for date in dates.unique()}
    half = _AN_HOUR / 2
    ahead = {date: ((clock.local(noon).utcoffset() or 0 * half) + half) // _AN_HOUR for date, noon in noons.items()}
    local = rows["hour_utc"].to_numpy(dtype=np.int64) + dates.map(ahead).to_numpy(dtype=np.int64)
    return np.asarray(places[local % _HOURS_A_DAY])


def _read(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, name: str, through: dt.date, **asked: Sequence[str]
) -> pd.DataFrame:
    """Read the rows of a query over the days that a belief looks back at, of the products of the shelf."""
    span = {"first": through - dt.timedelta(days=LOOKS_BACK - 1), "last": through}
    rows = connection.execute(query(name), span | {name: list(values) for name, values in asked.items()}).df()
    return rows[rows["sku"].isin(catalog.skus)]


def _products(catalog: Catalog, rows: pd.DataFrame) -> Ints:
    positions = {sku: position for position, sku in enumerate(catalog.skus)}
    return np.asarray(rows["sku"].map(positions), dtype=np.int64)


def _at_knots(catalog: Catalog, knots: Knots, rows: pd.DataFrame, hour: Ints) -> Sales:
    dates, day = np.unique(rows["business_date"].to_numpy().astype("datetime64[D]"), return_inverse=True)
    return sales_at_knots(
        knots,
        tuple(dates.tolist()),
        n_hours_of(catalog),
        SoldAtPrices(
            product=_products(catalog, rows),
            day=day.astype(np.int64),
            hour=hour,
            price=rows["price_offered"].to_numpy(dtype=float),
            met=rows["count_met"].to_numpy(dtype=float),
            bought=rows["count_bought"].to_numpy(dtype=float),
        ),
    )
