"""Say that a price book is damaged, so that prices are older than they should be."""

import datetime as dt
from collections.abc import Sequence

from flows.progress import say
from warehouse.books import books_passed_over
from warehouse.lake import Lake


def say_damaged_books(lake: Lake, dates: Sequence[dt.date]) -> list[str]:
    """Say which damaged books were passed over on some dates, each once, and return these sentences."""
    published = {date for date in lake.dates("price_book") if dates and dates[0] < date <= dates[-1]}
    told, sentences = set[dt.date](), list[str]()
    for date in sorted({*dates[:1], *published}):
        damaged = books_passed_over(lake, date)
        if damaged is not None and not told.issuperset(damaged.dates):
            told.update(damaged.dates)
            sentences.append(f"{damaged.sentence}: run {damaged.remedy}")
            say(sentences[-1])
    return sentences
