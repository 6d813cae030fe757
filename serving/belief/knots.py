"""The prices at which a belief is held: evenly spaced knots from floor to ceiling, with straight lines between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
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
        floors = np.array([product.floor for product in catalog.products]) / catalog.base_prices
        ceilings = np.array([product.ceiling for product in catalog.products]) / catalog.base_prices
        steps = np.linspace(0.0, 1.0, min(catalog.store.ladder_prices, _MOST))
        return cls(floors[:, None] + (ceilings - floors)[:, None] * steps, catalog.base_prices)

    @property
    def shape(self) -> tuple[int, int]:
        """How many products, and how many knots each has."""
        return self.ratios.shape[0], self.ratios.shape[1]

    def place(self, product: NDArray[np.integer], price: Floats) -> tuple[Ints, Floats]:
        """Return the knot at or below each price and the share with which the next one counts, shape (n,).

        A price beyond the first or last knot counts for that one.
        """
        n_knots = self.ratios.shape[1]
        first, last = self.ratios[product, 0], self.ratios[product, -1]
        width = np.maximum(last - first, _SAME)
        at = np.clip((price / self.base_prices[product] - first) / width, 0.0, 1.0) * (n_knots - 1)
        below = np.minimum(at.astype(np.int64), n_knots - 2)
        return below, at - below

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
