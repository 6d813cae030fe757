"""From when until when an order of whole days holds in a store."""

import datetime as dt

from catalog.load import Catalog
from etl.live.store_now import StoreNow

Dates = tuple[dt.date | None, dt.date | None]
"""First and last business date. Without a first one it is the store's date, and without a last one the first."""


def span_of_days(catalog: Catalog, now: StoreNow, dates: Dates) -> tuple[dt.datetime, dt.datetime]:
    """Return when the first of some dates opens, or the store's next tick begins, and when the last one closes, UTC.

    Raises
    ------
    DataError
        When a date is of no year that clocks are known of.
    """
    clock, first = catalog.store.clock_of(now.store), dates[0] or now.date
    for date in dates:
        if date is not None:
            clock.moment_of_person(dt.datetime.combine(date, dt.time(12)))
    return max(now.moment, clock.opening_of(first)), clock.closing_of(dates[1] or first)
