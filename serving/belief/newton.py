"""The algebra behind `serving.belief.effects`: one Newton step, and what it leaves of every variance.

Latent numbers are standard normal beforehand, of four kinds: each product's own coefficients, its own effect of each
day, what the shelf shares, and the shelf's effect of each day. A product's days do not depend on each other once its
coefficients are known, and products not once the shelf is. So days are eliminated first, then products, and what is
left is one small system (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2.7 and
3.4). Time grows with products and days, never with the square of either together.
"""

from collections.abc import Callable
from typing import NamedTuple

import numba
import numpy as np

from catalog.arrays import Floats, Ints
from serving.belief.gaussian import blocks_of
from serving.belief.inverse import inverse_of_lower
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


class LearnedBlock:
    """Products at a point: their days are eliminated, then they themselves.

    Attributes
    ----------
    log, half_log_volume
        Log likelihood of their sales, and half the log determinant of their curvature.
    """

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


class Newton:
    """A point, and the step from there towards the mode.

    Blocks of products are worked out one after another. That of a short shelf is kept; those of a longer one are worked
    out anew on the way back from what is shared, so that no more than one is in memory.

    Attributes
    ----------
    products
        Which are of each block.
    log
        Log likelihood of all sales.
    half_log_volume
        Half the log determinant of the whole curvature.
    shared_factor
        Lower Cholesky factor of the curvature of what is shared, shape (n_shared + n_days, n_shared + n_days).
    """

    def __init__(self, at: Normals, curved: Callable[[slice, Normals], tuple[Roots, Likelihood]]) -> None:
        """Look at a point; `curved` says what the sales of some products say there."""
        self.at, self._curved, self._kept = at, curved, dict[int, LearnedBlock]()
        self.products = blocks_of(len(at.own))
        self.log, half = 0.0, 0.0
        self._slope = -np.concatenate([at.shared, at.shared_days])
        curvature = np.eye(len(self._slope))
        for block in map(self.block, self.products):
            block.add_to(curvature, self._slope)
            self.log, half = self.log + block.log, half + block.half_log_volume
        self.shared_factor = np.asarray(np.linalg.cholesky(curvature), dtype=float)
        self.half_log_volume = float(half + np.log(np.diagonal(self.shared_factor)).sum())

    def block(self, products: slice) -> LearnedBlock:
        """Return some of `products` at this point."""
        if (block := self._kept.get(products.start)) is None:
            at = self.at.of(products)
            block = LearnedBlock(*self._curved(products, at), at)
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


class Places(NamedTuple):
    """Positions of the weekend's, the first hour's and the first state's effect among a product's coefficients."""

    weekend: int
    hours: int
    states: int


def likelihood(
    sales: Sales,
    starts: Ints,
    state_of_day: Ints,
    places: Places,
    knots: tuple[Floats, Floats],
    at: tuple[Floats, Floats],
) -> Likelihood:
    """Return how likely the sales of some products are.

    Parameters
    ----------
    starts
        As in `Sales`, of these products.
    knots
        Price over base price, and the log odds beforehand at it, each shape (n_products, n_knots).
    at
        Coefficients, shape (n_products, size), and levels of the days, shape (n_products, n_days).
    """
    rows = (starts, sales.day, sales.hour, sales.knot, sales.met, sales.bought)
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
