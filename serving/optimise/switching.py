"""How a shopper who found a product too dear, or sold out, chooses among its substitutes."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from catalog.arrays import Flags, Floats


class Switching(Protocol):
    """How a shopper who found a product too dear chooses among its substitutes."""

    @property
    def substitutes(self) -> Flags:
        """Which products may be taken instead of which, shape (n_products, n_products)."""
        ...

    def chances(self, product: int, own_ratio: Floats, ratios: Floats) -> Floats:
        """Return the chance that each product is taken instead of one.

        Parameters
        ----------
        product
            Position of the product that she found too dear.
        own_ratio
            Its price over base price, shape (n,); infinite where it is sold out.
        ratios
            Those of all products, shape (n, n_products); infinite for one that is not on the shelf.

        Returns
        -------
        Floats
            Shape (n, n_products); 0 for what is no substitute.
        """
        ...


@dataclass(frozen=True)
class LogitSwitching:
    """A multinomial logit in price ratios: the weight of substitute j is exp(level - slope x (ratio of j - 1)).

    Implements `Switching`. A leaving shopper has the weight 1.
    """

    substitutes: Flags
    level: float
    slope: float

    def chances(self, product: int, own_ratio: Floats, ratios: Floats) -> Floats:  # noqa: ARG002 - who left is not told
        """Return the chance that each product is taken instead of one, as `Switching` says; whatever its own price."""
        others, chances = np.flatnonzero(self.substitutes[product]), np.zeros(ratios.shape)
        weights = np.exp(self.level - self.slope * (ratios[:, others] - 1))
        chances[:, others] = weights / (1 + weights.sum(axis=1, keepdims=True))
        return chances
