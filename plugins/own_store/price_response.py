"""What a log says of each product's response to its price: a first guess where prices are drawn, and nothing else.

A Poisson regression of a store's units of a week on the log of its mean price, with an effect of each store and of each
week. All have a prior that is too wide to matter, and `serving.belief.posterior` finds them. The effects take out what
stores and seasons have in common. They cannot take out what moved a price and its sales together in one store and week,
such as a leaflet that the file does not name. So no log is believed to be nearer than a standard deviation of 1
(`plugins.own_store.learning.belief_priors`), and what drawn prices sell overrules it.
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
from serving.belief.posterior import POISSON, Latents, Likelihood, Roots, find_mode, negative_binomial
from warehouse.query.connection import queries_beside

_query = queries_beside(__file__)
_WIDE = 100.0  # spread of levels, effects and the slope beforehand, in log units
_CLOSE = 1e-9  # log density that another step may gain
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
    units, log_price, days = (own[name].to_numpy(dtype=float) for name in ("units", "log_price", "days"))
    free = len(own) - sum(int(level.max(initial=-1)) + 1 for level in levels)
    if free < _LEAST_WEEKS or np.ptp(log_price) == 0:
        return np.nan, np.nan
    slope, variance, mean = _poisson_slope(units, log_price, days, levels)
    if variance > _LARGEST_ERROR**2:
        return np.nan, np.nan
    scatter = max(1.0, float(np.sum((units - mean) ** 2 / mean)) / free)
    return slope, float(np.sqrt(scatter * variance))


def _poisson_slope(
    units: Floats, log_price: Floats, days: Floats, levels: Sequence[Ints]
) -> tuple[float, float, Floats]:
    """Return the slope, its variance and the units expected in each row.

    Stores are groups of the posterior, with a level of their own; weeks are cells that all stores share.
    """
    (stores, weeks), usual = levels, np.log(days * units.sum() / days.sum())
    n_stores, n_weeks = stores.max() + 1, weeks.max() + 1
    centred = log_price - log_price.mean()
    roots = Roots(np.tile([[_WIDE], [0.0]], (n_stores, 1, 1)), np.tile([[0.0], [_WIDE]], (n_stores, 1, 1)), 0.0, _WIDE)

    def rates_at(at: Latents) -> Floats:
        level, slope = roots.coefficients(at)[stores].T
        return np.asarray(usual + level + slope * centred + roots.levels(at)[0, weeks])

    def by_store(rows: Floats) -> Floats:
        return np.asarray(np.bincount(stores, rows, n_stores), dtype=float)

    def by_cell(rows: Floats) -> Floats:
        sums = np.bincount(stores * n_weeks + weeks, rows, n_stores * n_weeks)
        return np.asarray(sums, dtype=float).reshape(n_stores, n_weeks)

    def model(_stores: slice, at: Latents) -> tuple[Roots, Likelihood]:
        log, surplus, curved = negative_binomial(rates_at(at), units, POISSON)
        sums = [by_store(curved * centred**power) for power in (0, 1, 1, 2)]
        weight = np.stack(sums, axis=1).reshape(n_stores, 2, 2)
        met = [by_cell(curved * centred**power) for power in (0, 1)]
        slope = np.stack([by_store(surplus), by_store(surplus * centred)], axis=1)
        return roots, Likelihood(log, weight, np.stack(met, axis=1), met[0], slope, by_cell(surplus))

    mode = find_mode(Latents.zeros(n_stores, 1, 1, n_weeks), model, _CLOSE)
    variance = _WIDE**2 * float((mode.shared_root[0] ** 2).sum())
    return _WIDE * float(mode.at.shared[0]), variance, np.exp(rates_at(mode.at))
