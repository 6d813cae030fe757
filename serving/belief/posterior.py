"""The posterior of a generalised linear model whose terms form an arrow: cells, then groups, then what is shared.

Every term is a standard normal beforehand, scaled by a root of its prior covariance. A group, such as a product, has
coefficients with a part of its own and a part that all groups share. It may have cells, such as days, each with a level
that has the same two parts. Cells meet each other only through coefficients, and groups only through what is shared. So
cells are eliminated first, then groups, and a small dense system of the shared terms remains.

Newton's method finds the mode, and the curvature there is the precision (Laplace's approximation: Rasmussen and
Williams, "Gaussian Processes for Machine Learning", 2006, chapter 3.4, with the shared part as in chapter 2.7).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.linalg.lapack import dtrtrs

from catalog.arrays import Floats
from serving.belief.gaussian import Counts, Gaussian

CLOSE = 1e-13
"""Log density that another step may gain at the mode."""
POISSON = 1e9
"""Shape of a negative binomial that is as good as a Poisson."""

_STEPS, _HALVINGS = 40, 30
_ROUNDING = 1e-11  # of a log density, as a share of it
_JITTER = 1e-10
_AT_ONCE = 250  # groups of a block
_MOST_KEPT = 5_000_000  # numbers of a matrix of all groups up to which their elimination is kept in memory


class Latents(NamedTuple):
    """The standard normals, or a step in them.

    Those of each group have the shapes (n_groups, n_own) and (n_groups, n_cells), the shared ones (n_shared,) and
    (n_cells,).
    """

    own: Floats
    own_cells: Floats
    shared: Floats
    shared_cells: Floats

    @classmethod
    def zeros(cls, n_groups: int, n_own: int, n_shared: int, n_cells: int) -> "Latents":
        """Return the mean beforehand."""
        own, own_cells = np.zeros((n_groups, n_own)), np.zeros((n_groups, n_cells))
        return cls(own, own_cells, np.zeros(n_shared), np.zeros(n_cells))

    def among(self, groups: slice) -> "Latents":
        """Return those of some groups, and all that are shared."""
        return self._replace(own=self.own[groups], own_cells=self.own_cells[groups])

    def moved(self, step: "Latents", size: float) -> "Latents":
        """Return these after a part of a step."""
        return Latents(*(now + size * by for now, by in zip(self, step, strict=True)))

    @property
    def log_prior(self) -> float:
        """Log density beforehand, up to a constant."""
        return -0.5 * float(sum((each**2).sum() for each in self))


class Roots(NamedTuple):
    """What one unit of each latent adds to a group's coefficients, or to the level of a cell.

    Attributes
    ----------
    own, shared
        Shapes (n_groups, n_coefficients, n_own) and (n_groups, n_coefficients, n_shared).
    own_cell, shared_cell
        Standard deviations of a cell's two parts; that of the shared part may differ by cell, shape (n_cells,).
    """

    own: Floats
    shared: Floats
    own_cell: float = 0.0
    shared_cell: float | Floats = 0.0

    def coefficients(self, at: Latents) -> Floats:
        """Return the coefficients of each group, shape (n_groups, n_coefficients)."""
        return np.asarray((self.own @ at.own[:, :, None])[:, :, 0] + self.shared @ at.shared)

    def levels(self, at: Latents) -> Floats:
        """Return the level of each cell, shape (n_groups, n_cells)."""
        return self.own_cell * at.own_cells + self.shared_cell * at.shared_cells


class SharedCells(NamedTuple):
    """Curvature and gradient in the shared parts of cells, where these multiply another term than the cells' own parts.

    A cell is then a line, such as in the log of a price: its level is the group's own, its slope is shared.

    Attributes
    ----------
    by_cell, by_own, of_cell
        Curvature between coefficients and shared parts, between a cell's own part and its shared one, and in shared
        parts: shapes (n_groups, n_coefficients, n_cells), (n_groups, n_cells) and (n_groups, n_cells).
    slope
        Gradient, shape (n_groups, n_cells).
    """

    by_cell: Floats
    by_own: Floats
    of_cell: Floats
    slope: Floats


class Likelihood(NamedTuple):
    """Log likelihood of some groups; its gradient, and its curvature with the sign turned.

    Attributes
    ----------
    weight, by_cell, of_cell
        Curvature between coefficients, between them and the levels of cells, and in these: shapes (n_groups,
        n_coefficients, n_coefficients), (n_groups, n_coefficients, n_cells) and (n_groups, n_cells).
    slope, slope_of_cell
        Gradient in coefficients and levels, shapes (n_groups, n_coefficients) and (n_groups, n_cells).
    shared_cells
        Of the shared parts of cells; None where they add to the levels.
    """

    log: float
    weight: Floats
    by_cell: Floats
    of_cell: Floats
    slope: Floats
    slope_of_cell: Floats
    shared_cells: SharedCells | None = None

    @classmethod
    def without_cells(cls, log: float, weight: Floats, slope: Floats) -> "Likelihood":
        """Return the likelihood of groups that have no cells."""
        return cls(
            log, weight, np.zeros((*slope.shape, 0)), np.zeros((len(slope), 0)), slope, np.zeros((len(slope), 0))
        )


Model: TypeAlias = Callable[[slice, Latents], tuple[Roots, Likelihood]]
"""Returns the prior's roots and the likelihood of some groups, at latents of these groups."""


