"""The price book in force as it is on the catalog of now, and as a store's own sales of the day have corrected it.

A book that was made under another catalog is worked out anew from the belief behind it, as a store's shelf is: so a
quote says what the shelf shows. A book without a belief stands as it is, matched to the products of the shelf.
"""

from dataclasses import dataclass

from catalog.load import Catalog
from etl.live.day import LiveDay, sold_so_far, taught
from serving.belief.policy import LearningPolicy, Outlook, morning_of
from serving.belief.table import belief_from_table
from serving.book_store import BookInForce, catalog_of, in_force_for
from serving.cold_start import match_to_shelf
from serving.curves import DemandCurves
from serving.price_book.book import PriceBook
from serving.price_book.tabulate import tabulate
from serving.storefront import LearningStorefront, storefront_that_learns
from warehouse.lake import Lake


@dataclass(frozen=True)
class PresentBook:
    """A price book on the shelf of a catalog, and the curves it stands on."""

    book: PriceBook
    curves: DemandCurves


def present_book(lake: Lake, catalog: Catalog, found: BookInForce) -> PresentBook:
    """Return the book in force on the catalog of now."""
    made_under = catalog_of(lake, in_force_for(found.book.published_at.date()))
    if found.belief is None or made_under == catalog.fingerprint:
        return PresentBook(*match_to_shelf(catalog, found.book, found.curves))
    return _tabulated(catalog, found, morning_of(catalog, *belief_from_table(found.belief, catalog)).outlook())


def book_after(lake: Lake, catalog: Catalog, found: BookInForce, day: LiveDay) -> PresentBook:
    """Return the book for the ticks that are left of a live day, as its shelf has learned from what it sold."""
    sold = sold_so_far(lake, day)
    if found.belief is None or sold is None:
        return present_book(lake, catalog, found)
    store = storefront_that_learns(catalog, morning_of(catalog, *belief_from_table(found.belief, catalog)))
    learned = taught(store, sold.rows, catalog, sold.mark.tick)
    assert isinstance(learned, LearningStorefront)  # noqa: S101 - what learns stays what it is
    assert isinstance(learned.policy, LearningPolicy)  # noqa: S101
    return _tabulated(catalog, found, learned.policy.outlook)


def _tabulated(catalog: Catalog, found: BookInForce, outlook: Outlook) -> PresentBook:
    left = catalog.store.opening.ticks - outlook.today.ticks
    book = tabulate(outlook.policy, catalog, found.book.published_at, outlook.curves, n_ticks=left)
    return PresentBook(book, outlook.curves)
