"""What differs from week to week in an outside store whatever its prices are. Every draw is keyed by seed and week."""

from dataclasses import dataclass

import numpy as np

from evaluation.outside_store.stores.outside_world import WEEK, Floats, Ints

WEEKDAYS = np.array([0.82, 0.84, 0.90, 1.00, 1.28, 1.44, 0.72])
"""Demand of each weekday over the mean one, Monday first, shape (7,)."""
_SEASON = 0.10  # amplitude of the year, as a share
_YEAR = 52.0  # weeks
_CHAIN_SD = 0.08  # of the log of a week's demand in all stores
_LOCAL_SD, _LOCAL_RHO = 0.15, 0.7  # of the log of a week's demand in one store
_SHAPE = 56.0  # of the negative binomial of a week's units
SHELF, _CHAIN, _LOCAL, _FRAILTY, _DAYS = range(5)
"""Random streams, one for each purpose."""


def stream(seed: int, purpose: int, week: int = 0) -> np.random.Generator:
    """Return the random stream of a purpose in a week."""
    return np.random.default_rng(np.random.SeedSequence((seed, purpose, week)))


@dataclass(frozen=True)
class StoreLuck:
    """The luck of some stores.

    A week's mean demand is multiplied by a season that is known, by a chain-wide effect, and where `has_local_shocks`
    by a shock that lasts (AR(1)), of each store, or of each product in it where `is_by_product`; all have mean 1. Given
    its mean, a week's units are negative binomial: Poisson by day, times a gamma variable of shape 56 for each store,
    product and week.
    """

    seed: int
    n_stores: int
    n_products: int
    has_local_shocks: bool = False
    is_by_product: bool = False

    def season(self, week: int) -> float:
        """Return the expected demand of a week over that of a mean week."""
        return 1 + _SEASON * float(np.sin(2 * np.pi * week / _YEAR))

    def sell(self, week: int, mean_units: Floats) -> Ints:
        """Return units by day, shape (7, n_stores, n_products).

        Each cell has uniform numbers of its own, so one product's price never moves another one's luck.

        Parameters
        ----------
        mean_units
            Of an average week, shape (n_stores, n_products).
        """
        gamma = stream(self.seed, _FRAILTY, week).gamma(_SHAPE, 1 / _SHAPE, mean_units.shape)
        week_mean = mean_units * gamma * self._effects(week) * self.season(week)
        uniform = stream(self.seed, _DAYS, week).random((WEEK, *mean_units.shape))
        return poisson_of(uniform, week_mean * WEEKDAYS[:, None, None] / WEEKDAYS.sum())

    def _effects(self, week: int) -> Floats:
        """Return the factor of a week's demand, mean 1, shape (n_stores, 1) or (n_stores, n_products)."""
        chain = _CHAIN_SD * stream(self.seed, _CHAIN, week).standard_normal()
        shape = (self.n_stores, self.n_products if self.is_by_product else 1)
        effect = np.full(shape, chain - _CHAIN_SD**2 / 2)
        if self.has_local_shocks:
            shocks = [stream(self.seed, _LOCAL, past).standard_normal(shape) for past in range(week + 1)]
            state = shocks[0]
            for shock in shocks[1:]:
                state = _LOCAL_RHO * state + np.sqrt(1 - _LOCAL_RHO**2) * shock
            effect += _LOCAL_SD * state - _LOCAL_SD**2 / 2
        return np.exp(effect)


def poisson_of(uniform: Floats, mean: Floats) -> Ints:
    """Return the Poisson quantile of each uniform number, which never falls as the mean rises; shapes are equal."""
    term = np.exp(-mean)
    below, units = term.copy(), np.zeros(mean.shape, dtype=np.int64)
    most = int(mean.max(initial=0.0) + 12 * np.sqrt(mean.max(initial=0.0)) + 20)
    for count in range(1, most):
        left = uniform >= below
        if not left.any():
            break
        units += left
        term = term * (mean / count)
        below += term
    return units