class _Block:
    """Groups at a point: their cells are eliminated, then their own terms.

    `promised` is the log density that a step of these gains by the curvature.
    """

    def __init__(self, roots: Roots, seen: Likelihood, at: Latents) -> None:
        spread, transposed = roots.own_cell, roots.own.swapaxes(1, 2)
        weight, slope = seen.weight, seen.slope[:, :, None]
        free = 1 / (1 + spread**2 * seen.of_cell)  # variance left of a cell's own part
        self._roots, self._free, self._has_cells, self.promised = roots, free, free.size > 0, 0.0
        if self._has_cells:
            by_cell, slope_cells = seen.by_cell * free[:, None], spread * seen.slope_of_cell - at.own_cells
            weight = weight - spread**2 * by_cell @ seen.by_cell.swapaxes(1, 2)
            slope = slope - spread * by_cell @ slope_cells[:, :, None]
            self._by_cell, self._slope_cells = by_cell, slope_cells
            self._cells = _shared_cells(seen, spread, free, by_cell)
            self._slope_of_cell = self._cells.slope - spread * self._cells.by_own * slope_cells
            self.promised = 0.5 * float((free * slope_cells**2).sum())
        self._factor = np.linalg.cholesky(np.eye(at.own.shape[1]) + transposed @ weight @ roots.own)
        self._lower = np.asarray(np.linalg.inv(self._factor), dtype=float)
        self._half = self._lower @ transposed
        self._through = weight @ roots.shared
        if self._has_cells:
            self._through = np.concatenate([self._through, roots.shared_cell * self._cells.by_cell], axis=2)
        self._reach = self._half @ self._through
        self._own = self._half @ slope - self._lower @ at.own[:, :, None]
        self._slope, self.log = slope, seen.log
        self.promised += 0.5 * float((self._own**2).sum())

    @property
    def half_log_volume(self) -> float:
        """Half the log determinant of the precision of these groups' own terms and cells."""
        return float(np.log(np.diagonal(self._factor, axis1=1, axis2=2)).sum() - 0.5 * np.log(self._free).sum())

    def add_to(self, curvature: Floats, slope: Floats) -> None:
        """Add what these groups say of the shared terms, in the lower triangle of the curvature."""
        n_shared, spread = self._roots.shared.shape[2], self._roots.shared_cell
        shared = self._roots.shared.reshape(self._slope.size, n_shared)
        reach = self._reach.reshape(self._own.size, len(slope))
        curvature -= reach.T @ reach
        curvature[:, :n_shared] += self._through.reshape(self._slope.size, len(slope)).T @ shared
        slope -= reach.T @ self._own.ravel()
        slope[:n_shared] += shared.T @ self._slope.ravel()
        if self._has_cells:
            cells = np.arange(n_shared, len(slope))
            curvature[cells, cells] += spread**2 * self._cells.of_cell.sum(axis=0)
            slope[n_shared:] += spread * self._slope_of_cell.sum(axis=0)

    def step(self, shared: Floats) -> tuple[Floats, Floats]:
        """Return the step of each group's own terms and cells, given that of the shared ones."""
        own = (self._lower.swapaxes(1, 2) @ (self._own - self._reach @ shared[:, None]))[:, :, 0]
        if not self._has_cells:
            return own, np.zeros(self._free.shape)
        roots, n_shared = self._roots, self._roots.shared.shape[2]
        moved = (roots.own @ own[:, :, None])[:, :, 0] + roots.shared @ shared[:n_shared]
        through = (self._by_cell.swapaxes(1, 2) @ moved[:, :, None])[:, :, 0]
        through += self._cells.by_own * roots.shared_cell * shared[n_shared:]
        return own, self._free * self._slope_cells - roots.own_cell * through

    def left(self, turned: Floats) -> tuple[Floats, Floats]:
        """Return the covariance left of the coefficients, as `Point.left` does."""
        own, directions = self.own_left(turned)
        return own, self._roots.shared @ turned[: self._roots.shared.shape[2]] + directions

    def own_left(self, turned: Floats) -> tuple[Floats, Floats]:
        """Return the covariance left of the groups' own parts of the coefficients, as `Point.left` does."""
        half = self._half.swapaxes(1, 2)
        return half @ self._half, -half @ (self._reach @ turned)


