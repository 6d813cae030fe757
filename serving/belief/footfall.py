"""Who is still to come: the usual profile of a day, times a pace that the day's own visits update.

The pace may change in the middle of a day, as when a crowd comes. So it is followed by Bayesian online change-point
detection (Adams and MacKay, arXiv 0710.3742, 2007) with gamma-Poisson counts: the time since the last change is
unknown and carried along with its probability, and each hypothesis has a gamma posterior of the pace.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln, logsumexp

from catalog.arrays import Floats

_CHANGES_A_TICK = 1 / 1000  # chance that the pace changes at a tick
_PACE_AFTER_A_CHANGE = 2.0  # shape of the gamma prior of a pace that has changed
_PRODUCT_SPREAD, _ODD_SPREAD = 0.03, 0.5  # of a product's visits on a usual and on an odd day, as a share
_ODD_DAYS = 0.02  # share of a product's days that are odd
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
        factor = self._factors(seen.sum(axis=1), (usual * paces[:ticks]).sum(axis=1))
        return self.by_tick * factor[:, None] * paces[-1]

    def _factors(self, counts: Floats, expected: Floats) -> Floats:
        """Return how many more come to each product than its share, shape (n_products,).

        Two gamma-Poisson hypotheses are mixed: the day is usual for the product, or it is an odd one.
        """
        likely, means = [], []
        doubt = 1 / (1 + self.store_days * self.daily)  # of the share itself, which was counted
        for share, spread in ((1 - _ODD_DAYS, _PRODUCT_SPREAD), (_ODD_DAYS, _ODD_SPREAD)):
            shape = 1 / (spread**2 + doubt)
            likely.append(np.log(share) + _log_negative_binomial(counts, np.maximum(expected, 1e-12), shape, shape))
            means.append((shape + counts) / (shape + expected))
        odd = expit(likely[1] - likely[0])
        return np.asarray((1 - odd) * means[0] + odd * means[1])


def _paces(counts: Floats, usual: Floats, first_shape: float) -> Floats:
    """Return the pace expected after each tick, over what is usual, and once more the last one, shape (n_ticks + 1,).

    Parameters
    ----------
    counts, usual
        Visits that came and that usually do, shape (n_ticks,).
    first_shape
        Shape of the gamma prior of the pace at opening, whose mean is 1.
    """
    shapes, rates, odds = np.array([first_shape]), np.array([first_shape]), np.zeros(1)
    paces = []
    for count, expected in zip(counts, np.maximum(usual, 1e-12), strict=True):
        likely = odds + _log_negative_binomial(count, expected, shapes, rates)
        anew = logsumexp(odds) + _log_negative_binomial(count, expected, *([np.array([_PACE_AFTER_A_CHANGE])] * 2))
        odds = np.concatenate([likely + np.log1p(-_CHANGES_A_TICK), anew + np.log(_CHANGES_A_TICK)])
        odds -= logsumexp(odds)
        shapes = np.append(shapes, _PACE_AFTER_A_CHANGE) + count
        rates = np.append(rates, _PACE_AFTER_A_CHANGE) + expected
        paces.append(float(np.exp(odds) @ (shapes / rates)))
    return np.array([*paces, paces[-1]])


def _log_negative_binomial(count: Floats | float, expected: Floats | float, shapes: Floats, rates: Floats) -> Floats:
    """Log chance of a count whose Poisson mean is `expected` times a gamma pace, up to a term without the pace."""
    return np.asarray(
        gammaln(shapes + count)
        - gammaln(shapes)
        + shapes * np.log(rates / (rates + expected))
        + count * np.log(expected / (rates + expected))
    )
