"""What the context of a day adds to demand, by a random forest: holidays, pay days, announced events, the weather.

The forest is fitted to what the belief leaves over: the level of each product on each day beyond its weekday and its
hours. Purchases themselves would mislead it, since prices follow the day: a rich day sells as often as another, at
higher prices. Each day that was seen is told by the trees that did not see it (out of bag: Breiman, "Random forests",
Machine Learning, 2001). So the sales themselves say how much of the forest's word holds, see `Fit.with_day_effects`.
"""

import datetime as dt
from collections.abc import Sequence

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.records.pricing import BeliefSettings
from features.context import KEYS, context_of_days, show_context
from serving.belief.gaussian import Knots
from serving.belief.sales import Sales
from serving.belief.states import Fit

_TREES, _SEED = 200, 20260105
_FEWEST = 4  # days
_ROUNDS = 2  # in which what the forest said before is known


def days_in_context(connection: duckdb.DuckDBPyConnection, catalog: Catalog, dates: Sequence[dt.date]) -> pd.DataFrame:
    """Return what is known of some days beyond weekday and hour, and differs between them: a row each, a store's mean.

    Parameters
    ----------
    connection
        Of `feature_workbench`, however few dates it shows.
    dates
        Ascending.
    """
    show_context(connection, catalog, dates[0], dates[-1])
    asked = pd.DataFrame([(date, name) for date in dates for name in catalog.store.stores], columns=list(KEYS))
    known = context_of_days(connection, asked)
    days = known.drop(columns="store_id").groupby("business_date").mean()
    return days.loc[:, days.nunique(dropna=False) > 1]


def fit_day_effects(
    found: Fit, knots: Knots, settings: BeliefSettings, sales: Sales, days: pd.DataFrame
) -> tuple[Fit, Floats, Floats] | None:
    """Return what the sales teach with a forest's word on the days, and how much of it holds, in log odds.

    Its word is by how much each day differs from the mean of all.

    Parameters
    ----------
    found
        What the sales teach by themselves.
    days
        Rows of `days_in_context`: the days that were seen, and the date to price as the last one.

    Returns
    -------
    tuple | None
        As `Fit.with_day_effects`; None where nothing is known of the days, or they are too few.
    """
    seen, date = days.iloc[:-1], days.iloc[-1:]
    if len(seen) < _FEWEST or not (seen.nunique(dropna=False) > 1).any():
        return None
    heard = found, np.zeros(found.effects.days.shape), np.zeros(len(found.effects.days))
    for _ in range(_ROUNDS):
        said, priced = _forest_of(seen, (heard[1] + heard[0].levels).T, date)
        usual = said.mean(axis=0)
        heard = found.with_day_effects(knots, settings, sales, (said - usual).T, priced - usual)
    return heard


def _forest_of(seen: pd.DataFrame, levels: Floats, date: pd.DataFrame) -> tuple[Floats, Floats]:
    """Fit a forest; return what it says out of bag of the days that were seen, and of the date.

    `levels` have the shape (n_days, n_products), as what is returned.
    """
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(n_estimators=_TREES, bootstrap=True, oob_score=True, random_state=_SEED)
    forest.fit(seen.to_numpy(dtype=float), levels)
    said = np.asarray(forest.oob_prediction_, dtype=float).reshape(levels.shape)
    return said, np.asarray(forest.predict(date.to_numpy(dtype=float)), dtype=float).reshape(-1)