def _shared_cells(seen: Likelihood, spread: float, free: Floats, by_cell: Floats) -> SharedCells:
    """Return the curvature in shared parts once own parts are eliminated, but for the gradient, which is as seen."""
    if seen.shared_cells is None:
        left = free * seen.of_cell
        return SharedCells(by_cell, left, left, seen.slope_of_cell)
    shared = seen.shared_cells
    by_own = free * shared.by_own
    through = shared.by_cell - spread**2 * by_cell * shared.by_own[:, None]
    return SharedCells(through, by_own, shared.of_cell - spread**2 * by_own * shared.by_own, shared.slope)


def _solve(lower: Floats, right: Floats, trans: int = 0) -> Floats:
    """Return lower^-1 right, or the transposed's: LAPACK itself, for wrappers take longer than a small shelf's step."""
    if not right.size:
        return right  # nothing is shared
    return np.asarray(dtrtrs(lower, right, lower=1, trans=trans)[0], dtype=float)


class Point:
    """A point, and the step from there towards the mode.

    Blocks of groups are worked out one after another. Where they are large, they are worked out a second time once the
    shared step is known, so that one at a time is in memory.

    Attributes
    ----------
    log_density
        Log density of the posterior, up to a constant.
    promised
        Log density that the step gains by the curvature.
    shared_factor
        Lower Cholesky factor of the precision of the shared terms, cells last.
    """

    def __init__(self, at: Latents, model: Model) -> None:
        self.at, self._model, self._kept = at, model, dict[int, _Block]()
        self._slope = -np.concatenate([at.shared, at.shared_cells])
        self._keeps = at.own.size * len(self._slope) <= _MOST_KEPT
        self.blocks = [slice(first, first + _AT_ONCE) for first in range(0, len(at.own), _AT_ONCE)]
        log, own, curvature = at.log_prior, 0.0, np.eye(len(self._slope))
        for block in map(self._block, self.blocks):
            block.add_to(curvature, self._slope)
            log, own = log + block.log, own + block.promised
        self.shared_factor = np.asarray(np.linalg.cholesky(curvature), dtype=float)
        self.log_density = log
        self._pull = _solve(self.shared_factor, self._slope)
        self.promised = own + 0.5 * float((self._pull**2).sum())

    @cached_property
    def shared_root(self) -> Floats:
        """Upper root of the covariance left of the shared terms, cells last; each column is a direction."""
        each = np.eye(len(self.shared_factor))
        return np.asarray(_solve(self.shared_factor, each).T, dtype=float)

    @property
    def log_evidence(self) -> float:
        """Log density of the sales beforehand, if this is the mode."""
        volume = sum(self._block(some).half_log_volume for some in self.blocks)
        return float(self.log_density - volume - np.log(np.diagonal(self.shared_factor)).sum())

    def _block(self, groups: slice) -> _Block:
        block = self._kept.get(groups.start)
        if block is None:
            at = self.at.among(groups)
            block = _Block(*self._model(groups, at), at)
            if self._keeps:
                self._kept[groups.start] = block
        return block

    @property
    def step(self) -> Latents:
        """Towards the mode."""
        shared = _solve(self.shared_factor, self._pull, trans=1)
        own, own_cells = zip(*(self._block(some).step(shared) for some in self.blocks), strict=True)
        n_shared = len(self.at.shared)
        return Latents(np.concatenate(own), np.concatenate(own_cells), shared[:n_shared], shared[n_shared:])

    def left(self, groups: slice) -> tuple[Floats, Floats]:
        """Return the covariance left of the coefficients of some of `blocks`.

        It has a part of each group's own, shape (n_groups, n_coefficients, n_coefficients), and what one unit of each
        shared direction adds, each standard normal, shape (n_groups, n_coefficients, n_directions).
        """
        return self._block(groups).left(self.shared_root)

    def own_covariance(self, groups: slice) -> Floats:
        """Return the covariance left of own parts of the coefficients: (n_groups, n_coefficients, n_coefficients)."""
        own, directions = self._block(groups).own_left(self.shared_root)
        return np.asarray(own + directions @ directions.swapaxes(1, 2))


