"""Where price books are kept: publish the newest, find the one in force on a date, and restore an earlier one.

The newest book whose bytes are proven is the last known good one, so pricing goes on when the registry is away or a
newer book is damaged; `warehouse.mixed` says which were passed over. Replaced books are kept, for a day may have been
sold from one.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.memory import give_back
from catalog.names import BOOK_TABLES
from catalog.spread import HERE, Spread
from serving.belief.taken_from_log import without_the_champions_word
from serving.book_blocks import unpublished_book
from serving.book_table import book_from_parts, book_to_table
from serving.curves import CURVES_ARE_IN, DemandCurves, curves_from_parts, curves_to_table
from serving.price_book import PriceBook
from warehouse.books import book_dates, book_on, newest_book_dates
from warehouse.commit import Commit
from warehouse.lake import Lake, Partition
from warehouse.mixed import is_whole
from warehouse.partition import between

GROUP = "all"
_NAME_LENGTH = 16  # of a replaced book: the start of its SHA-256
_ROWS_AT_ONCE = 8_000  # of a book that is read


class BookInForce(NamedTuple):
    """A proven price book, the curves and the belief it stands on, and its SHA-256.

    The belief is None where a book was made without one; such a book's prices do not learn from the day.
    """

    book: PriceBook
    curves: DemandCurves
    sha256: str
    belief: pa.Table | None = None


@dataclass(frozen=True)
class StoredBook:
    """Where a price book, the demand curves and the belief it stands on are kept, in force for a date or replaced."""

    book: Partition
    curves: Partition
    belief: Partition

    @property
    def is_replaced(self) -> bool:
        """Whether another book took its place."""
        return self.book.table.startswith("replaced_")

    @property
    def form(self) -> str:
        """The table of books in its form."""
        return self.book.table.removeprefix("replaced_")

    def read(self, lake: Lake) -> tuple[PriceBook, DemandCurves]:
        """Read book and curves whole."""
        book = book_from_parts(lake.read_in_parts(self.book, _ROWS_AT_ONCE))
        give_back()  # the rows of a chain's book are larger than the book
        curves = curves_from_parts(lake.read_in_parts(self.curves, _ROWS_AT_ONCE, CURVES_ARE_IN))
        give_back()
        return book, curves

    def read_belief(self, lake: Lake) -> pa.Table | None:
        """Read the belief behind the book; None where it was made without one.

        Raises
        ------
        LakeError
            When the belief is damaged: without it the book's prices would be others.
        """
        if not lake.holds(self.belief):
            return None
        rows, own, book = lake.read(self.belief), lake.receipt(self.belief), lake.receipt(self.book)
        return rows if own is not None and book is not None and own.inputs == book.inputs else None

    def parts(self, lake: Lake) -> tuple[Partition, ...]:
        """Return what is there of it, in the order in which it is published: the book last."""
        has_belief = self.read_belief(lake) is not None
        return (*((self.belief,) if has_belief else ()), self.curves, self.book)


@dataclass(frozen=True)
class NewBook:
    """A price book of a date that is ready to be committed, with what it stands on.

    Attributes
    ----------
    tables
        Rows by the partition that they become: belief, if there is one, and curves, then the book.
    inputs
        What each of them was made from, as in its receipt.
    """

    date: dt.date
    book: PriceBook
    tables: Mapping[Partition, pa.Table]
    inputs: Mapping[Partition, str]

    @property
    def place(self) -> Partition:
        """Where the book is to be."""
        return next(reversed(tuple(self.tables)))

    def stage(self, lake: Lake, commit: Commit) -> None:
        """Stage the book in place of the one that is in force on its date, which is kept."""
        _keep_replaced(lake, commit, self)
        if (there := book_on(lake, self.date)) not in {None, self.place}:
            commit.remove(there)
        for partition, rows in self.tables.items():
            give_back()  # a file of a chain's book takes as much again while it is written
            commit.publish(partition, rows, inputs=self.inputs[partition])


def new_book(
    catalog: Catalog,
    curves: DemandCurves,
    visits: Floats,
    for_date: dt.date,
    belief: pa.Table | None = None,
    spread: Spread = HERE,
) -> NewBook:
    """Make the price book of a business date; nothing is published.

    Parameters
    ----------
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    belief
        What is believed before the day, in the columns of `beliefs`; with it, prices learn from the day's own sales.
    spread
        Where its policy is worked out.
    """
    book = unpublished_book(catalog, curves, visits, for_date, spread)
    facts = (catalog.fingerprint, curves.model_version, curves.supported.tolist(), visits.tolist())
    known = () if belief is None else (without_the_champions_word(belief),)
    inputs = f"{catalog.fingerprint}:{hashlib.sha256(repr((*facts, *known)).encode()).hexdigest()}"
    target = in_force_for(for_date)
    tables = {} if belief is None else {target.belief: belief}
    tables |= {target.curves: curves_to_table(curves), target.book: book_to_table(book, inputs)}
    return NewBook(for_date, book, tables, dict.fromkeys(tables, inputs))


def publish_book(
    lake: Lake,
    catalog: Catalog,
    curves: DemandCurves,
    visits: Floats,
    for_date: dt.date,
    belief: pa.Table | None = None,
    spread: Spread = HERE,
) -> PriceBook:
    """Make the price book of a business date and commit it with the curves and the belief it stands on."""
    return commit_book(lake, new_book(catalog, curves, visits, for_date, belief, spread))


def commit_book(lake: Lake, new: NewBook) -> PriceBook:
    """Commit a price book that nothing else belongs to, and return it."""
    with lake.commit(f"prices-{new.date}", inputs=new.inputs[new.place]) as commit:
        new.stage(lake, commit)
    return new.book


def book_in_force(lake: Lake, on: dt.date | None = None) -> BookInForce | None:
    """Return the newest proven price book for a date or before, with what it stands on; None without one."""
    lake.finish_interrupted()
    for date in newest_book_dates(lake):
        if on is not None and date > on:
            continue
        stored = stored_on(lake, date)
        if is_whole(lake, stored.book, stored.curves):
            return BookInForce(*stored.read(lake), lake.sha256(stored.book), stored.read_belief(lake))
    return None


def newest_book_of(lake: Lake, model_version: str) -> StoredBook | None:
    """Return the newest proven price book of a model version, in force or replaced; None when there is none."""
    for stored in sorted(_stored_books(lake), key=lambda one: (one.book.business_date, not one.is_replaced))[::-1]:
        if is_whole(lake, stored.book, stored.curves):
            versions = lake.read(stored.curves)["model_version"]
            if len(versions) and versions[0].as_py() == model_version:
                return stored
    return None


def book_with(lake: Lake, sha256: str) -> StoredBook | None:
    """Return where the price book with these bytes is kept; None when it is not."""
    for stored in _stored_books(lake):
        receipt = lake.receipt(stored.book)
        if receipt is not None and receipt.sha256 == sha256:
            return stored
    return None


def catalog_of(lake: Lake, stored: StoredBook) -> str | None:
    """Return the fingerprint of the catalog that a book was worked out under; None when its receipt does not say."""
    receipt = lake.receipt(stored.book)
    fingerprint, apart, _ = receipt.inputs.partition(":") if receipt else ("", "", "")
    return fingerprint if apart else None


def restored_book(lake: Lake, stored: StoredBook, for_date: dt.date) -> NewBook:
    """Return a stored book to be put in force for a date again, byte for byte.

    Its receipts will say what it was made from, as before.
    """
    target = in_force_for(for_date, stored.form)
    places = {stored.belief: target.belief, stored.curves: target.curves, stored.book: target.book}
    receipts = {part: receipt for part in stored.parts(lake) if (receipt := lake.receipt(part)) is not None}
    tables = {places[part]: lake.read(part) for part in receipts}
    inputs = {places[part]: receipt.inputs for part, receipt in receipts.items()}
    return NewBook(for_date, stored.read(lake)[0], tables, inputs)


def books_from(lake: Lake, first: dt.date) -> list[dt.date]:
    """Return the dates, from a first one on, that have a price book of their own."""
    return book_dates(lake, between(first, dt.date.max))


def _keep_replaced(lake: Lake, commit: Commit, new: NewBook) -> None:
    """Keep the book of a date when one made from something else is about to take its place."""
    there = stored_on(lake, new.date)
    receipt = lake.receipt(there.book)
    if receipt is None or (there.book == new.place and receipt.inputs == new.inputs[new.place]):
        return
    kept = _replaced(new.date, receipt.sha256[:_NAME_LENGTH], there.form)
    if lake.receipt(kept.book) is not None or not is_whole(lake, there.book, there.curves):
        return  # kept before, or nothing to go back to
    places = {there.belief: kept.belief, there.curves: kept.curves, there.book: kept.book}
    for source in there.parts(lake):
        own = lake.receipt(source)
        commit.publish(places[source], lake.read(source), inputs=own.inputs if own else "")


def _stored_books(lake: Lake) -> Iterator[StoredBook]:
    for form in BOOK_TABLES:
        for partition in (*lake.partitions(form), *lake.partitions(f"replaced_{form}")):
            if (date := partition.business_date) is not None:
                yield in_force_for(date, form) if partition.table == form else _replaced(date, partition.group, form)


def stored_on(lake: Lake, date: dt.date) -> StoredBook:
    """Return where the price book of a date is kept, in whichever form; where it would be, if there is none."""
    book = book_on(lake, date)
    return in_force_for(date) if book is None else in_force_for(date, book.table)


def in_force_for(date: dt.date, form: str = BOOK_TABLES[0]) -> StoredBook:
    """Return where the price book of a date is kept in a form, by default that of this version."""
    return StoredBook(*(Partition(table, date, GROUP) for table in (form, "demand_curves", "beliefs")))


def _replaced(date: dt.date, name: str, form: str) -> StoredBook:
    tables = (form, "demand_curves", "beliefs")
    return StoredBook(*(Partition(f"replaced_{table}", date, name) for table in tables))
