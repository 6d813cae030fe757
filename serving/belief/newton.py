"""The algebra behind `serving.belief.effects`: one Newton step, and what it leaves of every variance.

Latent numbers are standard normal beforehand, of four kinds: each product's own coefficients, its own effect of each
day, what the shelf shares, and the shelf's effect of each day. A product's days do not depend on each other once its
coefficients are known, and products not once the shelf is. So days are eliminated first, then products, and what is
left is one small system (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2.7 and
3.4). Time grows with products and days, never with the square of either together.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np

from catalog.arrays import Floats, Ints
from serving.belief.sales import FIRST_OF_WEEKEND, Sales

_MOST_EFFECTS = 6  # that a sale can have: knot, hour, weekday, weekend, and level and slope of a state


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

    def moved(self, step: "Normals", size: float) -> "Normals":
        """Return these after a part of a step."""
        return Normals(*(now + size * by for now, by in zip(self, step, strict=True)))

    @property
    def log_prior(self) -> float:
        """Log density beforehand, up to a constant."""
        return -0.5 * float(sum((each**2).sum() for each in self))


class Roots(NamedTuple):
    """What one unit of each latent number adds to the coefficients of a product, or to the log odds of a day.

    Attributes
    ----------
    own, shared
        Shape (n_products, size, n_own) and (n_products, size, n_shared).
    own_day, shared_day
        Standard deviations, in log odds.
    """

    own: Floats
    shared: Floats
    own_day: float
    shared_day: float

    def coefficients(self, at: Normals) -> Floats:
        """Return the coefficients of each product, shape (n_products, size)."""
        return np.asarray(np.einsum("pnm,pm->pn", self.own, at.own) + self.shared @ at.shared)

    def days(self, at: Normals) -> Floats:
        """Return the level of each product on each day, shape (n_products, n_days)."""
        return self.own_day * at.own_days + self.shared_day * at.shared_days


class Likelihood(NamedTuple):
    """Log likelihood of all sales, and its curvature and gradient.

    Attributes
    ----------
    log
        The log likelihood.
    weight, weight_by_day, weight_of_day
        Curvature in the coefficients, between them and each day's level, and in that, shape (n_products, size, size),
        (n_products, size, n_days) and (n_products, n_days).
    slope, slope_of_day
        Gradient in the coefficients and in each day's level, shape (n_products, size) and (n_products, n_days).
    """

    log: float
    weight: Floats
    weight_by_day: Floats
    weight_of_day: Floats
    slope: Floats
    slope_of_day: Floats


@dataclass(frozen=True)
class Newton:
    """A Newton step and the variances at this point.

    Attributes
    ----------
    step
        Towards the mode.
    half_log_volume
        Half the log determinant of the whole curvature.
    own_covariance
        Of each product's own numbers once the shelf is known, shape (n_products, n_own, n_own).
    own_by_shared
        Curvature between these and all that is shared, shape (n_products, n_own, n_shared + n_days).
    shared_factor
        Lower Cholesky factor of the curvature of what is shared, shape (n_shared + n_days, n_shared + n_days).
    """

    step: Normals
    half_log_volume: float
    own_covariance: Floats
    own_by_shared: Floats
    shared_factor: Floats

    def own_left(self, roots: Roots) -> Floats:
        """Return the covariance of each product's coefficients once the shelf is known."""
        return np.asarray(roots.own @ self.own_covariance @ roots.own.swapaxes(1, 2))

    def shared_left(self, roots: Roots) -> Floats:
        """Return what one unit of each shared direction adds to the coefficients, shape (n_products, size, n)."""
        reach = np.zeros((*roots.shared.shape[:2], len(self.shared_factor)))
        reach[:, :, : roots.shared.shape[2]] = roots.shared
        reach -= roots.own @ (self.own_covariance @ self.own_by_shared)
        return np.asarray(np.linalg.solve(self.shared_factor, reach.swapaxes(1, 2)).swapaxes(1, 2))


