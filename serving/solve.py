"""Solve the recursion of a whole shelf: products know nothing of each other, so blocks of them are done side by side.

What must hold: a block gives the bytes that it gives in one process. Its arrays travel, not the lake: whoever solves
needs nothing else.

The worth of a price is what it earns in expectation: (price - what a sale forgoes) x chance of sale.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from catalog.price_ladder import price_ladder
from catalog.spread import HERE, Spread
from serving.curves import DemandCurves, chance_at
from serving.pricing_policy import Asked
from serving.recursion import price_stock, rates_of


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


_JOBS_EACH = 4  # for each that works on them, so that none waits long for the last
_STATES_PER_SECOND = 1e8  # prices x stock levels x ticks that one core works out
_WORTH_A_CLUSTER = 5.0  # seconds of one core; 2,000 products take 2, of which a quarter is left to whoever sends them


@dataclass(frozen=True)
class ProductsToSolve:
    """Products whose recursion is to be solved.

    Attributes
    ----------
    first
        Position of the first of them on the shelf.
    gains, chances, choosable
        What one sale brings, EUR, its chance, and whether a price may be chosen, shape (n_products, n_prices). Chances
        that differ by tick have that axis first, (n_ticks, n_products, n_prices), and end at closing.
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    n_levels
        Stock levels, 0 included.
    """

    first: int
    gains: Floats
    chances: Floats
    choosable: Flags
    visits: Floats
    n_levels: int

    @property
    def name(self) -> str:
        """Positions of the first and the last of them, from 1."""
        return f"prices of products {self.first + 1} to {self.first + len(self.gains)}"

    @property
    def seconds(self) -> float:
        """How long it would take on one core, roughly."""
        return _seconds(self.gains.size, self.visits.shape[1] * self.n_levels)

    def among(self, first: int, size: int) -> "ProductsToSolve":
        """Return some of them."""
        own = slice(first, first + size)
        arrays = (self.gains[own], self.chances[..., own, :], self.choosable[own], self.visits[own])
        return ProductsToSolve(self.first + first, *arrays, self.n_levels)


@dataclass(frozen=True)
class Solved:
    """The best price and the value of what is left, as `price_stock` gives them, one product after another.

    Attributes
    ----------
    best
        Position of the best price, shape (n_products, n_levels, n_ticks).
    value
        Expected gain until closing, EUR, shape (n_products, n_levels, n_ticks + 1).
    """

    best: NDArray[np.int16]
    value: Floats


def solve(shelf: ProductsToSolve, spread: Spread = HERE) -> Solved:
    """Solve the recursion of every product: on other machines where it is worth sending, else in this process."""
    if not spread.is_elsewhere or shelf.seconds < _WORTH_A_CLUSTER:
        return solve_block(shelf)
    size = -(-len(shelf.gains) // (_JOBS_EACH * spread.width))
    found = spread(solve_block, [shelf.among(first, size) for first in range(0, len(shelf.gains), size)])
    return Solved(np.concatenate([own.best for own in found]), np.concatenate([own.value for own in found]))


def solve_block(block: ProductsToSolve) -> Solved:
    """Solve the recursion of some products, one after another."""
    n_ticks = block.visits.shape[1]
    best = np.empty((len(block.gains), block.n_levels, n_ticks), dtype=np.int16)
    value = np.empty((len(block.gains), block.n_levels, n_ticks + 1))
    rows = zip(block.gains, np.moveaxis(block.chances, -2, 0), block.choosable, block.visits, strict=True)
    for product, (gains, chances, is_choosable, visits) in enumerate(rows):
        among = np.flatnonzero(is_choosable)
        rates = rates_of(chances[..., among], visits)
        positions, value[product] = price_stock(gains[among], rates, block.n_levels, np.zeros(block.n_levels))
        best[product] = among[positions]
    return Solved(best, value)


def is_worth_a_cluster(catalog: Catalog) -> bool:
    """Tell whether the price book of a catalog is large enough to be worked out on other machines."""
    shelf = (int(catalog.par_stock.max()) + 1) * catalog.store.opening.ticks
    return _seconds(price_ladder(catalog).size, shelf) >= _WORTH_A_CLUSTER


def _seconds(n_prices: int, n_states: int) -> float:
    return n_prices * n_states / _STATES_PER_SECOND
