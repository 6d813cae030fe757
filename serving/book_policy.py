"""Sell from a price book: ask for what its policy asked for, and let the storefront limit it with the shelf in view."""

from dataclasses import dataclass

import numpy as np

from catalog.pricing import Shelf
from serving.price_book import BookedStates, PriceBook
from serving.pricing_policy import Asked


@dataclass(frozen=True)
class BookPolicy:
    """The prices of a book's policy before any limit, looked up."""

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
        """Look every product up at its stock and time, once where all stores have the same stock, as at opening."""
        stock, book = shelf.stock[:1] if (shelf.stock == shelf.stock[:1]).all() else shelf.stock, self.book
        if len(stock) == 1 and shelf.ticks_left == book.n_ticks and (stock >= book.par_stock).all():
            found = book.opening
        else:
            found = book.at(np.arange(len(book.skus)), stock, shelf.ticks_left)
        found = BookedStates._make(np.broadcast_to(own, shelf.stock.shape) for own in found)
        rule = found.policy_rule.astype(np.int64)
        return Asked(found.unconstrained, rule, found.p_unconstrained, found.unit_value)
