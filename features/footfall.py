"""Footfall: how many shoppers stop at each product in each tick, from the logged visits.

Precondition: every visit is logged, also visits to an empty shelf. Otherwise scarce products look unpopular.
"""

import datetime as dt

import duckdb
import numpy as np

from catalog.arrays import Floats
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
    return visits, 0 if days is None else int(days[0])
