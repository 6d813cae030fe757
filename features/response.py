"""The prices at which each product was really offered."""

import datetime as dt

import duckdb
import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from features.cells import query


def observed_prices(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, since: dt.date | None = None
) -> Floats:
    """Return the lowest and highest price observed with stock up to a date, EUR, shape (n_products, 2).

    NaN for a product that was never offered. With `since`, only offers from that date on count: a model knows nothing
    about prices from before the days it learned from.
    """
    observed = np.full((len(catalog.skus), 2), np.nan)
    positions = catalog.positions
    span = {"first": since or dt.date.min, "through": through}
    for sku, lowest, highest in connection.execute(query("observed_prices"), span).fetchall():
        if sku in positions:
            observed[positions[sku]] = lowest, highest
    return observed
