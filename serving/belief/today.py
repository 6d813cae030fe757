"""How today differs from a usual day: the pace at which visits come, and how demand drifts through the hours.

The pace may change in the middle of a day, as when a crowd comes. So it is followed by Bayesian online change-point
detection (Adams and MacKay, arXiv 0710.3742, 2007) with gamma-Poisson counts: the time since the last change is
unknown and carried along with its probability, and each hypothesis has a gamma posterior of the pace.

The drift is one effect for the whole shelf in each hour, beside what the hour usually adds. An hour is like the hours
beside it, so a change is followed within an hour or two, and the afternoon says little of the next morning. Hours may
drift far on the first day. Later their usual effects are known, and they hardly drift unless past days show otherwise.
"""

import math
from dataclasses import dataclass

import numba
import numpy as np

from catalog.arrays import Floats
from serving.belief.gaussian import Counts
from serving.belief.posterior import binomial
from serving.belief.sales import Sales

_CHANGES_A_TICK = 1 / 1000  # chance that the pace changes at a tick
_PACE_AFTER_A_CHANGE = 2.0  # shape of the gamma prior of a pace that has changed
PRODUCT_SPREAD, _ODD_SPREAD = 0.03, 0.5  # of a product's visits on a usual and on an odd day, as a share
_ODD_DAYS = 0.02  # share of a product's days that are odd
_NOBODY = 1e-12  # visits, where none are expected
_SURE = 700.0  # log odds beyond which nothing changes
_LEAST_ODDS = 1e-300  # of a hypothesis: one at 0 could never come back, and all of them may fall there at once
PRIOR_VISITS = 1.0
"""Weight of the visits expected of a product before any were counted, in visits."""


@dataclass(frozen=True)
class Footfall:
    """What is known of a store day's visits before it begins.

    Attributes
    ----------
    daily
        Visits to each product on a store day, shape (n_products,).
    profile
        Share of them in each tick, sums to 1, shape (n_ticks,).
    store_days
        Store days that were counted.
    day_spread
        Standard deviation of a day's visits around what is usual, as a share.
    """

    daily: Floats
    profile: Floats
    store_days: float
    day_spread: float

    @property
    def by_tick(self) -> Floats:
        """Visits expected on a usual store day, shape (n_products, n_ticks)."""
        return self.daily[:, None] * self.profile

    def given(self, seen: Floats, n_stores: int) -> Floats:
        """Return the visits expected in every tick of a store day, given those of its first ticks.

        Parameters
        ----------
        seen
            Visits so far, all stores together, shape (n_products, n_ticks so far).
        n_stores
            Stores that share the footfall.
        """
        ticks = seen.shape[1]
        if not ticks:
            return self.by_tick
        usual = n_stores * self.by_tick[:, :ticks]
        first = 1 / (self.day_spread**2 + 1 / (PRIOR_VISITS + self.store_days * self.daily.sum()))
        paces = _paces(seen.sum(axis=0), usual.sum(axis=0), first, _CHANGES_A_TICK)
        doubts = 1 / (PRIOR_VISITS + self.store_days * self.daily)  # of the shares themselves, which were counted
        factor = _factors(seen.sum(axis=1), (usual * paces[:ticks]).sum(axis=1), doubts)
        return self.by_tick * factor[:, None] * paces[-1]


@numba.njit(cache=True, nogil=True)
def _factors(counts: Floats, expected: Floats, doubts: Floats) -> Floats:
    """Return how many more come to each product than its share, shape (n_products,).

    Two gamma-Poisson hypotheses are mixed: the day is usual for the product, or it is an odd one. `doubts` says how far
    off its share may be, as a share squared.
    """
    factors = np.empty(len(counts))
    for own in range(len(counts)):
        coming = max(expected[own], _NOBODY)
        usual, odd = 1 / (PRODUCT_SPREAD**2 + doubts[own]), 1 / (_ODD_SPREAD**2 + doubts[own])
        for_usual = _log_negative_binomial(counts[own], coming, usual, usual)
        for_odd = _log_negative_binomial(counts[own], coming, odd, odd)
        is_odd = 1 / (1 + (1 - _ODD_DAYS) / _ODD_DAYS * math.exp(min(for_usual - for_odd, _SURE)))
        factors[own] = (1 - is_odd) * (usual + counts[own]) / (usual + coming)
        factors[own] += is_odd * (odd + counts[own]) / (odd + coming)
    return factors


@numba.njit(cache=True, nogil=True)
def _paces(counts: Floats, usual: Floats, first_shape: float, changes: float) -> Floats:
    """Return the pace expected after each tick, over what is usual, and once more the last one, shape (n_ticks + 1,).

    Parameters
    ----------
    counts, usual
        Visits that came and that usually do, shape (n_ticks,).
    first_shape
        Shape of the gamma prior of the pace at opening, whose mean is 1.
    changes
        Chance that the pace changes at a tick.
    """
    n_ticks = len(counts)
    shapes, rates = np.empty(n_ticks + 1), np.empty(n_ticks + 1)
    odds, paces = np.empty(n_ticks + 1), np.empty(n_ticks + 1)
    shapes[0] = rates[0] = first_shape
    odds[0] = 1.0
    likely = np.empty(n_ticks + 1)
    for tick in range(n_ticks):
        expected = max(usual[tick], _NOBODY)
        shapes[tick + 1] = rates[tick + 1] = _PACE_AFTER_A_CHANGE
        odds[tick + 1] = changes
        odds[: tick + 1] *= 1 - changes
        for run in range(tick + 2):
            likely[run] = _log_negative_binomial(counts[tick], expected, shapes[run], rates[run])
            shapes[run] += counts[tick]
            rates[run] += expected
        odds[: tick + 2] *= np.exp(likely[: tick + 2] - likely[: tick + 2].max())
        odds[: tick + 2] /= odds[: tick + 2].sum()
        odds[: tick + 2] = np.maximum(odds[: tick + 2], _LEAST_ODDS)
        paces[tick] = (odds[: tick + 2] * shapes[: tick + 2] / rates[: tick + 2]).sum()
    paces[n_ticks] = paces[n_ticks - 1]
    return paces


