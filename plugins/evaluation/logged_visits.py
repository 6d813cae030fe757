"""Logged visits: arrays of the price shown, its propensity and the outcome.

Precondition for a fair judgement of prices: the days are later than everything that the judged prices were learned
from, and every logged propensity is the whole chance of the shown price in its state.
"""

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from warehouse.query.connection import queries_beside

_MOST_VISITS = 1_000_000
_query = queries_beside(__file__)


@dataclass(frozen=True)
class LoggedVisits:
    """Visits that found the product on the shelf, arrays of shape (n_visits,).

    Attributes
    ----------
    days, day
        The business dates, and each visit's position among them.
    stores, store
        The stores, and each visit's position among them.
    product, stock, tick
        Position on the shelf, units before the decision, and tick of the day.
    price, propensity
        Price shown, EUR, and the chance with which it was shown.
    purchased
        Whether a unit was bought.
    dice
        Number of the random draw that decided the price. Visits with the same number saw the same price for the same
        reason, and count as one piece of evidence.
    n_store_days
        Number of store days that the visits come from.
    """

    days: tuple[dt.date, ...]
    day: Ints
    stores: tuple[str, ...]
    store: Ints
    product: Ints
    stock: Ints
    tick: Ints
    price: Floats
    propensity: Floats
    purchased: Flags
    dice: Ints
    n_store_days: int


def logged_visits(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    trained_through: dt.date,
    judged_through: dt.date,
    n_decisions: int,
) -> LoggedVisits:
    """Read the visits of the held-out days; if there are more than a million, whole store days with about a million.

    Parameters
    ----------
    n_decisions
        Number of held-out decisions.
    """
    found = connection.execute(
        _query("logged_visits"),
        {
            "skus": list(catalog.skus),
            "trained_through": trained_through,
            "judged_through": judged_through,
            "hold_ticks": catalog.store.exploration.hold_ticks,
            "trial_ticks": catalog.store.trial_ticks,
            "kept_of_10000": min(10_000, max(1, 10_000 * _MOST_VISITS // max(1, n_decisions))),
        },
    ).df()
    days, day = np.unique(found["business_date"].to_numpy(), return_inverse=True)
    store, stores = pd.factorize(found["store_id"].astype(str), sort=True)
    return LoggedVisits(
        days=tuple(days.astype("datetime64[D]").tolist()),
        day=day,
        stores=tuple(stores),
        store=store.astype(np.int64),
        product=found["product"].to_numpy(dtype=np.int64),
        stock=found["inventory_level"].to_numpy(dtype=np.int64),
        tick=found["tick"].to_numpy(dtype=np.int64),
        price=found["price_offered"].to_numpy(dtype=float),
        propensity=found["propensity"].to_numpy(dtype=float),
        purchased=found["purchased"].to_numpy(dtype=bool),
        dice=np.unique(found["dice"].to_numpy(), return_inverse=True)[1],
        n_store_days=found["store_day"].nunique(),
    )
