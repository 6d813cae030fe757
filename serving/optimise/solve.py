"""Solve the recursion of a shelf, whose products know nothing of each other, and value prices by what it gives.

The worth of a price is what it earns in expectation: (price - what a sale forgoes) x chance of sale.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from serving.optimise.curves import DemandCurves, chance_at
from serving.optimise.policy import Asked
from serving.optimise.recursion import price_stock, rates_of


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
        """Return what prices are worth, EUR per visit, what they bring beside a sale included."""
        return (prices - self.forgone) * self.p_sale(prices) + self.beside(prices)

    def beside(self, prices: Floats) -> Floats | float:
        """Return what a visit brings at prices beside its own sale, EUR."""
        return 0.0 if self.curves is None else self.curves.beside_at(prices)


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


@dataclass(frozen=True)
class ProductsToSolve:
    """Products whose recursion is to be solved.

    Attributes
    ----------
    gains, chances, choosable
        What one sale brings, EUR, its chance, and whether a price may be chosen, shape (n_products, n_prices). Chances
        that differ by tick have that axis first, (n_ticks, n_products, n_prices), and end at closing.
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    n_levels
        Stock levels, 0 included.
    """

    gains: Floats
    chances: Floats
    choosable: Flags
    visits: Floats
    n_levels: int


class Solved(NamedTuple):
    """The best price and what a unit more is worth, each of shape (n_ticks, n_products, n_levels).

    Attributes
    ----------
    best
        Position of the best price; position t of the first axis has t + 1 ticks left.
    unit_value
        What the last unit of a stock level earns until closing in the ticks after this one, EUR.
    """

    best: NDArray[np.unsignedinteger[Any]]
    unit_value: NDArray[np.floating[Any]]


def solve(shelf: ProductsToSolve) -> Solved:
    """Solve the recursion of products, one after another."""
    n_products, n_ticks = shelf.visits.shape
    shape = n_ticks, n_products, shelf.n_levels
    best = np.zeros(shape, dtype=np.min_scalar_type(shelf.gains.shape[1]))
    unit_value = np.zeros(shape)
    rows = zip(shelf.gains, np.moveaxis(shelf.chances, -2, 0), shelf.choosable, shelf.visits, strict=True)
    for product, (gains, chances, is_choosable, visits) in enumerate(rows):
        among = np.flatnonzero(is_choosable)
        rates = rates_of(chances[..., among], visits)
        positions, values = price_stock(gains[among], rates, shelf.n_levels, np.zeros(shelf.n_levels))
        best[:, product], unit_value[:, product, 1:] = among[positions].T, np.diff(values[:, :-1], axis=0).T
    return Solved(best, unit_value)