@numba.njit(cache=True, nogil=True)
def last_paces(counts: Floats, usual: Floats, first_shapes: Floats, changes: float) -> Floats:
    """Return the pace of each row of counts after its last column, over what is usual, shape (n_rows,).

    Parameters
    ----------
    counts, usual
        Visits that came and that usually do, shape (n_rows, n_columns).
    first_shapes
        Shape of the gamma prior of each row's pace, whose mean is 1, shape (n_rows,).
    changes
        Chance that a pace changes from one column to the next.
    """
    last = np.empty(len(counts))
    for row in range(len(counts)):
        last[row] = _paces(counts[row], usual[row], first_shapes[row], changes)[-1]
    return last


@numba.njit(cache=True, nogil=True)
def _log_negative_binomial(count: float, expected: float, shape: float, rate: float) -> float:
    """Log chance of a count whose Poisson mean is `expected` times a gamma pace, up to a term without the pace."""
    total = rate + expected
    return (
        math.lgamma(shape + count)
        - math.lgamma(shape)
        + shape * math.log(rate / total)
        + count * math.log(expected / total)
    )


FIRST_DAY, USUAL = 1.0, 0.1
"""Spread of the drift, in log odds: while no day was seen, and afterwards until days show another one."""

_TRIED = (0.03, 0.3, 0.6)
_LEAST_DAYS = 3  # fewer are explained by the usual effects of hours

_LENGTH = 2.0  # hours over which an effect changes
_ALONE = 0.01  # variance of an hour that is like no other, as a share
_STEPS, _LONGEST_STEP, _CLOSE = 8, 1.0, 1e-4


def alike_hours(n_hours: int, alone: float) -> Floats:
    """Return the covariance of effects of hours, each like the hours beside it, shape (n_hours, n_hours).

    `alone` is what each adds that no other hour shares; the rest has variance 1.
    """
    apart = np.arange(n_hours)[:, None] - np.arange(n_hours)
    return np.asarray(np.exp(-0.5 * (apart / _LENGTH) ** 2) + alone * np.eye(n_hours))


def hour_drift(odds: Floats, today: Counts, hours: Floats, spread: float) -> Floats:
    """Return the likeliest drift of each hour given today's sales, in log odds, shape (n_hours,).

    It is the mode of a Gaussian process over the hours; those to come follow from those that were seen.

    Parameters
    ----------
    odds
        Log odds of a sale at the knots, hours apart, shape (n_products, n_knots).
    today
        What was sold so far, shape (n_hours, n_products, n_knots).
    hours
        What each hour usually adds, shape (n_hours, n_products).
    spread
        Standard deviation of the drift, in log odds.
    """
    n_hours = len(hours)
    covariance = spread**2 * alike_hours(n_hours, _ALONE)
    drift = np.zeros(n_hours)
    for _ in range(_STEPS):
        shifted = odds + hours[:, :, None] + drift[:, None, None]
        gradient, weight = (cells.sum(axis=(1, 2)) for cells in binomial(shifted, today.met, today.bought)[1:])
        mode = np.linalg.solve(np.eye(n_hours) + covariance * weight, covariance @ (weight * drift + gradient))
        step = np.clip(mode - drift, -_LONGEST_STEP, _LONGEST_STEP)
        drift = drift + step
        if np.abs(step).max() < _CLOSE:
            break
    return np.asarray(drift)


def likeliest_spread(sales: Sales, odds: Floats, clearly: float) -> float:
    """Return the spread of the drift under which past days were likeliest, in log odds.

    Each day has a drift of its own, integrated out by Laplace's approximation around none.

    Parameters
    ----------
    odds
        Log odds of each row of sales without a drift, shape (n_rows,).
    clearly
        Log evidence by which another spread than the usual one must be better.
    """
    n_days, n_hours = len(sales.dates), sales.n_hours
    if n_days < _LEAST_DAYS:
        return USUAL
    cell = sales.day * n_hours + sales.hour
    gradient, weight = (
        np.bincount(cell, rows, n_days * n_hours).reshape(n_days, n_hours)
        for rows in binomial(odds, sales.met, sales.bought)[1:]
    )
    alike = alike_hours(n_hours, _ALONE)

    def log_evidence(spread: float) -> float:
        covariance = spread**2 * alike
        system = np.eye(n_hours) + weight[:, :, None] * covariance
        moved = covariance @ np.linalg.solve(system, gradient[:, :, None])
        return 0.5 * float((gradient * moved[:, :, 0]).sum() - np.linalg.slogdet(system)[1].sum())

    found = {spread: log_evidence(spread) for spread in _TRIED}
    best = max(found, key=lambda spread: found[spread])
    return best if found[best] > log_evidence(USUAL) + clearly else USUAL
