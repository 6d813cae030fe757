"""Demand curves in context: a champion's chance of sale on the whole ladder, for each hour of each store of a date.

    hours = hours_of(connection, catalog, [date])
    chance = curves_for(champion, connection, catalog, hours)  # (n_hours, n_products, n_prices)

Whoever asks for a date without its hours gets their mean. A champion that does not look at the context has one curve
for all of them.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Protocol, TypeGuard

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.price_ladder import price_ladder
from catalog.store_day import hours_of_ticks
from features.cells import query
from features.context import KEYS, context_of_days, show_context
from features.context_names import HOUR, asked_of, is_context, looks_at_context

_ROWS_AT_ONCE = 500_000


class ContextModel(Protocol):
    """A registered version that says which features it looks at."""

    @property
    def version(self) -> str:
        """Registered version."""
        ...

    @property
    def features(self) -> Sequence[str]:
        """Input columns in order."""
        ...

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        """Chance of sale, shape (n_rows,)."""
        ...


def hours_of(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    dates: Sequence[dt.date],
    stores: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the context of every hour of some dates, ascending, in some stores, by default all of the catalog.

    Parameters
    ----------
    connection
        Of `feature_workbench`, however few dates it shows.

    Returns
    -------
    pd.DataFrame
        One row per `business_date`, `store_id` and `hour` of the store's clock in which a tick begins, in that order,
        with the features of the context.
    """
    show_context(connection, catalog, dates[0], dates[-1])
    names = catalog.store.stores if stores is None else stores
    asked = pd.DataFrame([(date, name) for date in dates for name in names], columns=list(KEYS))
    days = context_of_days(connection, asked)
    hours = pd.DataFrame({HOUR: np.unique(hours_of_ticks(catalog.store)).astype(float)})
    return days.merge(hours, how="cross")


def curves_for(
    champion: ContextModel, connection: duckdb.DuckDBPyConnection, catalog: Catalog, hours: pd.DataFrame
) -> Floats:
    """Return the chance of sale at every price of the ladder in some hours, shape (n_hours, n_products, n_prices).

    Parameters
    ----------
    hours
        Rows of `hours_of`. Equal contexts are asked about once.

    Raises
    ------
    ModelError
        When the champion does not know the shelf, or answers with no probability.
    """
    prices = price_ladder(catalog)
    shelf = _shelf(connection, catalog, prices)
    looked_at = [name for name in champion.features if is_context(name) and not name.startswith("category_")]
    told = asked_of(hours, looked_at)
    told = told[[name for name in looked_at if name in told.columns]]
    if looked_at:
        number = told.groupby(list(told), dropna=False, sort=False).ngroup().to_numpy()
        told = told.assign(number=number).drop_duplicates("number").drop(columns="number")
    else:
        number, told = np.zeros(len(hours), dtype=int), told.iloc[:1]
    at_once = max(1, _ROWS_AT_ONCE // max(1, len(shelf)))
    parts = [told.iloc[first : first + at_once] for first in range(0, len(told), at_once)]
    asked = (own.merge(shelf, how="cross") if looked_at else shelf for own in parts)
    chance = [champion.p_sale(asked_of(rows, champion.features)).reshape(-1, *prices.shape) for rows in asked]
    return np.concatenate(chance)[number]


def mean_curves(
    champion: ContextModel, connection: duckdb.DuckDBPyConnection, catalog: Catalog, date: dt.date
) -> Floats:
    """Return the mean chance of sale over the hours of a date, all stores alike, shape (n_products, n_prices)."""
    return curves_for(champion, connection, catalog, hours_of(connection, catalog, [date])).mean(axis=0)


def is_asked_in_context(champion: object) -> TypeGuard[ContextModel]:
    """Tell whether a model must be told the context that it is asked about."""
    return looks_at_context(getattr(champion, "features", ()))


def _shelf(connection: duckdb.DuckDBPyConnection, catalog: Catalog, prices: Floats) -> pd.DataFrame:
    """Return every candidate price as model input, the shelf full, in the order of products and prices."""
    n_prices = prices.shape[1]
    candidates = pd.DataFrame(
        {
            "row_number": range(prices.size),
            "sku": np.repeat(np.array(catalog.skus, dtype=object), n_prices),
            "price_offered": prices.ravel(),
            "inventory_level": np.repeat(catalog.par_stock, n_prices),
        }
    )
    connection.register("shelf_candidates", candidates)
    try:
        return connection.execute(query("shelf_in_context")).df()
    finally:
        connection.unregister("shelf_candidates")
