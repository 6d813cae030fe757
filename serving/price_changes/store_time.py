"""The time of the stores: the next tick that can still be priced, and the business date that it is of.

Business dates are the stores', not the clock's: a twin's store may sell a January in seconds.
"""

import datetime as dt

from catalog.errors import DataError
from catalog.load import Catalog
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
    being_sold = [day for day in days_with_live_parts(lake) if not day.is_closed(lake) and store in {None, day.store}]
    if being_sold:
        return min(next_tick_of(lake, catalog, day) for day in being_sold)
    clocks = catalog.store.clocks if store is None else (catalog.store.clock_of(store),)
    date = next_opening_date(lake)
    return min(clock.opening_of(date) for clock in clocks)


def next_date(lake: Lake, catalog: Catalog, store: str | None = None) -> dt.date:
    """Return the local date on which the next tick begins that is not sold yet.

    Parameters
    ----------
    store
        None is the first of all stores that reaches a tick.
    """
    if store is not None or len(catalog.store.clocks) == 1:
        clock = catalog.store.clocks[0] if store is None else catalog.store.clock_of(store)
        return clock.date_of(next_tick(lake, catalog, store))
    return min((next_tick(lake, catalog, own), next_date(lake, catalog, own)) for own in catalog.store.stores)[1]


def next_tick_of(lake: Lake, catalog: Catalog, day: LiveDay) -> dt.datetime:
    """Return when the next tick of a live day begins that is not sold yet, UTC."""
    return catalog.store.clock_of(day.store).moment_of(day.business_date, ticks_sold(lake, day))


def ticks_sold(lake: Lake, day: LiveDay) -> int:
    """Return how many ticks of a live day are sold."""
    receipt = lake.receipt(day.part("live_interactions"))
    return int(receipt.inputs.rsplit(":", 1)[1]) if receipt is not None else 0


def next_opening_date(lake: Lake) -> dt.date:
    """Return the business date that stores open next, which others of them may be selling already."""
    try:
        return first_open_date(lake)
    except DataError:
        return DEFAULT_START