def newton_step(found: Likelihood, roots: Roots, at: Normals) -> Newton:
    """Return the step from a point at which the likelihood is known."""
    n_own, n_shared, n_days = at.own.shape[1], len(at.shared), len(at.shared_days)
    by_own, by_shared, days = roots.own.swapaxes(1, 2), roots.shared.swapaxes(1, 2), np.arange(n_days)
    slope_own = (by_own @ found.slope[:, :, None])[:, :, 0] - at.own
    slope_days = roots.own_day * found.slope_of_day - at.own_days
    slope_shared = np.concatenate(
        [
            (by_shared @ found.slope[:, :, None]).sum(axis=0)[:, 0] - at.shared,
            roots.shared_day * found.slope_of_day.sum(axis=0) - at.shared_days,
        ]
    )
    own_own = np.eye(n_own) + by_own @ found.weight @ roots.own
    own_shared = np.concatenate(
        [by_own @ found.weight @ roots.shared, roots.shared_day * by_own @ found.weight_by_day], axis=2
    )
    shared_shared = np.eye(n_shared + n_days)
    shared_shared[:n_shared, :n_shared] += (by_shared @ found.weight @ roots.shared).sum(axis=0)
    across = roots.shared_day * (by_shared @ found.weight_by_day).sum(axis=0)
    shared_shared[:n_shared, n_shared:] += across
    shared_shared[n_shared:, :n_shared] += across.T
    shared_shared[n_shared + days, n_shared + days] += roots.shared_day**2 * found.weight_of_day.sum(axis=0)

    # the days of each product
    of_days = 1 + roots.own_day**2 * found.weight_of_day
    days_own = roots.own_day * by_own @ found.weight_by_day
    days_shared = np.zeros((len(at.own), n_shared + n_days, n_days))
    days_shared[:, :n_shared] = roots.own_day * by_shared @ found.weight_by_day
    days_shared[:, n_shared + days, days] = roots.own_day * roots.shared_day * found.weight_of_day
    part_own, part_shared = days_own / of_days[:, None], days_shared / of_days[:, None]
    own_own -= part_own @ days_own.swapaxes(1, 2)
    own_shared -= part_own @ days_shared.swapaxes(1, 2)
    shared_shared -= (part_shared @ days_shared.swapaxes(1, 2)).sum(axis=0)
    slope_own = slope_own - (part_own @ slope_days[:, :, None])[:, :, 0]
    slope_shared = slope_shared - (part_shared @ slope_days[:, :, None]).sum(axis=0)[:, 0]

    # the products
    factor = np.linalg.cholesky(own_own)
    lower = np.linalg.inv(factor)
    covariance = lower.swapaxes(1, 2) @ lower
    part = covariance @ own_shared
    shared_shared -= (own_shared.swapaxes(1, 2) @ part).sum(axis=0)
    slope_shared = slope_shared - (part.swapaxes(1, 2) @ slope_own[:, :, None]).sum(axis=0)[:, 0]

    # the shelf, and back
    shared_factor = np.linalg.cholesky(shared_shared)
    shared = np.linalg.solve(shared_factor.T, np.linalg.solve(shared_factor, slope_shared))
    own = (covariance @ slope_own[:, :, None])[:, :, 0] - part @ shared
    own_days = slope_days - (days_own.swapaxes(1, 2) @ own[:, :, None])[:, :, 0] - days_shared.swapaxes(1, 2) @ shared
    half = 0.5 * np.log(of_days).sum() + np.log(np.diagonal(factor, axis1=1, axis2=2)).sum()
    return Newton(
        Normals(own, own_days / of_days, shared[:n_shared], shared[n_shared:]),
        float(half + np.log(np.diagonal(shared_factor)).sum()),
        covariance,
        own_shared,
        np.asarray(shared_factor, dtype=float),
    )


class Places(NamedTuple):
    """Positions of the weekend's, the first hour's and the first state's effect among a product's coefficients."""

    weekend: int
    hours: int
    states: int


def likelihood(
    sales: Sales, state_of_day: Ints, places: Places, knots: tuple[Floats, Floats], at: tuple[Floats, Floats]
) -> Likelihood:
    """Return how likely sales are.

    Parameters
    ----------
    knots
        Price over base price, and the log odds beforehand at it, each shape (n_products, n_knots).
    at
        Coefficients, shape (n_products, size), and levels of the days, shape (n_products, n_days).
    """
    rows = (sales.starts, sales.day, sales.hour, sales.knot, sales.met, sales.bought)
    return Likelihood(*_gathered(rows, (sales.weekdays, state_of_day), places, knots, at))


@numba.njit(cache=True, nogil=True)
def _gathered(
    rows: tuple[Ints, Ints, Ints, Ints, Floats, Floats],
    days: tuple[Ints, Ints],
    places: tuple[int, int, int],
    knots: tuple[Floats, Floats],
    at: tuple[Floats, Floats],
) -> tuple[float, Floats, Floats, Floats, Floats, Floats]:
    starts, day, hour, knot, met, bought = rows
    weekdays, state_of_day = days
    weekend, hours, states = places
    ratios, mean = knots
    coefficients, levels = at
    n_products, size = coefficients.shape
    n_days = levels.shape[1]
    weight = np.zeros((n_products, size, size))
    weight_by_day = np.zeros((n_products, size, n_days))
    weight_of_day = np.zeros((n_products, n_days))
    slope = np.zeros((n_products, size))
    slope_of_day = np.zeros((n_products, n_days))
    likely = 0.0
    place, factor = np.empty(_MOST_EFFECTS, dtype=np.int64), np.ones(_MOST_EFFECTS)
    for product in range(n_products):
        for row in range(starts[product], starts[product + 1]):
            date, own = day[row], knot[row]
            place[0], place[1], place[2] = own, hours + hour[row], weekend + 1 + weekdays[date]
            n = 3
            if weekdays[date] >= FIRST_OF_WEEKEND:
                place[n] = weekend
                n += 1
            if state_of_day[date] > 0:
                place[n] = states + 2 * (state_of_day[date] - 1)
                place[n + 1] = place[n] + 1
                factor[n + 1] = ratios[product, own] - 1
                n += 2
            odds = mean[product, own] + levels[product, date]
            for i in range(n):
                odds += factor[i] * coefficients[product, place[i]]
            chance = 1 / (1 + np.exp(-odds))
            likely += bought[row] * odds - met[row] * (max(odds, 0.0) + np.log1p(np.exp(-abs(odds))))
            curved, left = met[row] * chance * (1 - chance), bought[row] - met[row] * chance
            weight_of_day[product, date] += curved
            slope_of_day[product, date] += left
            for i in range(n):
                slope[product, place[i]] += factor[i] * left
                weight_by_day[product, place[i], date] += factor[i] * curved
                for j in range(n):
                    weight[product, place[i], place[j]] += factor[i] * factor[j] * curved
            factor[n - 1] = 1.0
    return likely, weight, weight_by_day, weight_of_day, slope, slope_of_day
