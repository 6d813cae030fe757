"""What a price earns on a shelf in expectation: (price - what a sale forgoes) x chance of sale."""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats, Ints
from serving.curves import DemandCurves, chance_at
from serving.pricing_policy import Asked


@dataclass(frozen=True)
class Worth:
    """What is needed to value prices on a shelf. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    curves
        Demand curves; None without a model.
    asked
        What the policy wants: its own chance of sale counts at its own price.
    forgone
        What a sale forgoes, EUR: the value of the unit kept and, for margin, its cost.
    stock
        Units on the shelf.
    """

    curves: DemandCurves | None
    asked: Asked
    forgone: Floats
    stock: Ints

    def p_sale(self, prices: Floats) -> Floats:
        """Return the chance of sale at prices, EUR."""
        return chance_on_shelf(self.curves, prices, self.stock, self.asked.prices, self.asked.p_sale)

    def of(self, prices: Floats) -> Floats:
        """Return what prices are worth, EUR per visit."""
        return (prices - self.forgone) * self.p_sale(prices)


def chance_on_shelf(
    curves: DemandCurves | None, prices: Floats, stock: Ints, known_at: Floats, known: Floats
) -> Floats:
    """Return the chance of sale at prices: the one that is known where it is for this price, else the curves'.

    Parameters
    ----------
    curves
        Without a model, None: then nothing is known elsewhere, NaN.
    prices, stock
        EUR and units, shape (n_stores, n_products); an empty shelf sells nothing.
    known_at, known
        Prices with a known chance of sale, EUR, and that chance, NaN where it is not known, of the same shape.
    """
    p_sale = np.where(prices == known_at, known, np.nan)
    if curves is None or not (is_unknown := np.isnan(p_sale)).any():
        return p_sale
    return np.where(is_unknown, chance_at(curves.prices, curves.p_sale, prices) * (stock > 0), p_sale)
