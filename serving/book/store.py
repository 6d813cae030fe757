"""Where price books are kept: find the one in force on a date.

The newest book whose bytes are proven is the last known good one, so pricing goes on when the registry is away or a
newer book is damaged; `warehouse.checks.whole` says which were passed over.
"""

import datetime as dt
from typing import NamedTuple

import pyarrow as pa

from serving.book.book import PriceBook
from serving.book.table import book_from_table
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
    """Tell whether a price book was made for exactly this date."""
    return lake.receipt(parts_of_book(date)[0]) is not None
