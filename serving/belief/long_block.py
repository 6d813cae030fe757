"""The same as `serving.belief.learned_block` at a third of the cost, for the blocks of a long shelf.

Curves are each product's, effects enter alike: the parts of the latter are summed before they are turned to latent
numbers. Sums are matrix products over all products at once. The step back from the shared part to the
products forms no matrix that it does not use. So last bits differ from those of a short shelf, which stay as they were.
"""

from functools import cached_property

import numpy as np

from catalog.arrays import Floats
from serving.belief.inverse import inverse_of_lower
from serving.belief.likelihood import Likelihood
from serving.belief.normals import Normals, Roots


class LongBlock:
    """Products of a long shelf at a point: their days are eliminated, then they themselves.

    Attributes
    ----------
    log, half_log_volume, promised
        As in `LearnedBlock`.
    """

    def __init__(self, roots: Roots, found: Likelihood, at: Normals) -> None:
        """Eliminate all that is their own."""
        self._roots, self.log, self._found = roots, found.log, found
        self._free = 1 / (1 + roots.own_day**2 * found.weight_of_day)  # variance left of a product's own part of a day
        self._slope_days = roots.own_day * found.slope_of_day - at.own_days
        by_day = found.weight_by_day * self._free[:, None]
        weight = found.weight - roots.own_day**2 * by_day @ found.weight_by_day.swapaxes(1, 2)
        self._weight = np.concatenate([weight, by_day], axis=2)
        pull = roots.own_day * self._free * self._slope_days
        self._slope = found.slope - (found.weight_by_day @ pull[:, :, None])[:, :, 0]
        self._slope_of_day = (found.slope_of_day - found.weight_of_day * pull).sum(axis=0)
        self._through = self._to_own(self._weight)
        curvature = self._to_own(self._through[:, :, : weight.shape[1]].swapaxes(1, 2))
        factor = np.asarray(np.linalg.cholesky(np.eye(at.own.shape[1]) + curvature), dtype=float)
        self._lower = inverse_of_lower(factor)
        self._own = self._lower @ (self._to_own(self._slope[:, :, None]) - at.own[:, :, None])
        half = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum() - 0.5 * np.log(self._free).sum()
        self.half_log_volume = float(half)
        self.promised = 0.5 * float((self._own**2).sum() + (self._free * self._slope_days**2).sum())

    def _to_own(self, of_coefficients: Floats) -> Floats:
        """Turn the coefficients' axis, the second one, to that of their own numbers."""
        roots, n_knots = self._roots, self._roots.own_curve.shape[1]
        curve = roots.own_curve.swapaxes(1, 2) @ of_coefficients[:, :n_knots]
        return np.concatenate([curve, roots.own_effects.T @ of_coefficients[:, n_knots:]], axis=1)

    @cached_property
    def _reach(self) -> Floats:
        """Curvature between their own numbers, scaled to curve by 1, and curves, effects and days of the shelf."""
        n_knots, reach = self._roots.own_curve.shape[1], self._lower @ self._through
        return np.concatenate([reach[:, :, :n_knots] @ self._roots.shared_curve, reach[:, :, n_knots:]], axis=2)

    @cached_property
    def _shared(self) -> Floats:
        """What a unit of each number that is shared adds to the shelf's curves, effects and days."""
        n_curve, n_effects = self._roots.shared_curve.shape[2], len(self._roots.shared_effects)
        shared = self._roots.shared_day * np.eye(n_curve + n_effects + self._free.shape[1])
        shared[:n_curve, :n_curve] = np.eye(n_curve)
        shared[n_curve : n_curve + n_effects, n_curve : n_curve + n_effects] = self._roots.shared_effects
        return shared

    def add_to(self, curvature: Floats, slope: Floats) -> None:
        """Add what these products say of what is shared, in the lower triangle of the curvature."""
        roots, found, (n_knots, n_curve) = self._roots, self._found, self._roots.shared_curve.shape[1:]
        size, reach = found.slope.shape[1], self._reach.reshape(-1, len(slope))
        curves = roots.shared_curve.reshape(-1, n_curve)
        of_knots = self._weight[:, :n_knots]
        by_curves = np.concatenate([of_knots[:, :, :n_knots] @ roots.shared_curve, of_knots[:, :, n_knots:]], axis=2)
        days = np.arange(-self._free.shape[1], 0)
        both = -(reach.T @ reach)
        both[:, :n_curve] += by_curves.reshape(-1, len(slope)).T @ curves
        both[n_curve:, n_curve : n_curve + size - n_knots] += self._weight[:, n_knots:, n_knots:].sum(axis=0).T
        both[days, days] += (self._free * found.weight_of_day).sum(axis=0)
        curvature += self._shared.T @ both @ self._shared
        own = [curves.T @ self._slope[:, :n_knots].ravel(), self._slope[:, n_knots:].sum(axis=0), self._slope_of_day]
        slope += self._shared.T @ (np.concatenate(own) - reach.T @ self._own.ravel())

    def step(self, shared: Floats) -> tuple[Floats, Floats]:
        """Return the step of their own numbers and of their days, given that of all that is shared."""
        roots, found, (n_knots, n_curve) = self._roots, self._found, self._roots.shared_curve.shape[1:]
        moved = self._shared @ shared
        effects = np.broadcast_to(moved[n_curve:], (len(self._free), len(moved) - n_curve))
        both = np.concatenate([roots.shared_curve @ moved[:n_curve], effects], axis=1)
        own = self._lower.swapaxes(1, 2) @ (self._own - self._lower @ (self._through @ both[:, :, None]))
        size, n_own, days = found.slope.shape[1], roots.own_curve.shape[2], moved[len(moved) - self._free.shape[1] :]
        both[:, :n_knots] += (roots.own_curve @ own[:, :n_own])[:, :, 0]
        both[:, n_knots:size] += own[:, n_own:, 0] @ roots.own_effects.T
        through = (found.weight_by_day.swapaxes(1, 2) @ both[:, :size, None])[:, :, 0] + found.weight_of_day * days
        return own[:, :, 0], self._free * (self._slope_days - roots.own_day * through)

    def left(self, shared_factor: Floats) -> tuple[Floats, Floats]:
        """Return what is left of each product's coefficients, as `LearnedBlock` does."""
        half, turned = self._lower @ self._roots.own.swapaxes(1, 2), np.linalg.inv(shared_factor).T
        reach = self._roots.shared @ turned[: self._roots.shared.shape[2]]
        reach -= half.swapaxes(1, 2) @ (self._reach @ (self._shared @ turned))
        return half.swapaxes(1, 2) @ half, reach
