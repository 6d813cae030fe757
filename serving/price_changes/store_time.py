"""The time of the stores: the next tick that can still be priced, and ticks as moments and back.

Business dates are the stores', not the clock's: a twin's store may sell a January in seconds.
"""

import datetime as dt
import math

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.records.opening import Opening
from etl.business_dates import DEFAULT_START, first_open_date
from etl.live.day import LiveDay, days_with_live_parts
from warehouse.lake import Lake


def next_tick(lake: Lake, catalog: Catalog, store: str | None = None) -> dt.datetime:
    """Return when the next tick begins that is not sold yet, UTC: of a store's live day, else of its next date.

    Parameters
    ----------
    store
        None is the first of all stores that reaches a tick.
    """
    opening = catalog.store.opening
    being_sold = [day for day in days_with_live_parts(lake) if not day.is_closed(lake) and store in {None, day.store}]
    if being_sold:
        return min(moment_of(opening, day.business_date, ticks_sold(lake, day)) for day in being_sold)
    return opening_of(opening, next_date(lake))


def moment_of(opening: Opening, date: dt.date, tick: int) -> dt.datetime:
    """Return when a tick of a date begins, UTC; the one after the last is closing."""
    minutes = opening.opens_minute + tick * opening.tick_minutes
    return dt.datetime.combine(date, dt.time(), dt.UTC) + dt.timedelta(minutes=minutes)


def opening_of(opening: Opening, date: dt.date) -> dt.datetime:
    """Return when stores open on a date, UTC."""
    return moment_of(opening, date, 0)


def closing_of(opening: Opening, date: dt.date) -> dt.datetime:
    """Return when stores close on a date, UTC."""
    return moment_of(opening, date, opening.ticks)


def ticks_within(
    opening: Opening, date: dt.date, start: dt.datetime, end: dt.datetime | None
) -> tuple[int, int] | None:
    """Return the first tick of a date that begins within a span, and the first one after; None where none does."""
    first = max(0, _first_tick_from(opening, date, start))
    after = opening.ticks if end is None else min(opening.ticks, _first_tick_from(opening, date, end))
    return (first, after) if first < after else None


def _first_tick_from(opening: Opening, date: dt.date, moment: dt.datetime) -> int:
    """Return the first tick of a date that begins at a moment or later; it may lie before opening or after closing."""
    since = (moment - opening_of(opening, date)) / dt.timedelta(minutes=opening.tick_minutes)
    return math.ceil(max(-1.0, min(since, opening.ticks + 1.0)))


def ticks_sold(lake: Lake, day: LiveDay) -> int:
    """Return how many ticks of a live day are sold."""
    receipt = lake.receipt(day.part("live_interactions"))
    return int(receipt.inputs.rsplit(":", 1)[1]) if receipt is not None else 0


def next_date(lake: Lake) -> dt.date:
    """Return the business date that stores open next, which others of them may be selling already."""
    try:
        return first_open_date(lake)
    except DataError:
        return DEFAULT_START
