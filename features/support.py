"""Support: the prices that each product was really offered at. Beyond them a model only guesses."""

import datetime as dt

import duckdb
import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from features.cells import query


def observed_prices(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> Floats:
    """Return the lowest and highest price observed with stock up to a date, EUR, shape (n_products, 2).

    NaN for a product that was never offered.
    """
    return _ranges(connection, catalog, through, "observed_prices")


def own_prices(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date) -> Floats:
    """Return the same of the prices that policies of ours showed, exported decisions left out."""
    return _ranges(connection, catalog, through, "own_prices")


def _ranges(connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, name: str) -> Floats:
    observed = np.full((len(catalog.skus), 2), np.nan)
    positions = {sku: position for position, sku in enumerate(catalog.skus)}
    for sku, lowest, highest in connection.execute(query(name), {"through": through}).fetchall():
        if sku in positions:
            observed[positions[sku]] = lowest, highest
    return observed