def find_mode(start: Latents, model: Model, close: float = CLOSE) -> Point:
    """Return a point near the mode, by Newton's method from a start; a step that lowers the density is halved.

    `close` is the log density that another step may still gain.
    """
    here = Point(start, model)
    for _ in range(_STEPS):
        if here.promised < close:
            break
        step, before, size = here.step, here, 1.0
        least = before.log_density - _ROUNDING * abs(before.log_density)
        for _ in range(_HALVINGS):
            here, size = Point(before.at.moved(step, size), model), size / 2
            if here.log_density >= least:
                break
    return here


def binomial(odds: Floats, met: Floats, bought: Floats) -> tuple[float, Floats, Floats]:
    """Return the log likelihood of purchases, and its gradient and turned curvature in each of the log odds."""
    small = np.exp(-np.abs(odds))
    chance = np.where(odds > 0, 1.0, small) / (1 + small)
    expected = met * chance
    log = float((bought * odds - met * (np.maximum(odds, 0.0) + np.log1p(small))).sum())
    return log, bought - expected, expected * (1 - chance)


def negative_binomial(rates: Floats, units: Floats, shapes: Floats | float) -> tuple[float, Floats, Floats]:
    """Return the log likelihood of units, and its gradient and expected turned curvature in each log rate.

    Units vary by mean + mean^2 / shape. They are purchases of units + shape visits, at log odds of rate - log shape.
    """
    visits = units + shapes
    log, slope, _ = binomial(rates - np.log(shapes), visits, units)
    return log, slope, shapes * (units - slope) / visits


@dataclass(frozen=True)
class Posterior:
    """What purchases make of a belief: log odds at the mode, shape (n_products, n_knots), and the curvature near it."""

    odds: Floats
    mode: Point

    @property
    def log_evidence(self) -> float:
        """Log of how likely the purchases were beforehand (Laplace's approximation)."""
        return self.mode.log_evidence

    @property
    def belief(self) -> Gaussian:
        """The belief, with the curvature at the mode."""
        own, shared = zip(*(self.mode.left(some) for some in self.mode.blocks), strict=True)
        return Gaussian(self.odds, np.concatenate(own), np.concatenate(shared))


def posterior(
    prior: Gaussian,
    counts: Counts,
    hours: Floats | None = None,
    near: Floats | None = None,
    close: float = CLOSE,
) -> Posterior:
    """Return the belief about log odds after purchases, which are binomial.

    Parameters
    ----------
    counts
        By hour, or of all hours together; then no hour adds anything.
    hours
        What each hour adds to the log odds, shape (n_hours, n_products).
    near
        Log odds near which the mode is looked for; by default the mean of the belief.
    close
        As in `find_mode`.
    """
    (n_products, n_knots), n_shared = prior.mean.shape, prior.shared.shape[2]
    met, bought = (np.reshape(own, (-1, n_products, n_knots)) for own in (counts.met, counts.bought))
    n_hours = 1 + int(np.flatnonzero(met.any(axis=(1, 2))).max(initial=-1))  # hours to come add nothing
    met, bought = met[:n_hours], bought[:n_hours]
    more = np.zeros((n_hours, n_products)) if hours is None else hours[:n_hours]
    own_root = np.asarray(np.linalg.cholesky(prior.own + _JITTER * np.eye(n_knots)), dtype=float)
    roots = Roots(own_root, prior.shared)
    knots = np.arange(n_knots)

    def model(own: slice, at: Latents) -> tuple[Roots, Likelihood]:
        root = Roots(roots.own[own], roots.shared[own])
        odds = prior.mean[own] + root.coefficients(at) + more[:, own, None]
        log, slope, curved = binomial(odds, met[:, own], bought[:, own])
        weight = np.zeros((odds.shape[1], n_knots, n_knots))
        weight[:, knots, knots] = curved.sum(axis=0)
        return root, Likelihood.without_cells(log, weight, slope.sum(axis=0))

    start = Latents.zeros(n_products, n_knots, n_shared, 0)
    if near is not None:
        own = np.asarray(np.linalg.solve(own_root, (near - prior.mean)[:, :, None]), dtype=float)
        start = start._replace(own=own[:, :, 0])
    mode = find_mode(start, model, close)
    return Posterior(prior.mean + roots.coefficients(mode.at.moved(mode.step, 1.0)), mode)
