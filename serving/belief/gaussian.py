"""A Gaussian belief about log odds of a sale, and how purchases move it.

The log odds of each product at its knots are `mean + shared part + own part`. The shared part is one for the whole
shelf, so that what one product teaches helps the others; the own part is each product's. Purchases are binomial, and
the posterior is its Laplace approximation: Newton's method to the mode, and the curvature there (Rasmussen and
Williams, "Gaussian Processes for Machine Learning", 2006, chapter 3.4, with the shared part as in chapter 2.7).

The knots are spaced as the ladder's prices are, evenly on both sides of the base price, with straight lines between
them: what sells at a candidate price tells of that price, and not of two others beside it.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from catalog.price_ladder import exact_ladder

_MOST = 24
_SAME = 1e-9


@dataclass(frozen=True)
class Knots:
    """Prices over base price at which each product's demand is described.

    Attributes
    ----------
    ratios
        Ascending, shape (n_products, n_knots).
    base_prices
        EUR, shape (n_products,).
    """

    ratios: Floats
    base_prices: Floats

    @classmethod
    def of(cls, catalog: Catalog) -> "Knots":
        """Return as many knots as the ladder has prices, at most 24 of each product."""
        base = catalog.base_prices
        return cls(exact_ladder(catalog, min(catalog.store.ladder_prices, _MOST)) / base[:, None], base)

    @property
    def shape(self) -> tuple[int, int]:
        """How many products, and how many knots each has."""
        return self.ratios.shape[0], self.ratios.shape[1]

    def place(self, product: NDArray[np.integer], price: Floats) -> tuple[Ints, Floats]:
        """Return the knot at or below each price and the share with which the next one counts, shape (n,).

        A price beyond the first or last knot counts for that one.
        """
        n_products, n_knots = self.shape
        apart = 1.0 + self.ratios.max() - self.ratios.min()  # products one after another on one line
        line = (self.ratios + apart * np.arange(n_products)[:, None]).ravel()
        ratio = price / self.base_prices[product]
        below = np.searchsorted(line, ratio + apart * product, side="right") - 1 - n_knots * product
        below = np.clip(below, 0, n_knots - 2)
        low, high = self.ratios[product, below], self.ratios[product, below + 1]
        return below, np.clip((ratio - low) / np.maximum(high - low, _SAME), 0.0, 1.0)

    def counted(self, product: NDArray[np.integer], price: Floats, counts: Floats) -> Floats:
        """Share counts at any prices out over the knots beside them, shape (n_products, n_knots).

        Where nothing is counted, the price does not matter; it may be NaN.
        """
        some = counts != 0
        product, price, counts = product[some], price[some], counts[some]
        below, share = self.place(product, price)
        knot = product * self.shape[1] + below
        parts = np.concatenate([counts * (1 - share), counts * share])
        total = np.bincount(np.concatenate([knot, knot + 1]), parts, minlength=self.ratios.size)
        return np.asarray(total, dtype=float).reshape(self.shape)

    def at(self, values: Floats, prices: Floats) -> Floats:
        """Read values that are known at the knots at other prices, EUR, shape (n_products, n_prices).

        `values` may have axes before the products', which the result has as well.
        """
        product = np.broadcast_to(np.arange(len(prices))[:, None], prices.shape)
        below, share = self.place(product, prices)
        return values[..., product, below] * (1 - share) + values[..., product, below + 1] * share


_STEPS = 25
_LONGEST_STEP = 3.0  # in log odds
_CLOSE = 1e-6
_LEAST_WEIGHT = 1e-9
_SHARED_THROUGH = "pki,pkl,plj->ij"


@dataclass(frozen=True)
class Counts:
    """Visits that found the product on the shelf, and those of them that bought.

    Shape (n_products, n_knots), or (n_hours, n_products, n_knots) where hours are told apart.
    """

    met: Floats
    bought: Floats

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.met + other.met, self.bought + other.bought)

    @classmethod
    def none(cls, shape: tuple[int, ...]) -> "Counts":
        """Return the counts of a store that has sold nothing yet."""
        return cls(np.zeros(shape), np.zeros(shape))


@dataclass(frozen=True)
class Gaussian:
    """Log odds of a sale at the knots.

    Attributes
    ----------
    mean
        Shape (n_products, n_knots).
    own
        Covariance of each product's own part, shape (n_products, n_knots, n_knots).
    shared
        What one unit of each shared direction adds, each of them standard normal, shape (n_products, n_knots,
        n_directions).
    """

    mean: Floats
    own: Floats
    shared: Floats

    @property
    def covariance(self) -> Floats:
        """Covariance of each product's log odds, shape (n_products, n_knots, n_knots)."""
        return self.own + self.shared @ self.shared.swapaxes(1, 2)

    @cached_property
    def variance(self) -> Floats:
        """Variance of the log odds, shape (n_products, n_knots)."""
        return np.asarray(np.diagonal(self.own, axis1=1, axis2=2) + (self.shared**2).sum(axis=2))

    def chance(self, more: Floats) -> Floats:
        """Mean chance of sale, with the probit approximation of its integral, where the log odds are higher by `more`.

        `more` broadcasts against the mean, shape (n_products, n_knots), and may have axes before it.
        """
        return np.asarray(expit((self.mean + more) / np.sqrt(1 + np.pi * self.variance / 8)))

    def loosened(self, shared_spread: float, own_spread: float) -> "Gaussian":
        """Return what is left of a belief once the level of demand may have moved: for all alike, and for each.

        Both spreads are standard deviations in log odds.
        """
        level = np.full((*self.mean.shape, 1), shared_spread)
        return Gaussian(self.mean, self.covariance + own_spread**2, level)

    def mode(self, counts: Counts, hours: Floats, near: Floats) -> tuple[Floats, Floats]:
        """Return the likeliest log odds after purchases by hour, and the shared directions' part in them.

        They are looked for near log odds `near`, shape (n_products, n_knots).
        """
        odds, shared = near, np.zeros(self.shared.shape[2])
        for _ in range(_STEPS):
            weight, gradient = _curvature(odds, counts, hours)
            solved = _Solved(self, weight)
            pseudo = weight * (odds - self.mean) + gradient
            seen = solved.seen_by_own(pseudo)
            shared = solved.shared_mode(seen)
            wanted = self.mean + self.shared @ shared + solved.own_part(seen, shared)
            step = np.clip(wanted - odds, -_LONGEST_STEP, _LONGEST_STEP)
            odds = odds + step
            if np.abs(step).max(initial=0.0) < _CLOSE:
                break
        return odds, shared

    def updated(self, counts: Counts, hours: Floats | None = None) -> "Posterior":
        """Return the posterior after purchases; without any it is the belief itself.

        Parameters
        ----------
        counts
            By hour, or of all hours together; then no hour adds anything.
        hours
            What each hour adds to the log odds, shape (n_hours, n_products).
        """
        if counts.met.ndim == self.mean.ndim:
            counts, hours = Counts(counts.met[None], counts.bought[None]), None
        hours = np.zeros((1, len(self.mean))) if hours is None else hours
        odds, shared = self.mode(counts, hours, self.mean)
        weight, gradient = _curvature(odds, counts, hours)
        solved = _Solved(self, weight)
        part = odds - self.mean - self.shared @ shared
        own, directions = solved.own_covariance(), solved.left_of_shared()
        return Posterior(
            Gaussian(odds, symmetric(own), np.ascontiguousarray(directions)),
            _log_likelihood(odds, counts, hours)
            - 0.5 * float((part * gradient).sum())
            - 0.5 * float(shared @ shared)
            + solved.log_volume(),
        )


