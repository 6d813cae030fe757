"""Products at a point of Newton's method: their days are eliminated, then they themselves."""

import numpy as np

from catalog.arrays import Floats
from serving.belief.inverse import inverse_of_lower
from serving.belief.likelihood import Likelihood
from serving.belief.normals import Normals, Roots


class LearnedBlock:
    """Products at a point: their days are eliminated, then they themselves.

    Attributes
    ----------
    log, half_log_volume
        Log likelihood of their sales, and half the log determinant of their curvature.
    promised
        Log density that a step of their own numbers gains by the curvature; on a short shelf nobody asks.
    """

    promised = np.inf

    def __init__(self, roots: Roots, found: Likelihood, at: Normals) -> None:
        """Eliminate all that is their own."""
        n_own, n_shared, days = at.own.shape[1], len(at.shared), np.arange(len(at.shared_days))
        by_own, by_shared = roots.own.swapaxes(1, 2), roots.shared.swapaxes(1, 2)
        self._roots, self.log, self._found = roots, found.log, found
        self._slope_days = roots.own_day * found.slope_of_day - at.own_days
        self._of_days = 1 + roots.own_day**2 * found.weight_of_day
        self._days_own = roots.own_day * by_own @ found.weight_by_day
        self._days_shared = np.zeros((len(at.own), n_shared + len(days), len(days)))
        self._days_shared[:, :n_shared] = roots.own_day * by_shared @ found.weight_by_day
        self._days_shared[:, n_shared + days, days] = roots.own_day * roots.shared_day * found.weight_of_day
        part = self._days_own / self._of_days[:, None]
        weight = by_own @ found.weight
        own_own = np.eye(n_own) + weight @ roots.own - part @ self._days_own.swapaxes(1, 2)
        by_days = roots.shared_day * by_own @ found.weight_by_day
        self._own_shared = np.concatenate([weight @ roots.shared, by_days], axis=2)
        self._own_shared -= part @ self._days_shared.swapaxes(1, 2)
        slope = (by_own @ found.slope[:, :, None])[:, :, 0] - at.own
        self._slope_own = slope - (part @ self._slope_days[:, :, None])[:, :, 0]
        factor = np.asarray(np.linalg.cholesky(own_own), dtype=float)
        lower = inverse_of_lower(factor)
        self._covariance = lower.swapaxes(1, 2) @ lower
        half = 0.5 * np.log(self._of_days).sum() + np.log(np.diagonal(factor, axis1=1, axis2=2)).sum()
        self.half_log_volume = float(half)

    def add_to(self, curvature: Floats, slope: Floats) -> None:
        """Add what these products say of what is shared, in the lower triangle of the curvature."""
        roots, found, n_shared = self._roots, self._found, self._roots.shared.shape[2]
        by_shared, days = roots.shared.swapaxes(1, 2), np.arange(n_shared, len(slope))
        curvature[:n_shared, :n_shared] += (by_shared @ found.weight @ roots.shared).sum(axis=0)
        curvature[n_shared:, :n_shared] += (roots.shared_day * (by_shared @ found.weight_by_day).sum(axis=0)).T
        curvature[days, days] += roots.shared_day**2 * found.weight_of_day.sum(axis=0)
        slope[:n_shared] += (by_shared @ found.slope[:, :, None]).sum(axis=0)[:, 0]
        slope[n_shared:] += roots.shared_day * found.slope_of_day.sum(axis=0)
        part = self._days_shared / self._of_days[:, None]
        curvature -= (part @ self._days_shared.swapaxes(1, 2)).sum(axis=0)
        slope -= (part @ self._slope_days[:, :, None]).sum(axis=0)[:, 0]
        part = self._covariance @ self._own_shared
        curvature -= (self._own_shared.swapaxes(1, 2) @ part).sum(axis=0)
        slope -= (part.swapaxes(1, 2) @ self._slope_own[:, :, None]).sum(axis=0)[:, 0]

    def step(self, shared: Floats) -> tuple[Floats, Floats]:
        """Return the step of their own numbers and of their days, given that of all that is shared."""
        part = self._covariance @ self._own_shared
        own = (self._covariance @ self._slope_own[:, :, None])[:, :, 0] - part @ shared
        through = (self._days_own.swapaxes(1, 2) @ own[:, :, None])[:, :, 0]
        return own, (self._slope_days - through - self._days_shared.swapaxes(1, 2) @ shared) / self._of_days

    def left(self, shared_factor: Floats) -> tuple[Floats, Floats]:
        """Return what is left of each product's coefficients, as `own` and `shared` of `Gaussian` are.

        `shared_factor` is as in `Newton`.
        """
        roots = self._roots
        reach = np.zeros((*roots.shared.shape[:2], len(shared_factor)))
        reach[:, :, : roots.shared.shape[2]] = roots.shared
        reach -= roots.own @ (self._covariance @ self._own_shared)
        shared = np.linalg.solve(shared_factor, reach.swapaxes(1, 2)).swapaxes(1, 2)
        return roots.own @ self._covariance @ roots.own.swapaxes(1, 2), np.asarray(shared)
