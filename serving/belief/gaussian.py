"""A Gaussian belief about log odds of a sale.

The log odds of each product at its knots are `mean + shared part + own part`. The shared part is one for the whole
shelf, so that what one product teaches helps the others; the own part is each product's.

The knots are spaced as the ladder's prices are, evenly on both sides of the base price, with straight lines between
them: what sells at a candidate price tells of that price, and not of two others beside it.
"""

from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from catalog.arrays import Floats, Ints
from catalog.ladder import exact_ladder
from catalog.load import Catalog

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

    def among(self, products: slice | Ints) -> "Knots":
        """Return those of some products."""
        return Knots(self.ratios[products], self.base_prices[products])

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
        some = counts > 0
        product, counts = product[some], counts[some]
        below, share = self.place(product, price[some])
        lower = product * self.shape[1] + below
        parts = np.concatenate([counts * (1 - share), counts * share])
        total = np.bincount(np.concatenate([lower, lower + 1]), parts, minlength=self.ratios.size)
        return np.asarray(total.reshape(self.shape))

    def at(self, values: Floats, prices: Floats) -> Floats:
        """Read values that are known at the knots at other prices, EUR, shape (n_products, n_prices).

        `values` may have axes before the products', which the result has as well.
        """
        product = np.broadcast_to(np.arange(len(prices))[:, None], prices.shape)
        below, share = self.place(product, prices)
        return values[..., product, below] * (1 - share) + values[..., product, below + 1] * share


def evenly_chosen(count: int, most: int) -> Ints:
    """Return positions of at most so many products of a shelf, evenly chosen, shape (n,)."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


@dataclass(frozen=True)
class Counts:
    """Visits that found the product on the shelf, and those of them that bought.

    Shape (n_products, n_knots), or (n_hours, n_products, n_knots) where hours are told apart.
    """

    met: Floats
    bought: Floats

    def among(self, products: slice) -> "Counts":
        """Return those of some products."""
        return Counts(self.met[..., products, :], self.bought[..., products, :])

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

    def among(self, products: slice | Ints) -> "Gaussian":
        """Return the belief of some products."""
        return Gaussian(self.mean[products], self.own[products], self.shared[products])

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


@numba.njit(cache=True, nogil=True)
def falling(curves: Floats, sure: Floats) -> Floats:
    """Return the curves that never rise and are nearest, by squares that are weighed by how sure each value is.

    Parameters
    ----------
    curves
        Values at ascending prices, shape (n_curves, n_products, n_prices).
    sure
        Weight of each value, above 0, shape (n_products, n_prices).
    """
    n_curves, n_products, n_prices = curves.shape
    nearest = np.empty(curves.shape)
    mean, weight = np.empty(n_prices), np.empty(n_prices)  # of each pool of neighbours
    ends = np.empty(n_prices, dtype=np.int64)
    for curve in range(n_curves):
        for product in range(n_products):
            pools = 0
            for price in range(n_prices):
                mean[pools], weight[pools] = curves[curve, product, price], sure[product, price]
                ends[pools] = price + 1
                pools += 1
                while pools > 1 and mean[pools - 1] > mean[pools - 2]:
                    before, last = weight[pools - 2], weight[pools - 1]
                    mean[pools - 2] = (mean[pools - 2] * before + mean[pools - 1] * last) / (before + last)
                    weight[pools - 2], ends[pools - 2] = before + last, ends[pools - 1]
                    pools -= 1
            first = 0
            for pool in range(pools):
                nearest[curve, product, first : ends[pool]] = mean[pool]
                first = ends[pool]
    return nearest