def symmetric(covariance: Floats) -> Floats:
    """Return covariances without what rounding made of their symmetry, shape (..., n, n)."""
    return np.asarray((covariance + covariance.swapaxes(-2, -1)) / 2)


@dataclass(frozen=True)
class Posterior:
    """A belief after purchases, and the log of how likely they were beforehand (Laplace's approximation)."""

    belief: Gaussian
    log_evidence: float


class _Solved:
    """The linear algebra of one Newton step: own parts are integrated out, then the shared directions are solved."""

    def __init__(self, prior: Gaussian, weight: Floats) -> None:
        self._prior, self._root = prior, np.sqrt(np.maximum(weight, _LEAST_WEIGHT))
        n_knots = weight.shape[1]
        scaled = self._root[:, :, None] * prior.own * self._root[:, None, :]
        self._factor = np.linalg.cholesky(np.eye(n_knots) + scaled)
        lower = np.linalg.inv(self._factor)
        self._middle = self._root[:, :, None] * (lower.swapaxes(1, 2) @ lower) * self._root[:, None, :]
        precision = np.eye(prior.shared.shape[2]) + _seen_through(prior.shared, self._middle)
        self._shared_factor = np.linalg.cholesky(precision)

    def seen_by_own(self, pseudo: Floats) -> Floats:
        """Return (own + 1 / weight)^-1 applied to pseudo / weight, which is weight x log odds + gradient."""
        through = np.einsum("pkl,pl->pk", self._prior.own, pseudo)
        return pseudo - np.einsum("pkl,pl->pk", self._middle, through)

    def shared_mode(self, seen: Floats) -> Floats:
        """Return the shared directions' mode, shape (n_directions,), given what is seen by the own parts."""
        right = np.einsum("pki,pk->i", self._prior.shared, seen)
        return np.linalg.solve(self._shared_factor.T, np.linalg.solve(self._shared_factor, right))

    def own_part(self, seen: Floats, shared: Floats) -> Floats:
        """Return each product's own part at the mode, shape (n_products, n_knots)."""
        left = seen - np.einsum("pkl,pl->pk", self._middle, self._prior.shared @ shared)
        return np.einsum("pkl,pl->pk", self._prior.own, left)

    def own_covariance(self) -> Floats:
        """Return what the purchases leave of each product's own covariance."""
        return self._prior.own - self._prior.own @ self._middle @ self._prior.own

    def left_of_shared(self) -> Floats:
        """Return the directions that the purchases leave, again with standard normal weights."""
        reach = self._prior.shared - self._prior.own @ self._middle @ self._prior.shared
        return np.asarray(np.linalg.solve(self._shared_factor, reach.swapaxes(1, 2)).swapaxes(1, 2))

    def log_volume(self) -> float:
        """Return minus half the log determinants of both systems."""
        own = np.log(np.diagonal(self._factor, axis1=1, axis2=2)).sum()
        return -float(own + np.log(np.diagonal(self._shared_factor)).sum())


