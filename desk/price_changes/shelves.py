"""How the products of a store stand on its shelf, by column: a chain has millions of them, and most stand alike."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalog.arrays import Flags, Ints
from serving.stock_ahead import Keeps


@dataclass(frozen=True)
class OnShelf:
    """How a product stands in a store: its units at a tick, and what keeps of those that it opened with, or None."""

    stock: int
    tick: int = 0
    keeps: Keeps | None = None


@dataclass(frozen=True)
class Shelves:
    """How products stand in a store. Arrays have shape (n_products,); one that is asked for is an object.

    Attributes
    ----------
    product
        Positions of the products in their price book; -1 where it does not know one.
    stock
        Units at the tick.
    tick
        Number of the tick.
    keeps
        What keeps of those that it opened with, shape (n_products, n_lives); None where that does not matter.
    far
        How many numbers of `keeps` matter.
    """

    product: Ints
    stock: Ints
    tick: int
    keeps: Ints | None = None
    far: Ints | None = None

    def __len__(self) -> int:
        """Return how many products there are."""
        return len(self.stock)

    def __getitem__(self, index: "int | np.integer[Any]") -> OnShelf:
        """Return how one stands."""
        keeps = None
        if self.keeps is not None and self.far is not None:
            keeps = tuple(self.keeps[index, : self.far[index]].tolist())
        return OnShelf(int(self.stock[index]), self.tick, keeps)

    def take(self, products: Ints) -> "Shelves":
        """Return those of some products, in their order."""
        keeps, far = (None if own is None else own[products] for own in (self.keeps, self.far))
        return replace(self, product=self.product[products], stock=self.stock[products], keeps=keeps, far=far)

    @property
    def are_known(self) -> Flags:
        """Which products the book knows."""
        return self.product >= 0

    @property
    def kinds(self) -> Ints:
        """What two products have the same of where they stand alike, shape (n_numbers, n_products)."""
        tick = np.full(len(self), self.tick)
        return np.stack([self.product, self.stock, tick, *(() if self.keeps is None else self.keeps.T)])
