"""Sell from a price book: ask for what its policy asked for, and let the storefront limit it with the shelf in view."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from catalog.arrays import Floats
from catalog.pricing import Shelf
from serving.price_book.book import PriceBook
from serving.pricing_policy import Asked


@dataclass(frozen=True)
class BookPolicy:
    """The prices of a book's policy before any limit, looked up.

    Attributes
    ----------
    kept
        Old prices that a store keeps in place of the book's, EUR, shape (n_products,), NaN where it follows the book.
    """

    book: PriceBook
    kept: Mapping[str, Floats] = field(default_factory=dict)

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
        """The book's rules, and that a store keeps an old price."""
        return (*self.book.rules, "kept_price") if self.kept else self.book.rules

    def ask(self, shelf: Shelf) -> Asked:
        """Look every product up at its stock and time."""
        book = self.book
        product = np.broadcast_to(np.arange(len(book.skus)), shelf.stock.shape)
        cell = (product, np.minimum(shelf.stock, book.prices.shape[1] - 1), shelf.ticks_left - 1)
        asked = Asked(
            prices=book.unconstrained[cell],
            rule=book.policy_rule[cell].astype(np.int64),
            p_sale=book.p_unconstrained[cell],
            unit_value=book.unit_value[cell],
        )
        return self._with_old_prices(asked, shelf) if self.kept and shelf.stores is not None else asked

    def _with_old_prices(self, asked: Asked, shelf: Shelf) -> Asked:
        assert shelf.stores is not None  # noqa: S101 - the caller asked
        follows = np.full(len(self.book.skus), np.nan)
        old = np.stack([self.kept.get(store, follows) for store in shelf.stores])
        is_old, unknown = np.isfinite(old), np.nan
        return Asked(
            prices=np.where(is_old, old, asked.prices),
            rule=np.where(is_old, len(self.book.rules), asked.rule),
            p_sale=np.where(is_old, unknown, asked.p_sale),
            unit_value=np.where(is_old, unknown, asked.unit_value),
        )
