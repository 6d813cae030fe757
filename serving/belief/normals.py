"""Latent numbers behind a belief about many days, standard normal beforehand, and what each adds to demand."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from catalog.arrays import Floats
from serving.belief.gaussian import FEW


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
        if len(at.own) <= FEW:
            return np.asarray(np.einsum("pnm,pm->pn", self.own, at.own) + self.shared @ at.shared)
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
