"""The recursion on what a peer takes for true, looked up by stock and time until the plan is made anew."""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.pricing import Shelf
from evaluation.peers.known import KnownShelf
from serving.recursion import price_stock


@dataclass(frozen=True)
class Plan:
    """The best candidate of each product, by units on the shelf and ticks left: shape (n_products, n_levels, n_left).

    Position t of the last axis stands for t + 1 ticks left.
    """

    best: Ints

    def candidates_on(self, shelf: Shelf) -> Ints:
        """Return the candidate for each store and product, shape (n_stores, n_products)."""
        stock = np.clip(shelf.stock, 1, self.best.shape[1] - 1)
        return self.best[np.arange(len(self.best)), stock, shelf.ticks_left - 1]


def plan_for(known: KnownShelf, p_sale: Floats, visits: Floats, most_units: int) -> Plan:
    """Solve the recursion for the rest of a day.

    Parameters
    ----------
    p_sale
        Chance of sale at each candidate, shape (n_products, n_prices).
    visits
        Expected visits to each product in the ticks left, shape (n_products, n_left).
    most_units
        The most units of any product on a shelf.
    """
    solved = [
        price_stock(gains, np.outer(chances, coming), most_units + 1)[0]
        for gains, chances, coming in zip(known.gains, p_sale, visits, strict=True)
    ]
    return Plan(np.stack(solved))
