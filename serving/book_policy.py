"""Sell from a price book: ask for what its policy asked for, and let the storefront limit it with the shelf in view."""

from dataclasses import dataclass

import numpy as np

from catalog.pricing import Shelf
from serving.price_book import PriceBook
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
        """Look every product up at its stock and time."""
        book = self.book
        product = np.broadcast_to(np.arange(len(book.skus)), shelf.stock.shape)
        cell = (product, np.minimum(shelf.stock, book.prices.shape[1] - 1), shelf.ticks_left - 1)
        return Asked(
            prices=book.unconstrained[cell],
            rule=book.policy_rule[cell].astype(np.int64),
            p_sale=book.p_unconstrained[cell],
            unit_value=book.unit_value[cell],
        )
