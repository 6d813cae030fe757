"""Who is still to come: the usual profile of a day, times a pace that the day's own visits update.

The pace may change in the middle of a day, as when a crowd comes. So it is followed by Bayesian online change-point
detection (Adams and MacKay, arXiv 0710.3742, 2007) with gamma-Poisson counts: the time since the last change is
unknown and carried along with its probability, and each hypothesis has a gamma posterior of the pace.
"""

import math
from dataclasses import dataclass

import numba
import numpy as np

from catalog.arrays import Floats

_CHANGES_A_TICK = 1 / 1000  # chance that the pace changes at a tick
_PACE_AFTER_A_CHANGE = 2.0  # shape of the gamma prior of a pace that has changed
_PRODUCT_SPREAD, _ODD_SPREAD = 0.03, 0.5  # of a product's visits on a usual and on an odd day, as a share
_ODD_DAYS = 0.02  # share of a product's days that are odd
_NOBODY = 1e-12  # visits, where none are expected
_SURE = 700.0  # log odds beyond which nothing changes
_LEAST_ODDS = 1e-300  # of a hypothesis: one at 0 could never come back, and all of them may fall there at once
PRIOR_DAYS = 1 / 3
"""Weight of the visits expected before any were counted, in store days."""


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
        first = 1 / (self.day_spread**2 + 1 / (1 + self.store_days * self.daily.sum()))
        paces = _paces(seen.sum(axis=0), usual.sum(axis=0), first)
        doubts = 1 / (1 + self.store_days * self.daily)  # of the shares themselves, which were counted
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
        usual, odd = 1 / (_PRODUCT_SPREAD**2 + doubts[own]), 1 / (_ODD_SPREAD**2 + doubts[own])
        for_usual = _log_negative_binomial(counts[own], coming, usual, usual)
        for_odd = _log_negative_binomial(counts[own], coming, odd, odd)
        is_odd = 1 / (1 + (1 - _ODD_DAYS) / _ODD_DAYS * math.exp(min(for_usual - for_odd, _SURE)))
        factors[own] = (1 - is_odd) * (usual + counts[own]) / (usual + coming)
        factors[own] += is_odd * (odd + counts[own]) / (odd + coming)
    return factors


@numba.njit(cache=True, nogil=True)
def _paces(counts: Floats, usual: Floats, first_shape: float) -> Floats:
    """Return the pace expected after each tick, over what is usual, and once more the last one, shape (n_ticks + 1,).

    Parameters
    ----------
    counts, usual
        Visits that came and that usually do, shape (n_ticks,).
    first_shape
        Shape of the gamma prior of the pace at opening, whose mean is 1.
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
        odds[tick + 1] = _CHANGES_A_TICK
        odds[: tick + 1] *= 1 - _CHANGES_A_TICK
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
def _log_negative_binomial(count: float, expected: float, shape: float, rate: float) -> float:
    """Log chance of a count whose Poisson mean is `expected` times a gamma pace, up to a term without the pace."""
    total = rate + expected
    return (
        math.lgamma(shape + count)
        - math.lgamma(shape)
        + shape * math.log(rate / total)
        + count * math.log(expected / total)
    )
