"""Support: the prices at which each product was really offered. Beyond them a model only guesses."""

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
    return _ranges(connection, catalog, through, since, "observed_prices")


def own_prices(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, since: dt.date | None = None
) -> Floats:
    """Return the same for the prices that our own policies showed, without exported decisions."""
    return _ranges(connection, catalog, through, since, "own_prices")


def _ranges(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, through: dt.date, since: dt.date | None, name: str
) -> Floats:
    observed = np.full((len(catalog.skus), 2), np.nan)
    positions = {sku: position for position, sku in enumerate(catalog.skus)}
    span = {"first": since or dt.date.min, "through": through}
    for sku, lowest, highest in connection.execute(query(name), span).fetchall():
        if sku in positions:
            observed[positions[sku]] = lowest, highest
    return observed
