"""Say that a price book is damaged, so that prices are older than they should be: to who hears us, and to the log."""

import datetime as dt
from collections.abc import Sequence

from prefect import get_run_logger

from flows.progress import say
from warehouse.books import books_passed_over
from warehouse.lake import Lake


def tell_of_damaged_books(lake: Lake, dates: Sequence[dt.date]) -> None:
    """Say which damaged books were passed over on some dates, each once."""
    own = {date for date in lake.dates("price_book") if dates and dates[0] < date <= dates[-1]}
    told = set[dt.date]()
    for date in sorted({*dates[:1], *own}):
        found = books_passed_over(lake, date)
        if found is not None and not told.issuperset(found.dates):
            told.update(found.dates)
            sentence = f"{found.sentence}: run {found.remedy}"
            say(sentence)
            get_run_logger().warning(sentence)
