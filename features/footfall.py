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
    span = {"first": through - dt.timedelta(days=_DAYS - 1), "last": through}
    days = connection.execute(query("store_days"), span).fetchone()
    counts = connection.execute(query("footfall"), span).df()
    if days is None or not days[0]:
        raise DataError(f"expected visits in the {_DAYS} days up to {through}, found none; simulate or ingest some")
    visits = np.zeros((len(catalog.skus), catalog.store.opening.ticks))
    positions = {sku: position for position, sku in enumerate(catalog.skus)}
    known = counts[counts["sku"].isin(positions) & (counts["tick"] < visits.shape[1])]
    product = known["sku"].map(positions).to_numpy(dtype=np.int64)
    visits[product, known["tick"].to_numpy()] = known["count_visits"].to_numpy() / days[0]
    profile = visits.sum(axis=0) / visits.sum()
    return visits.sum(axis=1, keepdims=True) * profile
