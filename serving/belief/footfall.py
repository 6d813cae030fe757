"""Who is expected on a date: what the shelf draws, by weekday, and what each product draws of it.

The shelf's visits of past days are a Gaussian process in their logarithm: a level that wanders, an effect of the
weekday, and the luck of the day. How far each of them moves is averaged over a grid, by how likely it makes the days
(Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5). Beside the shelf, each
product draws visits at a pace that stays until it changes for good, found as the pace of a day is.
"""

import datetime as dt
from itertools import product as each_of

import numpy as np
from scipy.special import softmax

from catalog.arrays import Floats
from features.footfall import CountedVisits
from serving.belief.sales import alike_weekdays
from serving.belief.today import PRIOR_VISITS, PRODUCT_SPREAD, Footfall, last_paces

_DAY_SPREADS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.45)  # of a day's visits around what is usual, as a share
_STEPS = (0.0, 0.03, 0.1)  # by which the level wanders overnight
_WEEKDAY_SPREADS = (0.0, 0.1, 0.3)
_SINGLE_WEEKDAY = 0.5  # spread of a single weekday, as a factor of the weekend's
_LEVEL = 1.0  # spread of the level on the first day around the mean of all
_CHANGES_A_DAY = 0.01  # chance that a product draws another share for good
_PROFILE_VISITS = 50.0  # weight of an even profile, in visits
_FAR, _ROUNDS = 3.0, 10  # standard deviations beyond which a product says less of the shelf; rounds to find these
_HALF = 0.5  # visits that keep the logarithm of none finite


def expected_footfall(prior: Footfall, counted: CountedVisits, date: dt.date) -> Footfall:
    """Return who is expected on a date after the days that were counted; `prior` where none was."""
    if not counted.store_days:
        return prior
    usual = counted.by_day.sum(axis=1) / counted.store_days
    busy = _busy(counted.by_day, usual[:, None] * counted.stores)
    factor, spread = _next(counted.dates, date, busy, counted.by_day.sum(axis=0))
    expected = prior.daily[:, None] * counted.stores * busy
    worth = 1 / (1 + PRODUCT_SPREAD**2 * expected)  # share of the visits that Poisson counts of that spread are worth
    first = np.full(len(usual), PRIOR_VISITS)
    paces = last_paces(counted.by_day * worth, expected * worth, first, _CHANGES_A_DAY)
    profile = counted.by_tick.sum(axis=0) + _PROFILE_VISITS * prior.profile
    return Footfall(
        daily=prior.daily * paces * factor,
        profile=profile / profile.sum(),
        store_days=float(counted.store_days),
        day_spread=spread,
    )


def _busy(visits: Floats, usual: Floats) -> Floats:
    """Return how many more than usual came to the shelf on each day, as a factor, shape (n_days,).

    A product that is far from the others counts less, by Huber's weights (Robust Statistics, 1981).

    Parameters
    ----------
    visits, usual
        Of each product on each day, shape (n_products, n_days).
    """
    weight = np.ones(visits.shape)
    for _ in range(_ROUNDS):
        busy = ((weight * visits).sum(axis=0) + _HALF) / ((weight * usual).sum(axis=0) + _HALF)
        apart = np.abs(visits - busy * usual) / np.sqrt(busy * usual + PRODUCT_SPREAD**2 * (busy * usual) ** 2 + _HALF)
        weight = np.minimum(1.0, _FAR / np.maximum(apart, _FAR))
    return np.asarray(busy)


def _next(dates: tuple[dt.date, ...], date: dt.date, busy: Floats, visits: Floats) -> tuple[float, float]:
    """Return the factor by which more than usual are expected on a date, and the spread of a day's luck.

    Parameters
    ----------
    busy
        Factor of each day, shape (n_days,).
    visits
        Visits of each day, shape (n_days,).
    """
    days = np.array([(day - dates[0]).days for day in (*dates, date)])
    weekdays = np.array([day.weekday() for day in (*dates, date)])
    wanders = np.minimum(days[:, None], days)
    alike = alike_weekdays(_SINGLE_WEEKDAY)[weekdays[:, None], weekdays]
    spreads = np.array(list(each_of(_DAY_SPREADS, _STEPS, _WEEKDAY_SPREADS))) ** 2
    luck, step, week = spreads.T[:, :, None, None]
    usual = _LEVEL**2 + step * wanders + week * alike
    seen = usual[:, :-1, :-1] + luck * np.eye(len(dates)) + np.diag(1 / np.maximum(visits, 1.0))
    lower = np.linalg.cholesky(seen)
    pull = np.linalg.solve(lower, np.broadcast_to(np.log(busy)[:, None], (len(spreads), len(dates), 1)))[:, :, 0]
    reach = np.linalg.solve(lower, usual[:, :-1, -1:])[:, :, 0]
    evidence = -0.5 * (pull**2).sum(axis=1) - np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
    likely, mean = softmax(evidence), (reach * pull).sum(axis=1)
    return float(likely @ np.exp(mean + spreads[:, 0] / 2)), float(likely @ np.sqrt(spreads[:, 0]))
