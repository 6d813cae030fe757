"""How purchases move a belief about log odds of a sale.

Purchases are binomial, and the posterior is its Laplace approximation: Newton's method to the mode, and the curvature
there (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapter 3.4, with the shared part as in
chapter 2.7). Products know of each other only through the shared directions, so blocks of them are worked out one after
another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numba
import numpy as np
from scipy.special import expit

from catalog.arrays import Floats, Ints
from serving.belief.gaussian import Counts, Gaussian, blocks_of
from serving.belief.sales import FIRST_OF_WEEKEND, Sales

_STEPS = 25
_LONGEST_STEP = 3.0  # in log odds
_CLOSE = 1e-3  # the step after one is about half its square at most: a term's third derivative is no more
_LEAST_WEIGHT = 1e-9


@dataclass(frozen=True)
class Posterior:
    """A belief after purchases, and the log of how likely they were beforehand (Laplace's approximation)."""

    belief: Gaussian
    log_evidence: float


def mode(prior: Gaussian, counts: Counts, hours: Floats, near: Floats) -> tuple[Floats, Floats]:
    """Return the likeliest log odds after purchases by hour, and the shared directions' part in them.

    They are looked for near log odds `near`, shape (n_products, n_knots).
    """
    odds, shared = near, np.zeros(prior.shared.shape[2])
    seen = _so_far(counts, hours)
    for _ in range(_STEPS):
        wanted, shared = _Solved(prior, odds, *seen).mode()
        step = np.clip(wanted - odds, -_LONGEST_STEP, _LONGEST_STEP)
        odds = odds + step
        if np.abs(step).max(initial=0.0) < _CLOSE:
            break
    return odds, shared


def updated(prior: Gaussian, counts: Counts, hours: Floats | None = None, near: Floats | None = None) -> Posterior:
    """Return the posterior after purchases; without any it is the belief itself.

    Parameters
    ----------
    counts
        By hour, or of all hours together; then no hour adds anything.
    hours
        What each hour adds to the log odds, shape (n_hours, n_products).
    near
        As in `mode`; by default the mean of the belief.
    """
    if counts.met.ndim == prior.mean.ndim:
        counts, hours = Counts(counts.met[None], counts.bought[None]), None
    hours = np.zeros((1, len(prior.mean))) if hours is None else hours
    odds, shared = mode(prior, counts, hours, prior.mean if near is None else near)
    solved, likely = _Solved(prior, odds, *_so_far(counts, hours)), 0.0
    left, directions = np.empty(prior.own.shape), np.empty(prior.shared.shape)
    for own, some in zip(solved.blocks, blocks_of(len(odds)), strict=True):
        left[some], directions[some] = own.left(solved.shared_factor)
        part = odds[some] - prior.mean[some] - prior.shared[some] @ shared
        likely += _log_likelihood(odds[some], counts.among(some), hours[:, some])
        likely -= 0.5 * float((part * own.gradient).sum())
    evidence = likely - 0.5 * float(shared @ shared) + solved.log_volume()
    return Posterior(Gaussian(odds, left, directions), evidence)


class _Own:
    """Some products at a point of Newton's method: their own parts are integrated out."""

    def __init__(self, prior: Gaussian, odds: Floats, counts: Counts, hours: Floats) -> None:
        weight, self.gradient = _curvature(odds, counts, hours)
        self._prior, root = prior, np.sqrt(np.maximum(weight, _LEAST_WEIGHT))
        scaled = np.eye(weight.shape[1]) + root[:, :, None] * prior.own * root[:, None, :]
        factor = np.asarray(np.linalg.cholesky(scaled), dtype=float)
        lower = np.linalg.inv(factor)
        self._middle = root[:, :, None] * (lower.swapaxes(1, 2) @ lower) * root[:, None, :]  # (own + 1 / weight)^-1
        self.log_volume = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum()
        pseudo = weight * (odds - prior.mean) + self.gradient
        self._seen = pseudo - np.einsum("pkl,pl->pk", self._middle, np.einsum("pkl,pl->pk", prior.own, pseudo))

    def of_shared(self) -> tuple[Floats, Floats]:
        """Return what these products say of the shared directions: the precision that they add, and where they pull."""
        shared = self._prior.shared.reshape(-1, self._prior.shared.shape[2])
        through = (self._middle @ self._prior.shared).reshape(shared.shape)
        return shared.T @ through, shared.T @ self._seen.ravel()

    def mode(self, shared: Floats) -> Floats:
        """Return the log odds at the mode, shape (n_products, n_knots), given that of the shared directions."""
        prior, part = self._prior, self._prior.shared @ shared
        left = self._seen - np.einsum("pkl,pl->pk", self._middle, part)
        return np.asarray(prior.mean + part + np.einsum("pkl,pl->pk", prior.own, left))

    def left(self, shared_factor: Floats) -> tuple[Floats, Floats]:
        """Return what the purchases leave of each own covariance, and directions with standard normal weights again."""
        own, shared = self._prior.own, self._prior.shared
        through = own @ self._middle
        directions = np.linalg.solve(shared_factor, (shared - through @ shared).swapaxes(1, 2)).swapaxes(1, 2)
        left = own - through @ own
        return (left + left.swapaxes(1, 2)) / 2, np.asarray(directions)  # rounding keeps no symmetry


class _Solved:
    """The linear algebra of one Newton step: products block by block, then the shared directions."""

    def __init__(self, prior: Gaussian, odds: Floats, counts: Counts, hours: Floats) -> None:
        precision, self._pull = np.eye(prior.shared.shape[2]), np.zeros(prior.shared.shape[2])
        self.blocks = list[_Own]()
        for some in blocks_of(len(odds)):
            own = _Own(prior.among(some), odds[some], counts.among(some), hours[:, some])
            adds, pulls = own.of_shared()
            precision, self._pull = precision + adds, self._pull + pulls
            self.blocks.append(own)
        self.shared_factor = np.asarray(np.linalg.cholesky(precision), dtype=float)

    def mode(self) -> tuple[Floats, Floats]:
        """Return the log odds at the mode, and the shared directions' part in them, shape (n_directions,)."""
        shared = np.linalg.solve(self.shared_factor.T, np.linalg.solve(self.shared_factor, self._pull))
        return np.concatenate([own.mode(shared) for own in self.blocks]), shared

    def log_volume(self) -> float:
        """Return minus half the log determinants of both systems."""
        own = sum(own.log_volume for own in self.blocks)
        return -float(own + np.log(np.diagonal(self.shared_factor)).sum())


def _so_far(counts: Counts, hours: Floats) -> tuple[Counts, Floats]:
    """Return the hours through the last one in which anybody met a product: those to come add nothing."""
    n_hours = 1 + int(np.flatnonzero(counts.met.any(axis=(1, 2))).max(initial=-1))
    return Counts(counts.met[:n_hours], counts.bought[:n_hours]), hours[:n_hours]


def _curvature(odds: Floats, counts: Counts, hours: Floats) -> tuple[Floats, Floats]:
    """Return curvature and gradient of the log likelihood in the log odds, shape (n_products, n_knots)."""
    chance = expit(odds + hours[:, :, None])
    expected = counts.met * chance
    return (expected * (1 - chance)).sum(axis=0), (counts.bought - expected).sum(axis=0)


def _log_likelihood(odds: Floats, counts: Counts, hours: Floats) -> float:
    odds = odds + hours[:, :, None]
    return float((counts.bought * odds - counts.met * np.logaddexp(0.0, odds)).sum())


_MOST_EFFECTS = 6  # that a sale can have: knot, hour, weekday, weekend, and level and slope of a state


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
