"""The algebra behind `serving.belief.effects`: one Newton step, and what it leaves of every variance.

Latent numbers are standard normal beforehand, of four kinds: each product's own coefficients, its own effect of each
day, what the shelf shares, and the shelf's effect of each day. A product's days do not depend on each other once its
coefficients are known, and products not once the shelf is. So days are eliminated first, then products, and what is
left is one small system (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2.7 and
3.4). Time grows with products and days, never with the square of either together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from catalog.arrays import Floats
from serving.belief.gaussian import blocks_of
from serving.belief.likelihood import Likelihood


class Normals(NamedTuple):
    """The latent numbers, or steps in them.

    Attributes
    ----------
    own, own_days
        Of each product, shape (n_products, n_own) and (n_products, n_days).
    shared, shared_days
        Of the shelf, shape (n_shared,) and (n_days,).
    """

    own: Floats
    own_days: Floats
    shared: Floats
    shared_days: Floats

    @classmethod
    def none(cls, n_products: int, n_own: int, n_shared: int, n_days: int) -> "Normals":
        """Return what was believed beforehand: all are 0."""
        own, own_days = np.zeros((n_products, n_own)), np.zeros((n_products, n_days))
        return cls(own, own_days, np.zeros(n_shared), np.zeros(n_days))

    def near(self, others: "Normals") -> "Normals":
        """Return these with what is shared of others, and with their own numbers if they are of as many products."""
        if len(others.own) == len(self.own):
            return others
        return self._replace(shared=others.shared, shared_days=others.shared_days)

    def of(self, products: slice) -> "Normals":
        """Return those of some products, and all that is shared."""
        return self._replace(own=self.own[products], own_days=self.own_days[products])

    def moved(self, step: "Normals", size: float) -> "Normals":
        """Return these after a part of a step."""
        return Normals(*(now + size * by for now, by in zip(self, step, strict=True)))

    @property
    def log_prior(self) -> float:
        """Log density beforehand, up to a constant."""
        return -0.5 * float(sum((each**2).sum() for each in self))


@dataclass(frozen=True)
class Roots:
    """What one unit of each latent number adds to the coefficients of a product, or to the log odds of a day.

    Attributes
    ----------
    own_curve, shared_curve
        To the log odds at the knots, shape (n_products, n_knots, n_own or n_shared - n_effects).
    own_effects, shared_effects
        To the coefficients after them, alike for all products, by the latent numbers after those of the curve, shape
        (n_effects, n_effects).
    own_day, shared_day
        Standard deviations, in log odds.
    """

    own_curve: Floats
    shared_curve: Floats
    own_effects: Floats
    shared_effects: Floats
    own_day: float
    shared_day: float

    @cached_property
    def own(self) -> Floats:
        """All that is each product's own, shape (n_products, size, n_own)."""
        return _together(self.own_curve, self.own_effects)

    @cached_property
    def shared(self) -> Floats:
        """All that is shared, shape (n_products, size, n_shared)."""
        return _together(self.shared_curve, self.shared_effects)

    def coefficients(self, at: Normals) -> Floats:
        """Return the coefficients of each product, shape (n_products, size)."""
        n_own, n_shared = self.own_curve.shape[2], self.shared_curve.shape[2]
        curve = np.einsum("pnm,pm->pn", self.own_curve, at.own[:, :n_own]) + self.shared_curve @ at.shared[:n_shared]
        effects = at.own[:, n_own:] @ self.own_effects.T + self.shared_effects @ at.shared[n_shared:]
        return np.concatenate([curve, effects], axis=1)

    def days(self, at: Normals) -> Floats:
        """Return the level of each product on each day, shape (n_products, n_days)."""
        return self.own_day * at.own_days + self.shared_day * at.shared_days


def _together(curve: Floats, effects: Floats) -> Floats:
    n_products, n_knots, n_curve = curve.shape
    roots = np.zeros((n_products, n_knots + len(effects), n_curve + len(effects)))
    roots[:, :n_knots, :n_curve], roots[:, n_knots:, n_curve:] = curve, effects
    return roots


class Block:
    """Products at a point: their days are eliminated, then they themselves.

    Curves are each product's, effects enter alike: the parts of the latter are summed before they are turned to latent
    numbers. Sums are matrix products over all products at once.

    Attributes
    ----------
    log, half_log_volume
        Log likelihood of their sales, and half the log determinant of their curvature.
    promised
        Log density that a step of their own numbers gains by the curvature.
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
        self._lower = np.linalg.inv(factor)
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
        """Return what is left of each product's coefficients, as `own` and `shared` of `Gaussian` are.

        `shared_factor` is as in `Newton`.
        """
        half, turned = self._lower @ self._roots.own.swapaxes(1, 2), np.linalg.inv(shared_factor).T
        reach = self._roots.shared @ turned[: self._roots.shared.shape[2]]
        reach -= half.swapaxes(1, 2) @ (self._reach @ (self._shared @ turned))
        return half.swapaxes(1, 2) @ half, reach


class Newton:
    """A point, and the step from there towards the mode.

    Blocks of products are worked out one after another. One alone is kept; several are worked out a second time after
    the shared part is known, so that only one is in memory.

    Attributes
    ----------
    products
        Which are of each block.
    log
        Log likelihood of all sales.
    half_log_volume
        Half the log determinant of the whole curvature.
    promised
        Log density that the step gains by the curvature.
    shared_factor
        Lower Cholesky factor of the curvature of what is shared, shape (n_shared + n_days, n_shared + n_days).
    """

    def __init__(self, at: Normals, curved: Callable[[slice, Normals], tuple[Roots, Likelihood]]) -> None:
        """Look at a point; `curved` says what the sales of some products say there."""
        self.at, self._curved, self._kept = at, curved, dict[int, Block]()
        self.products = blocks_of(len(at.own))
        self.log, half, own = 0.0, 0.0, 0.0
        self._slope = -np.concatenate([at.shared, at.shared_days])
        curvature = np.eye(len(self._slope))
        for block in map(self.block, self.products):
            block.add_to(curvature, self._slope)
            self.log, half, own = self.log + block.log, half + block.half_log_volume, own + block.promised
        self.shared_factor = np.asarray(np.linalg.cholesky(curvature), dtype=float)
        self.half_log_volume = float(half + np.log(np.diagonal(self.shared_factor)).sum())
        self.promised = own + 0.5 * float((np.linalg.solve(self.shared_factor, self._slope) ** 2).sum())

    def block(self, products: slice) -> Block:
        """Return some of `products` at this point."""
        if (block := self._kept.get(products.start)) is None:
            at = self.at.of(products)
            block = Block(*self._curved(products, at), at)
            if len(self.products) == 1:
                self._kept[products.start] = block
        return block

    @property
    def step(self) -> Normals:
        """Towards the mode."""
        shared = np.linalg.solve(self.shared_factor.T, np.linalg.solve(self.shared_factor, self._slope))
        own, own_days = zip(*(self.block(some).step(shared) for some in self.products), strict=True)
        n_shared = len(self.at.shared)
        return Normals(np.concatenate(own), np.concatenate(own_days), shared[:n_shared], shared[n_shared:])
