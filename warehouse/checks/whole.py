"""Find what does not belong together: a batch or a book of which one part is from another run than the rest.

Every commit has a record of its parts, and each part is held against it. Where a record was damaged and set aside, the
receipts of the parts of a batch, or of a book, must name the same inputs and the same seed.

Prices come from the newest whole book for a date or before. Whoever shows prices says which newer ones are damaged:
nothing else tells that the prices are older than they should be.
"""

import datetime as dt
from dataclasses import dataclass

from catalog.names import BOOK_GROUP
from warehouse.commits.locks import is_held
from warehouse.lake import Lake, Partition


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
        return f"`shelfprice doctor --fix`, then `shelfprice price --for {self.dates[0]}`"


def books_passed_over(lake: Lake, on: dt.date | None = None) -> PassedOver | None:
    """Return the damaged books for a date or before that are newer than the one in force; None where none is.

    Every byte of these books is read, up to the first that is whole. One that is being written is left out.
    """
    damaged: list[dt.date] = []
    for date in lake.newest_dates("booked_prices"):
        if on is not None and date > on:
            continue
        if is_whole(lake, date):
            return PassedOver(tuple(damaged), date) if damaged else None
        if not any(is_held(lake.locks, part.lock_name) for part in parts_of_book(date)):
            damaged.append(date)
    return PassedOver(tuple(damaged), None) if damaged else None


def parts_of_book(date: dt.date) -> tuple[Partition, Partition, Partition]:
    """Return where the price book of a date is kept, and the demand curves and the belief it stands on."""
    book, curves, belief = (
        Partition(table, date, BOOK_GROUP) for table in ("booked_prices", "demand_curves", "beliefs")
    )
    return book, curves, belief


def is_whole(lake: Lake, date: dt.date) -> bool:
    """Return whether the book of a date, its curves and its belief are proven and belong together."""
    parts = parts_of_book(date)
    made_from = {receipt.inputs if (receipt := lake.receipt(part)) else None for part in parts}
    return len(made_from) == 1 and None not in made_from and all(map(lake.is_proven, parts))
