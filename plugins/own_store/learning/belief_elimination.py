"""The linear algebra of the belief from units: one Newton step, and what is left uncertain.

A row is a product in a store in a period. Its log rate is a level of the store and product, a shock of the store and
period, an effect of the chain in the period, and the product's slope x log price ratio. Levels and shocks of different
stores meet only through what the chain shares. So each store is eliminated by itself: its levels first, which meet one
another only through its shocks, then its shocks, as many as there are periods. What is left is a dense system of the
shared terms, small enough to be solved and inverted exactly (block elimination: Bates and DebRoy, "Linear mixed models
and penalized least squares", Journal of Multivariate Analysis 91(1), 2004).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from catalog.arrays import Floats


@dataclass(frozen=True)
class Curvatures:
    """The second derivative of the log posterior, with its sign turned, in its blocks.

    Attributes
    ----------
    weights
        Of each row, in its log rate, shape (n_products, n_stores, n_periods).
    log_ratios
        Log of price over owner's price, shape as `weights`.
    covariates
        What else multiplies a coefficient that all products share, shape (n_covariates, n_products, n_stores,
        n_periods).
    level_precision
        Of the prior of each level.
    shock_precision
        Of the prior of a store's shocks, shape (n_periods, n_periods); None without shocks.
    shared_precision
        Of the prior of the shared terms: slopes, effects of periods, covariates, and what stands above them in the
        prior alone; shape (n_shared, n_shared).
    """

    weights: Floats
    log_ratios: Floats
    covariates: Floats
    level_precision: float
    shock_precision: Floats | None
    shared_precision: Floats

    @cached_property
    def of_levels(self) -> Floats:
        """Curvature in each level, shape (n_products, n_stores)."""
        return np.asarray(self.weights.sum(axis=2) + self.level_precision)

    @cached_property
    def _levels_by_terms(self) -> list[Floats]:
        """How levels meet slopes and covariates, each shape (n_products, n_stores)."""
        return [(self.weights * term).sum(axis=2) for term in (self.log_ratios, *self.covariates)]

    @cached_property
    def of_shared(self) -> Floats:
        """Curvature in the shared terms once levels and shocks are eliminated, shape (n_shared, n_shared)."""
        reduced = self._without_levels.copy()
        if self.shock_precision is not None:
            reduced -= np.tensordot(self.shocks_by_shared, self.shocks_solved, axes=((0, 1), (0, 1)))
        return np.asarray((reduced + reduced.T) / 2)

    @cached_property
    def _without_levels(self) -> Floats:
        """Curvature in the shared terms once levels are eliminated."""
        n_products, _, n_periods = self.weights.shape
        slopes, periods = slice(0, n_products), slice(n_products, n_products + n_periods)
        curved, each = self.shared_precision.copy(), np.arange(n_products)
        by_slope, *by_covariates = self._levels_by_terms
        share = self.weights / self.of_levels[:, :, None]
        curved[each, each] += (self.weights * self.log_ratios**2).sum(axis=(1, 2))
        curved[each, each] -= (by_slope**2 / self.of_levels).sum(axis=1)
        crossed = (self.weights * self.log_ratios - share * by_slope[:, :, None]).sum(axis=1)
        curved[slopes, periods] += crossed
        curved[periods, slopes] += crossed.T
        rows = self.weights.reshape(-1, n_periods)
        curved[periods, periods] += np.diag(rows.sum(axis=0)) - rows.T @ share.reshape(-1, n_periods)
        for number, (term, of_levels) in enumerate(zip(self.covariates, by_covariates, strict=True)):
            place = n_products + n_periods + number
            left = self.weights * term - share * of_levels[:, :, None]
            columns = np.zeros(len(curved))
            columns[slopes] = (left * self.log_ratios).sum(axis=(1, 2))
            columns[periods] = left.sum(axis=(0, 1))
            for other, further in enumerate(self.covariates[: number + 1]):
                columns[n_products + n_periods + other] = (left * further).sum()
            curved[place, : place + 1] += columns[: place + 1]
            curved[:place, place] += columns[:place]
        return curved

    @cached_property
    def of_shocks(self) -> Floats:
        """Curvature in each store's shocks once levels are eliminated, shape (n_stores, n_periods, n_periods)."""
        return self._shocks_by_periods + (0.0 if self.shock_precision is None else self.shock_precision)

    @cached_property
    def _shocks_by_periods(self) -> Floats:
        by_store = self.weights.swapaxes(0, 1)
        share = by_store / self.of_levels.T[:, :, None]
        met = -(by_store.swapaxes(1, 2) @ share)
        each = np.arange(met.shape[1])
        met[:, each, each] += by_store.sum(axis=1)
        return np.asarray(met)

    @cached_property
    def shocks_by_shared(self) -> Floats:
        """How shocks meet the shared terms once levels are eliminated, shape (n_stores, n_periods, n_shared)."""
        n_products, n_stores, n_periods = self.weights.shape
        met = np.zeros((n_stores, n_periods, len(self.shared_precision)))
        by_slope, *by_covariates = self._levels_by_terms
        share = self.weights / self.of_levels[:, :, None]
        met[:, :, :n_products] = (self.weights * self.log_ratios - share * by_slope[:, :, None]).transpose(1, 2, 0)
        met[:, :, n_products : n_products + n_periods] = self._shocks_by_periods
        for number, (term, of_levels) in enumerate(zip(self.covariates, by_covariates, strict=True)):
            left = self.weights * term - share * of_levels[:, :, None]
            met[:, :, n_products + n_periods + number] = left.sum(axis=0)
        return met

    @cached_property
    def shocks_solved(self) -> Floats:
        """Curvature of shocks solved for how they meet the shared terms, shape (n_stores, n_periods, n_shared)."""
        return np.asarray(np.linalg.solve(self.of_shocks, self.shocks_by_shared))

    def step(self, of_levels: Floats, of_shocks: Floats, of_shared: Floats) -> tuple[Floats, Floats, Floats]:
        """Solve for the step that a gradient asks for.

        Parameters
        ----------
        of_levels, of_shocks, of_shared
            Gradient of the log posterior, shapes (n_products, n_stores), (n_stores, n_periods) and (n_shared,).

        Returns
        -------
        levels, shocks, shared
            Of the same shapes.
        """
        part = of_levels / self.of_levels
        seen_by_shocks = of_shocks - np.einsum("pst,ps->st", self.weights, part)
        seen_by_shared = of_shared - self._terms_of_rows(self.weights * part[:, :, None])
        shocks = np.zeros_like(of_shocks)
        if self.shock_precision is None:
            shared = self._solve(seen_by_shared)
        else:
            alone = np.linalg.solve(self.of_shocks, seen_by_shocks[:, :, None])[:, :, 0]
            shared = self._solve(seen_by_shared - np.einsum("sti,st->i", self.shocks_by_shared, alone))
            shocks = alone - self.shocks_solved @ shared
        moved = self.weights * (rates_of(shared, self.log_ratios, self.covariates) + shocks)
        return part - moved.sum(axis=2) / self.of_levels, shocks, shared

    def _terms_of_rows(self, of_rows: Floats) -> Floats:
        return gradient_of_shared(of_rows, self.log_ratios, self.covariates, len(self.shared_precision))

    @cached_property
    def covariance(self) -> Floats:
        """Covariance of the shared terms, all else uncertain too, shape (n_shared, n_shared)."""
        return self._solve(np.eye(len(self.shared_precision)))

    @cached_property
    def shocks_covariance(self) -> Floats:
        """Covariance of each store's shocks, shape (n_stores, n_periods, n_periods)."""
        through = self.shocks_solved @ self.covariance @ self.shocks_solved.swapaxes(1, 2)
        return np.asarray(np.linalg.inv(self.of_shocks) + through)

    @cached_property
    def _factor(self) -> Floats:
        return np.asarray(cho_factor(self.of_shared)[0])

    def _solve(self, right: Floats) -> Floats:
        return np.asarray(cho_solve((self._factor, False), right))


def rates_of(shared: Floats, log_ratios: Floats, covariates: Floats) -> Floats:
    """Return what the shared terms add to the log rate of each row, shape (n_products, n_stores, n_periods)."""
    n_products, _, n_periods = log_ratios.shape
    rates = shared[:n_products, None, None] * log_ratios + shared[n_products : n_products + n_periods]
    for coefficient, term in zip(shared[n_products + n_periods :], covariates, strict=False):
        rates = rates + coefficient * term
    return np.asarray(rates)


def gradient_of_shared(of_rows: Floats, log_ratios: Floats, covariates: Floats, n_shared: int) -> Floats:
    """Return the gradient in the shared terms, shape (n_shared,), of that in the log rate of each row."""
    n_products, _, n_periods = of_rows.shape
    gradient = np.zeros(n_shared)
    gradient[:n_products] = (of_rows * log_ratios).sum(axis=(1, 2))
    gradient[n_products : n_products + n_periods] = of_rows.sum(axis=(0, 1))
    for number, term in enumerate(covariates):
        gradient[n_products + n_periods + number] = (of_rows * term).sum()
    return gradient
