"""Sell from a price book: ask for what its policy asked for, and let the storefront limit it with the shelf in view.

In a retailer's store a book releases some prices alone, and those that move in small steps it releases as a share: each
store moves its own price by it. Wherever it releases nothing, the last regular price of the store's own shelf stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.currency import EUR, Currency
from catalog.pricing import Shelf
from serving.evidence import OwnPrices
from serving.price_book import PriceBook
from serving.pricing_policy import Asked

_SAME = 1e-6  # of the smallest unit


@dataclass(frozen=True)
class Released:
    """Which prices a book releases in a retailer's stores, and how each store follows. Arrays have shape (n_products,).

    Attributes
    ----------
    own
        The stores' own prices.
    by_book
        Whether the book releases a price of the product.
    middle
        The price that a small step of the book begins from, EUR; NaN for a product that does not move in small steps.
    lowest, highest
        How far a small step may go, EUR: prices that were seen.
    money
        The currency, whose smallest unit every price is a whole number of.
    """

    own: OwnPrices
    by_book: Flags
    middle: Floats
    lowest: Floats
    highest: Floats
    money: Currency = EUR

    def only(self, position: int) -> "Released":
        """Return what is released of one product, for a shelf that holds it alone."""
        part = slice(position, position + 1)
        own = OwnPrices(self.own.standing.only(position), self.own.stepped_from.only(position))
        arrays = {name: getattr(self, name)[part] for name in ("by_book", "middle", "lowest", "highest")}
        return replace(self, own=own, **arrays)

    def apply(self, asked: Asked, shelf: Shelf, rule: int) -> Asked:
        """Ask for each store's own price where nothing is released, and for its own step where a step is.

        `rule` is the number of `shelf_price` among the rules. A price that no store's log shows is not asked for: NaN.
        """
        standing = self.own.standing.of(shelf.stores, len(shelf.stock))
        stepped = self._stepped(asked.prices, self.own.stepped_from.of(shelf.stores, len(shelf.stock)))
        in_steps = self.by_book & np.isfinite(self.middle)
        follows = np.where(in_steps, np.isfinite(stepped), self.by_book) & np.isfinite(standing)
        return Asked(
            prices=np.where(follows, np.where(in_steps, stepped, asked.prices), standing),
            rule=np.where(follows, asked.rule, rule),
            p_sale=np.where(follows, asked.p_sale, np.nan),
            unit_value=np.where(follows, asked.unit_value, np.nan),
        )

    def _stepped(self, prices: Floats, before: Floats) -> Floats:
        """Return where the book's step leads from prices of before, EUR; NaN where it leads nowhere."""
        share, scale = prices / self.middle, self.money.scale
        at = before * share * scale
        down = np.maximum(np.ceil(at - _SAME) / scale, self.lowest)
        up = np.minimum(np.floor(at + _SAME) / scale, self.highest)
        stepped = np.where(share < 1, np.minimum(down, before), np.maximum(up, before))
        moves = (share != 1) & (np.abs(stepped - before) * scale > _SAME)
        return np.where(moves | (share == 1), stepped, np.nan)


@dataclass(frozen=True)
class BookPolicy:
    """The prices of a book's policy before any limit, looked up.

    Attributes
    ----------
    kept
        Old prices that a store keeps in place of the book's, EUR, shape (n_products,), NaN where it follows the book.
    released
        What the book releases in a retailer's stores; None where it prices every product.
    """

    book: PriceBook
    kept: Mapping[str, Floats] = field(default_factory=dict)
    released: Released | None = None

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
        """The book's rules, and that a store keeps an old price, or its own."""
        if self.released is not None:
            return (*self.book.rules, "kept_price", "shelf_price")
        return (*self.book.rules, "kept_price") if self.kept else self.book.rules

    def only(self, position: int, book: PriceBook) -> "BookPolicy":
        """Return the policy of one product, for a shelf that holds it alone, with its part of the book."""
        part = slice(position, position + 1)
        kept = {store: prices[part] for store, prices in self.kept.items()}
        return BookPolicy(book, kept, None if self.released is None else self.released.only(position))

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
        if self.released is not None:
            asked = self.released.apply(asked, shelf, len(book.rules) + 1)
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
