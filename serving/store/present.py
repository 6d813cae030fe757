"""The prices of a store at the present moment: of the printed book, or solved from the belief, product by product.

The printed book holds where its catalog is the one of now and the store has nothing of its own. Elsewhere the prices
follow from the belief: in another catalog, for a kind of stores, for units that a store opened with, after sales of
the day.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from etl.open_days import LiveDay, sold_so_far, stuck_in, taught
from etl.stock import opens_with
from serving.book.book import PriceBook
from serving.book.make import tabulate
from serving.book.store import BookInForce, OpenBook, catalog_of
from serving.learning.outlook import Outlook
from serving.learning.updates import LearningPolicy
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import PricingPolicy, StockAwarePolicy, policy_with_model, sales_of
from serving.store.in_force import stores_apart
from serving.store.storefront import LearningStorefront, storefront_that_learns
from warehouse.lake import Lake


class PresentBook(NamedTuple):
    """A price book on the shelf of a catalog, and the curves it stands on."""

    book: PriceBook
    curves: DemandCurves


@dataclass(frozen=True)
class PresentShelf:
    """A store's shelf whose products are priced one by one.

    Attributes
    ----------
    believed
        Returns the outlook that prices follow from.
    published_at
        When the book in force was made.
    opened_on, opened_with
        Business date, and the units of its opening by product and life; None for new units.
    sticker
        Stickers on the shelf, EUR, shape (n_products,), NaN for none; None before they are chosen.
    printed
        The book in force where its own prices hold.
    """

    catalog: Catalog
    believed: Callable[[], Outlook]
    published_at: dt.datetime
    opened_on: dt.date
    opened_with: Ints | None = None
    sticker: Floats | None = None
    printed: BookInForce | None = None

    @cached_property
    def outlook(self) -> Outlook:
        """The outlook that prices follow from."""
        return self.believed()

    @property
    def curves(self) -> DemandCurves:
        """The demand curves that prices stand on."""
        return self.outlook.curves if self.printed is None else self.printed.curves

    @property
    def n_ticks(self) -> int:
        """Ticks until closing."""
        if self.printed is not None:
            return self.printed.book.n_ticks
        return self.catalog.store.opening.ticks - self.outlook.today.ticks

    def whole(self) -> PresentBook:
        """Return the book of all products."""
        if self.printed is not None:
            return PresentBook(self.printed.book, self.curves)
        shelf = self.n_ticks, self.opened_with, self.opened_on, self.sticker
        policy = self.outlook.policy
        return PresentBook(tabulate(policy, self.catalog, self.published_at, self.curves, *shelf), self.curves)

    def only(self, product: int) -> PriceBook:
        """Return the book of one product."""
        if self.printed is not None:
            return self.printed.book.only(product)
        if product not in self._books:
            shelf, curves = self._one(product), self.curves.among(slice(product, product + 1))
            units = self._units_of(product)
            sticker = None if self.sticker is None else self.sticker[[product]]
            more = self.n_ticks, units, self.opened_on, sticker
            self._books[product] = tabulate(self._policy_of(product), shelf, self.published_at, curves, *more)
        return self._books[product]

    def worths(self, product: int, stock: int, left: int) -> Floats | None:
        """Return what `StockAwarePolicy.worths` does of a product; None for another policy."""
        policy = self._policy_of(product)
        if not isinstance(policy, StockAwarePolicy):
            return None
        units, shape = self._units_of(product), (1, 1)
        opened_with = None if units is None else units[None]
        stuck = None if self.sticker is None else self.sticker[None, [product]]
        at = np.full(shape, stock), np.full(shape, np.nan), left, np.zeros(shape)
        shelf = Shelf(*at, opened_with=opened_with, business_date=self.opened_on, sticker=stuck)
        return policy.worths(shelf, 0)

    @cached_property
    def _books(self) -> dict[int, PriceBook]:
        return {}

    @cached_property
    def _policies(self) -> dict[int, PricingPolicy]:
        return {}

    @cached_property
    def _sales(self) -> tuple[Floats, Floats]:
        return sales_of(self.catalog, self.outlook.curves, self.outlook.visits)

    def _one(self, product: int) -> Catalog:
        return Catalog((self.catalog.products[product],), self.catalog.store)

    def _policy_of(self, product: int) -> PricingPolicy:
        """Return the policy of a product alone: what its substitutes take is in its gains and chances."""
        if product not in self._policies:
            outlook, part = self.outlook, slice(product, product + 1)
            ahead, (gains, chances) = outlook.start.ahead, self._sales
            self._policies[product] = policy_with_model(
                self._one(product),
                outlook.curves.among(part),
                outlook.visits[part],
                ahead=None if ahead is None else ahead[part],
                sales=(gains[part], chances[..., part, :]),
            )
        return self._policies[product]

    def _units_of(self, product: int) -> Ints | None:
        """Return the units of a product by life; those that keep for ever come last on its own shelf, too."""
        if self.opened_with is None:
            return None
        units, lives = self.opened_with[[product]], (self.catalog.products[product].shelf_life_days or 0) + 1
        return np.concatenate([units[:, : lives - 1], units[:, lives - 1 :].sum(axis=1, keepdims=True)], axis=1)


def present_shelf(
    lake: Lake,
    catalog: Catalog,
    found: BookInForce,
    store: str | None = None,
    date: dt.date | None = None,
    opened: OpenBook | None = None,
) -> PresentShelf:
    """Return the shelf of a store, or of all that share the book in force, before its day begins.

    With a `date`, it holds the units with which the store opens on it. `opened` is the book, opened already.
    """
    published_at, at_hand = found.book.published_at, opened or OpenBook(catalog, found)
    if store is not None and date is not None and catalog.counts_evenings:
        units = _opened_with(lake, catalog, store, date)
        return PresentShelf(catalog, lambda: at_hand.day_start(store).outlook(), published_at, date, units)
    is_printed = catalog_of(lake, published_at.date()) == catalog.fingerprint
    is_printed = is_printed and store not in stores_apart(catalog, found)
    believed_of = None if is_printed else store
    return PresentShelf(
        catalog,
        lambda: at_hand.day_start(believed_of).outlook(),
        published_at,
        published_at.date(),
        printed=found if is_printed else None,
    )


def present_book(
    lake: Lake, catalog: Catalog, found: BookInForce, store: str | None = None, opened: OpenBook | None = None
) -> PresentBook:
    """Return the book in force on the catalog of now; of a store of a kind of its own, what stands for its book."""
    return present_shelf(lake, catalog, found, store, opened=opened).whole()


def shelf_after(lake: Lake, opened: OpenBook, catalog: Catalog, day: LiveDay, tick: int) -> PresentShelf:
    """Return the shelf of a live day from a tick on, as its store has learned from what it sold before."""
    sold = sold_so_far(lake, day, tick)
    if sold is None:
        return present_shelf(lake, catalog, opened.found, day.store, opened=opened)
    store = storefront_that_learns(catalog, opened.day_start(day.store))
    learned = taught(store, sold.rows, catalog, sold.mark.tick)
    assert isinstance(learned, LearningStorefront)  # noqa: S101 - what learns stays what it is
    assert isinstance(learned.policy, LearningPolicy)  # noqa: S101
    outlook, published_at = learned.policy.outlook, opened.found.book.published_at
    on, units = published_at.date(), None
    if catalog.counts_evenings:
        on, units = day.business_date, _opened_with(lake, catalog, day.store, day.business_date)
    stuck = stuck_in(catalog, sold.rows.repricings) if catalog.uses_stickers else None
    return PresentShelf(catalog, lambda: outlook, published_at, on, units, stuck)


def _opened_with(lake: Lake, catalog: Catalog, store: str, date: dt.date) -> Ints | None:
    units = opens_with(lake, catalog, (store,), date).opened_with
    return None if units is None else units[0]