def _seen_through(shared: Floats, middle: Floats) -> Floats:
    """Return the sum over products of shared^T middle shared, shape (n_directions, n_directions)."""
    order = _order_of_products(shared.shape, middle.shape)
    return np.asarray(np.einsum(_SHARED_THROUGH, shared, middle, shared, optimize=order))


@lru_cache
def _order_of_products(shared: tuple[int, ...], middle: tuple[int, ...]) -> list[str | tuple[int, ...]]:
    """Return in which order three arrays are multiplied: to look for it takes longer than to multiply them."""
    operands = (np.empty(shared), np.empty(middle), np.empty(shared))
    order: list[str | tuple[int, ...]] = np.einsum_path(_SHARED_THROUGH, *operands, optimize=True)[0]
    return order


def _curvature(odds: Floats, counts: Counts, hours: Floats) -> tuple[Floats, Floats]:
    """Return curvature and gradient of the log likelihood in the log odds, shape (n_products, n_knots)."""
    chance = expit(odds + hours[:, :, None])
    return (counts.met * chance * (1 - chance)).sum(axis=0), (counts.bought - counts.met * chance).sum(axis=0)


def _log_likelihood(odds: Floats, counts: Counts, hours: Floats) -> float:
    odds = odds + hours[:, :, None]
    return float((counts.bought * odds - counts.met * np.logaddexp(0.0, odds)).sum())
