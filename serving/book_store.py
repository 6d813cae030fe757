"""Where price books are kept: publish the newest, find the one in force on a date, and restore an earlier one.

The newest book whose bytes are proven is the last known good one, so pricing goes on when the registry is away
or a newer book is damaged. Replaced books are kept, for a day may have been sold from one.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.arrays import Floats
from catalog.load import Catalog
from serving.curves import DemandCurves, curves_from_table, curves_to_table
from serving.policies import policy_with_model
from serving.price_book.book import PriceBook
from serving.price_book.table import book_from_table, book_to_table
from serving.price_book.tabulate import tabulate
from warehouse.files import sha256_of
from warehouse.lake import Lake, Partition

GROUP = "all"
_NAME_LENGTH = 16  # of a replaced book: the start of its SHA-256


@dataclass(frozen=True)
class StoredBook:
    """Where a price book and the demand curves it stands on are kept, in force for a date or replaced."""

    book: Partition
    curves: Partition

    @property
    def is_replaced(self) -> bool:
        """Whether another book took its place."""
        return self.book.table.startswith("replaced_")

    def read(self, lake: Lake) -> tuple[PriceBook, DemandCurves]:
        """Read both whole."""
        return book_from_table(lake.read(self.book)), curves_from_table(lake.read(self.curves))


def unpublished_book(catalog: Catalog, curves: DemandCurves, visits: Floats, for_date: dt.date) -> PriceBook:
    """Return the price book of a business date without publishing it."""
    published_at = dt.datetime.combine(for_date, dt.time(), dt.UTC)
    return tabulate(policy_with_model(catalog, curves, visits), catalog, published_at, curves)


def publish_book(lake: Lake, catalog: Catalog, curves: DemandCurves, visits: Floats, for_date: dt.date) -> PriceBook:
    """Make and publish the price book of a business date and, before it, the demand curves it stands on.

    `visits` are the visits expected per store day, shape (n_products, n_ticks).
    """
    book = unpublished_book(catalog, curves, visits, for_date)
    facts = (catalog.fingerprint, curves.model_version, curves.supported.tolist(), visits.tolist())
    inputs = f"{catalog.fingerprint}:{hashlib.sha256(repr(facts).encode()).hexdigest()}"
    _keep_replaced(lake, for_date, inputs)
    lake.publish(Partition("demand_curves", for_date, GROUP), curves_to_table(curves), inputs=inputs)
    lake.publish(Partition("price_book", for_date, GROUP), book_to_table(book), inputs=inputs)
    return book


def book_in_force(lake: Lake, on: dt.date | None = None) -> tuple[PriceBook, DemandCurves, str] | None:
    """Return the newest proven price book for a date or before, its curves, and its fingerprint; None without one."""
    made_for = [
        partition.business_date
        for partition in lake.partitions("price_book")
        if partition.business_date is not None and (on is None or partition.business_date <= on)
    ]
    for date in reversed(made_for):
        stored = in_force_for(date)
        if _is_whole(lake, stored):
            return *stored.read(lake), sha256_of(lake.path(stored.book))
    return None


def newest_book_of(lake: Lake, model_version: str) -> StoredBook | None:
    """Return the newest proven price book of a model version, in force or replaced; None when there is none."""
    for stored in sorted(_stored_books(lake), key=lambda one: (one.book.business_date, not one.is_replaced))[::-1]:
        if _is_whole(lake, stored):
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


def restore_book(lake: Lake, stored: StoredBook, for_date: dt.date) -> None:
    """Put a stored book in force for a date again, byte for byte; its receipt says what it was made from, as before."""
    receipts = {part: lake.receipt(part) for part in (stored.curves, stored.book)}
    inputs = {part: receipt.inputs for part, receipt in receipts.items() if receipt is not None}
    rows = {part: lake.read(part) for part in inputs}
    _keep_replaced(lake, for_date, inputs[stored.book])
    target = in_force_for(for_date)
    lake.publish(target.curves, rows[stored.curves], inputs=inputs[stored.curves])
    lake.publish(target.book, rows[stored.book], inputs=inputs[stored.book])


def books_from(lake: Lake, first: dt.date) -> list[dt.date]:
    """Return the dates, from a first one on, that have a price book of their own."""
    dates = (partition.business_date for partition in lake.partitions("price_book"))
    return [date for date in dates if date is not None and date >= first]


def _keep_replaced(lake: Lake, date: dt.date, inputs: str) -> None:
    """Keep the book of a date when one made from something else is about to take its place."""
    there = in_force_for(date)
    receipt = lake.receipt(there.book)
    if receipt is None or receipt.inputs == inputs:
        return
    kept = _replaced(date, receipt.sha256[:_NAME_LENGTH])
    if lake.receipt(kept.book) is not None or not _is_whole(lake, there):
        return  # kept before, by one that was killed after that, or nothing to go back to
    for source, target in ((there.curves, kept.curves), (there.book, kept.book)):
        own = lake.receipt(source)
        lake.publish(target, lake.read(source), inputs=own.inputs if own else "")


def _stored_books(lake: Lake) -> Iterator[StoredBook]:
    for partition in lake.partitions("price_book"):
        if partition.business_date is not None:
            yield in_force_for(partition.business_date)
    for partition in lake.partitions("replaced_price_book"):
        if partition.business_date is not None:
            yield _replaced(partition.business_date, partition.group)


def in_force_for(date: dt.date) -> StoredBook:
    """Return where the price book of a date is kept."""
    return StoredBook(Partition("price_book", date, GROUP), Partition("demand_curves", date, GROUP))


def _replaced(date: dt.date, name: str) -> StoredBook:
    return StoredBook(Partition("replaced_price_book", date, name), Partition("replaced_demand_curves", date, name))


def _is_whole(lake: Lake, stored: StoredBook) -> bool:
    """Tell whether a book and its curves are proven and belong together: a kill may have come between the two."""
    receipts = [lake.receipt(part) for part in (stored.book, stored.curves)]
    made_from = {receipt.inputs for receipt in receipts if receipt is not None}
    return len(made_from) == 1 and all(
        receipt is not None and receipt.sha256 == sha256_of(lake.path(part))
        for receipt, part in zip(receipts, (stored.book, stored.curves), strict=True)
    )
