"""A price book: the price of each product in every state of its shelf, and how it is looked up."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from serving.optimise.policies import Asked


class BookedStates(NamedTuple):
    """What a book holds in some states, in arrays of one shape.

    Attributes
    ----------
    prices, unconstrained
        Price to show under the static limits, and the policy's own before them, EUR.
    p_sale, p_unconstrained
        Chance of sale at either; 0 with an empty shelf.
    unit_value
        Value of one more unit kept, EUR; NaN where the policy does not value stock.
    rule, policy_rule
        Index into the book's rules: the last limit that changed the price, else the policy's rule; and that rule.
    """

    prices: Floats
    unconstrained: Floats
    p_sale: Floats
    p_unconstrained: Floats
    unit_value: Floats
    rule: NDArray[np.int16]
    policy_rule: NDArray[np.int16]


@dataclass(frozen=True)
class PriceBook:
    """Prices by product, time and stock. A stock above a product's par has the answer at par.

    Attributes
    ----------
    states
        All states, shape (n_products, n_ticks, n_levels): with 1, 2, ... ticks left, and with 0, 1, ... units.
    """

    skus: tuple[str, ...]
    par_stock: Ints
    states: BookedStates
    rules: tuple[str, ...]
    policy: str
    model_version: str
    published_at: dt.datetime

    @cached_property
    def positions(self) -> dict[str, int]:
        """Position of each sku."""
        return {sku: position for position, sku in enumerate(self.skus)}

    @property
    def n_ticks(self) -> int:
        """Ticks of the day that it prices, up to closing."""
        return self.states.prices.shape[1]

    @property
    def n_levels(self) -> int:
        """Stock levels up to the highest par, 0 included."""
        return self.states.prices.shape[2]

    def at(self, product: Ints | int, stock: Ints | int, ticks_left: Ints | int) -> BookedStates:
        """Look many states up at once, in the shape of the arguments."""
        place = product, np.asarray(ticks_left) - 1, np.minimum(stock, self.n_levels - 1)
        return BookedStates._make(own[place] for own in self.states)

    @cached_property
    def opening(self) -> BookedStates:
        """What each product has on a full shelf with all ticks left, shape (n_products,)."""
        return BookedStates._make(own[:, -1, -1] for own in self.states)

    def of(self, products: Ints | int | slice = slice(None)) -> BookedStates:
        """Return all states of some products, shape (..., n_levels, n_ticks); position t has t + 1 ticks left."""
        return BookedStates._make(own[products].swapaxes(-1, -2) for own in self.states)

    def only(self, product: int) -> "PriceBook":
        """Return the book of one product."""
        return self.take(np.array([product]))

    def take(self, products: Ints) -> "PriceBook":
        """Return the book of some products, in this order."""
        return replace(
            self,
            skus=tuple(self.skus[product] for product in products.tolist()),
            par_stock=self.par_stock[products],
            states=BookedStates._make(own[products] for own in self.states),
        )


def joined(books: Sequence[PriceBook]) -> PriceBook:
    """Return one book of the products of several, which are of one policy, shelf and day."""
    if len(books) == 1:
        return books[0]
    n_levels = max(book.n_levels for book in books)

    def whole(name: str) -> NDArray[Any]:
        parts = [getattr(book.states, name) for book in books]
        beyond = [((0, 0), (0, 0), (0, n_levels - part.shape[2])) for part in parts]
        return np.concatenate([np.pad(part, more, mode="edge") for part, more in zip(parts, beyond, strict=True)])

    return replace(
        books[0],
        skus=tuple(sku for book in books for sku in book.skus),
        par_stock=np.concatenate([book.par_stock for book in books]),
        states=BookedStates._make(map(whole, BookedStates._fields)),
    )


@dataclass(frozen=True)
class BookPolicy:
    """The prices of a book's policy before any limit, looked up: what a quote explains."""

    book: PriceBook

    @property
    def name(self) -> str:
        """Name of the policy the book was made from."""
        return self.book.policy

    @property
    def model_version(self) -> str | None:
        """Registered model version behind the book."""
        return self.book.model_version

    @property
    def rules(self) -> tuple[str, ...]:
        """The book's rules."""
        return self.book.rules

    def ask(self, shelf: Shelf) -> Asked:
        """Look every product up at its stock and time."""
        found = self.book.at(np.arange(len(self.book.skus)), shelf.stock, shelf.ticks_left)
        rule = found.policy_rule.astype(np.int64)
        return Asked(found.unconstrained, rule, found.p_unconstrained, found.unit_value)
