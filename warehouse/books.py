"""Where the price books of a lake are: as steps, or in the form of earlier versions, a row for each state."""

import datetime as dt
from collections.abc import Iterator

from catalog.names import BOOK_TABLES
from warehouse.lake import Lake
from warehouse.partition import Partition, Within


def book_on(lake: Lake, date: dt.date) -> Partition | None:
    """Return where the price book of a business date is; None without one."""
    return next((part for table in BOOK_TABLES for part in lake.partitions_on(table, date)), None)


def book_dates(lake: Lake, within: Within | None = None) -> list[dt.date]:
    """Return the business dates that have a price book, ascending; of those asked for, if any are."""
    return sorted({date for table in BOOK_TABLES for date in lake.dates(table, within)})


def newest_book_dates(lake: Lake) -> Iterator[dt.date]:
    """Yield the business dates that have a price book, the newest first, each looked for when asked."""
    for date in sorted({date for table in BOOK_TABLES for date in lake.store.dates(table)}, reverse=True):
        if book_on(lake, date) is not None:
            yield date
