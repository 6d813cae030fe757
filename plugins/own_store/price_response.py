"""What a log says of each product's response to its price: a first guess where prices are drawn, and nothing else.

A Poisson regression of a store's units of a week on the log of its mean price, with an effect of each store and of each
week (Correia, Guimaraes and Zylkin, "Fast Poisson estimation with high-dimensional fixed effects", Stata Journal,
2020). The effects take out what stores and seasons have in common. They cannot take out what moved a price and its
sales together in one store and week, such as a leaflet that the file does not name. So no log is believed to be nearer
than a standard deviation of 1 (`plugins.own_store.learning.belief_priors`), and what drawn prices sell overrules it.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from catalog.settings import Settings
from features.cells import feature_workbench
from warehouse.query.connection import queries_beside

_query = queries_beside(__file__)
_STEPS, _SWEEPS, _CLOSE = 50, 200, 1e-7
_LONGEST_STEP = 1.0  # of the slope, so that the first ones cannot run away
_LARGEST_ERROR = 1.0  # of a slope that says something: beyond, what is believed of any product says more
_LEAST_WEEKS = 8  # store weeks beside those that the effects take up


def sold_by_week(connection: duckdb.DuckDBPyConnection, through: dt.date) -> pd.DataFrame:
    """Return what was sold at prices that somebody else set, up to a date; see `queries/sold_by_week.sql`."""
    return connection.execute(_query("sold_by_week"), {"through": through}).df()


def slopes_of(sold: pd.DataFrame, skus: Sequence[str]) -> tuple[Floats, Floats]:
    """Return the change of log units per log price of each product and its error, shape (n_products,) each.

    NaN where the log says nothing: its prices hardly differ beside store and week, or dearer seems to sell more, which
    is not the price's doing.

    Parameters
    ----------
    sold
        As `queries/sold_by_week.sql` returns it.
    """
    own = dict(iter(sold.groupby("sku")))
    found = [_slope_of(own[sku]) if sku in own else (np.nan, np.nan) for sku in skus]
    slopes, errors = np.array(found, dtype=float).reshape(len(skus), 2).T
    tells = (errors <= _LARGEST_ERROR) & (slopes < 0)
    return np.where(tells, slopes, np.nan), np.where(tells, errors, np.nan)


def with_guesses(settings: Settings, profile: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the products of a file, each with the `response` that the whole log suggests, None without one."""
    with feature_workbench(settings) as connection:
        slopes, _ = slopes_of(sold_by_week(connection, dt.date.max), [str(product["sku"]) for product in profile])
    return [
        product | {"response": round(slope, 2) if np.isfinite(slope) else None}
        for product, slope in zip(profile, slopes.tolist(), strict=True)
    ]


def _slope_of(own: pd.DataFrame) -> tuple[float, float]:
    """Return the slope of one product and its error, widened where units scatter more than a Poisson's."""
    for name in ("store_id", "week") * 2:  # a store or a week without a sale says nothing of the price
        own = own[own.groupby(name)["units"].transform("sum") > 0]
    levels = [pd.factorize(own[name])[0].astype(np.int64) for name in ("store_id", "week")]
    units, log_price, mean = (own[name].to_numpy(dtype=float) for name in ("units", "log_price", "days"))
    free = len(own) - sum(int(level.max(initial=-1)) + 1 for level in levels)
    if free < _LEAST_WEEKS or np.ptp(log_price) == 0:
        return np.nan, np.nan
    slope, information = 0.0, 0.0
    for _ in range(_STEPS):
        for level in levels:
            mean = mean * (np.bincount(level, units) / np.bincount(level, mean))[level]
        left = _beside_effects(log_price, mean, levels)
        information = float(mean @ left**2)
        if information < 1 / _LARGEST_ERROR**2:
            return np.nan, np.nan
        step = float(np.clip((units - mean) @ left / information, -_LONGEST_STEP, _LONGEST_STEP))
        slope, mean = slope + step, mean * np.exp(step * left)
        if abs(step) < _CLOSE:
            break
    scatter = max(1.0, float(np.sum((units - mean) ** 2 / mean)) / free)
    return slope, float(np.sqrt(scatter / information))


def _beside_effects(column: Floats, weight: Floats, levels: Sequence[Ints]) -> Floats:
    """Return what the effects leave of a column, by turns."""
    left = column - np.average(column, weights=weight)
    for _ in range(_SWEEPS):
        before = left
        for level in levels:
            left = left - (np.bincount(level, weight * left) / np.bincount(level, weight))[level]
        if np.abs(left - before).max() < _CLOSE:
            break
    return left
