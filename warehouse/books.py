"""Which price books are whole, and which are passed over because they are not.

Prices come from the newest whole book for a date or before. Whoever shows prices says which newer ones are damaged:
nothing else tells that the prices are older than they should be.
"""

import datetime as dt
from dataclasses import dataclass, replace

from warehouse.commit_record import final_record
from warehouse.lake import Lake, Partition
from warehouse.locks import is_held
from warehouse.receipts import Receipt

_OF_A_BOOK = ("price_book", "demand_curves")
_GROUP = "all"


@dataclass(frozen=True)
class PassedOver:
    """Price books that are damaged, and what prices in their place.

    Attributes
    ----------
    dates
        Business dates of the damaged books, the newest first.
    instead
        Date of the whole book that is in force in their place; None where there is none.
    """

    dates: tuple[dt.date, ...]
    instead: dt.date | None

    @property
    def sentence(self) -> str:
        """What is wrong and what prices now, without a full stop."""
        dates = ", ".join(str(date) for date in reversed(self.dates))
        which = "the price book for" if len(self.dates) == 1 else "the price books for"
        was = "is damaged and was" if len(self.dates) == 1 else "are damaged and were"
        now = f"prices are those of the book for {self.instead}" if self.instead else "no other book is in force"
        return f"{which} {dates} {was} passed over; {now}"

    @property
    def remedy(self) -> str:
        """The commands that mend it, to be read in a sentence."""
        return f"`shelfprice verify --set-aside`, then `shelfprice price --for {self.dates[0]}`"


def books_passed_over(lake: Lake, on: dt.date | None = None) -> PassedOver | None:
    """Return the damaged books for a date or before that are newer than the one in force; None where none is.

    Every byte of these books is read, up to the first that is whole. One that is being written is left out.
    """
    damaged: list[dt.date] = []
    for date in reversed(lake.dates("price_book")):
        if on is not None and date > on:
            continue
        book, curves = (Partition(table, date, _GROUP) for table in _OF_A_BOOK)
        if is_whole(lake, book, curves):
            return PassedOver(tuple(damaged), date) if damaged else None
        if not any(is_held(lake.locks, part.lock_name) for part in (book, curves)):
            damaged.append(date)
    return PassedOver(tuple(damaged), None) if damaged else None


def is_whole(lake: Lake, book: Partition, curves: Partition) -> bool:
    """Tell whether a book, its curves and its belief are proven and belong together."""
    own, made_from = lake.receipt(book), lake.receipt(curves)
    if own is None or made_from is None or own.inputs != made_from.inputs:
        return False
    belief = replace(book, table=book.table.replace("price_book", "beliefs"))
    if not lake.holds(belief) and _was_committed_with(lake, own, belief):
        return False
    parts = (book, curves, *((belief,) if lake.holds(belief) else ()))
    return all(lake.is_proven(part) for part in parts)


def _was_committed_with(lake: Lake, book: Receipt, belief: Partition) -> bool:
    """Tell whether a belief was committed with a book."""
    record = None if book.commit is None else final_record(lake.notes, book.commit)
    return record is not None and record.holds(belief)
