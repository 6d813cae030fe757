"""How purchases move a belief about log odds of a sale.

Purchases are binomial, and the posterior is its Laplace approximation: Newton's method to the mode, and the curvature
there (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, chapter 3.4, with the shared part as in
chapter 2.7). Products know of each other only through the shared directions, so blocks of them are worked out one after
another.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from catalog.arrays import Floats
from serving.belief.gaussian import Counts, Gaussian, blocks_of

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
