"""Footfall: how many shoppers stop at each product in each tick, from the logged visits.

Precondition: every visit is logged, also visits to an empty shelf. Otherwise scarce products look unpopular. Where only
sales are known, the chances to sell a unit that they stand for count as visits.
"""

import datetime as dt

import duckdb
import numpy as np

from catalog.arrays import Floats
from catalog.day_profile import hours_of_ticks, tick_profile
from catalog.errors import DataError
from catalog.load import Catalog
from features.cells import query

_DAYS = 28


def expected_visits(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> Floats:
    """Estimate visits per store day from the last four weeks, shape (n_products, n_ticks).

    A product's daily visits are spread by one profile for all products. That is far steadier than a count for each
    product and tick.

    Raises
    ------
    DataError
        When there was no visit.
    """
    visits, store_days = counted_visits(connection, catalog, through)
    if not store_days:
        raise DataError(f"expected visits in the {_DAYS} days up to {through}, found none; simulate or ingest some")
    visits = visits / store_days
    profile = visits.sum(axis=0) / visits.sum()
    return visits.sum(axis=1, keepdims=True) * profile


def _chances(connection: duckdb.DuckDBPyConnection, catalog: Catalog, span: dict[str, dt.date]) -> Floats:
    """Count the chances of unit sales, shape (n_products, n_ticks): days by the store's profile, hours evenly."""
    counts = connection.execute(query("chances"), span).fetchall()
    position = {sku: place for place, sku in enumerate(catalog.skus)}
    of_tick = hours_of_ticks(catalog.store)
    chances = np.zeros((len(catalog.skus), len(of_tick)))
    for sku, hour, count in counts:
        in_hour = (of_tick == hour).astype(float)
        share = tick_profile(catalog.store) if hour is None else in_hour / max(in_hour.sum(), 1.0)
        if sku in position:
            chances[position[sku]] += count * share
    return chances


def counted_visits(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> tuple[Floats, int]:
    """Count the visits of the last four weeks, shape (n_products, n_ticks), and the store days they came on."""
    span = {"first": through - dt.timedelta(days=_DAYS - 1), "last": through}
    days = connection.execute(query("store_days"), span).fetchone()
    counts = connection.execute(query("footfall"), span).df()
    visits = np.zeros((len(catalog.skus), catalog.store.opening.ticks))
    positions = {sku: position for position, sku in enumerate(catalog.skus)}
    known = counts[counts["sku"].isin(positions) & (counts["tick"] < visits.shape[1])]
    product = known["sku"].map(positions).to_numpy(dtype=np.int64)
    visits[product, known["tick"].to_numpy()] = known["count_visits"].to_numpy()
    visits += _chances(connection, catalog, span)
    return visits, 0 if days is None else int(days[0])
