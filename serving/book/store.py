"""Find the price book in force on a date, and open it: stores sell from the belief behind it.

The newest book whose bytes are proven is the last known good one, so pricing goes on when the registry is away or a
newer book is damaged; `warehouse.checks.whole` says which were passed over.

The book of a date is one for all stores. Where a belief knows kinds of stores, each kind sells from its own belief
instead. Where prices need approval, a product has one approved price, so all stores sell from the common belief.

Solving a belief takes far longer than looking a price up, so a caller with several questions opens the book once.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa

from catalog.load import Catalog
from serving.belief.belief import Belief, StoreKind
from serving.belief.table import belief_from_table, stores_of_kinds
from serving.book.book import PriceBook, book_from_table
from serving.learning.outlook import DayStart, start_of_day
from serving.optimise.curves import DemandCurves, curves_from_table
from warehouse.checks.whole import is_whole, parts_of_book
from warehouse.lake import Lake


class BookInForce(NamedTuple):
    """A proven price book, the curves and the belief it stands on, and its SHA-256."""

    book: PriceBook
    curves: DemandCurves
    sha256: str
    belief: pa.Table


def book_in_force(lake: Lake, on: dt.date | None = None) -> BookInForce | None:
    """Return the newest proven price book for a date or before, with what it stands on; None without one."""
    lake.finish_interrupted()
    for date in lake.newest_dates("booked_prices"):
        if (on is None or date <= on) and is_whole(lake, date):
            return read_book(lake, date)
    return None


def read_book(lake: Lake, date: dt.date) -> BookInForce:
    """Read the price book of a date with what it stands on."""
    book, curves, belief = parts_of_book(date)
    return BookInForce(
        book_from_table(lake.read(book)), curves_from_table(lake.read(curves)), lake.sha256(book), lake.read(belief)
    )


def book_with(lake: Lake, date: dt.date, sha256: str) -> BookInForce | None:
    """Return the price book of a date if it is the one with these bytes and whole; None when it is not kept."""
    receipt = lake.receipt(parts_of_book(date)[0])
    return read_book(lake, date) if receipt is not None and receipt.sha256 == sha256 and is_whole(lake, date) else None


def catalog_of(lake: Lake, date: dt.date) -> str | None:
    """Return the fingerprint of the catalog that the book of a date was worked out under; None without a book."""
    receipt = lake.receipt(parts_of_book(date)[0])
    return receipt.inputs.partition(":")[0] if receipt else None


def is_priced(lake: Lake, date: dt.date) -> bool:
    """Return whether a price book was made for exactly this date."""
    return lake.receipt(parts_of_book(date)[0]) is not None


_NAMED = 5  # stores that a sentence names


def kind_of(catalog: Catalog, belief: Belief, store: str | None) -> StoreKind | None:
    """Return the kind of a store, where it has one of its own and prices may follow it; None for all stores."""
    kinds = () if catalog.store.approval.is_asked_for else belief.kinds
    return next((kind for kind in kinds if store in kind.stores), None)


def named(stores: Sequence[str]) -> str:
    """Name stores, the first few of many."""
    return ", ".join(stores[:_NAMED]) + (f" and {len(stores) - _NAMED} more" if stores[_NAMED:] else "")


def kinds_in_words(catalog: Catalog, belief: pa.Table) -> str | None:
    """Say which stores are of which kind, and what the one price book then is for; None while all are alike."""
    kinds = stores_of_kinds(belief)
    if not kinds:
        return None
    then = ": each kind sells from a belief of its own, and the one price book is of all of them together"
    if catalog.store.approval.is_asked_for:
        then = ", but prices wait for a person, so one price book holds in all of them"
    return f"stores are of {len(kinds)} kinds ({'; '.join(map(named, kinds))}){then}"


def believed_in(catalog: Catalog, belief: Belief, store: str | None) -> tuple[Belief, int | None]:
    """Return the belief about a store, and how many stores learn together; None is all of them."""
    kind = kind_of(catalog, belief, store)
    return (belief, None) if kind is None else (belief.of_kind(kind), len(kind.stores))


class OpenBook:
    """A price book in force, on the shelf of a catalog.

    Attributes
    ----------
    found
        The book, and what it stands on.
    """

    def __init__(self, catalog: Catalog, found: BookInForce) -> None:
        """Keep the book; solve on demand."""
        self.found, self._catalog = found, catalog
        self._day_starts: dict[tuple[str, ...], DayStart] = {}

    @cached_property
    def belief(self) -> Belief:
        """The belief behind the book."""
        return belief_from_table(self.found.belief, self._catalog)

    def day_start(self, store: str | None = None) -> DayStart:
        """Return what a store's day begins with, the same for all stores of its kind; without a store, that of all."""
        kind = kind_of(self._catalog, self.belief, store)
        key = () if kind is None else kind.stores
        if key not in self._day_starts:
            belief, learners = believed_in(self._catalog, self.belief, store)
            self._day_starts[key] = replace(start_of_day(self._catalog, belief), learners=learners)
        return self._day_starts[key]


Books = Callable[[Catalog, dt.date], OpenBook | None]
"""Opens the price book in force on a date on the shelf of a catalog; None without one."""


def opened_once(lake: Lake) -> Books:
    """Return what opens the price books of a lake, each once on the shelf of a catalog."""
    opened = dict[tuple[str, dt.date], OpenBook | None]()

    def books(catalog: Catalog, date: dt.date) -> OpenBook | None:
        key = catalog.fingerprint, date
        if key not in opened:
            found = book_in_force(lake, date)
            opened[key] = None if found is None else OpenBook(catalog, found)
        return opened[key]

    return books
