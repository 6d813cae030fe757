"""The time of the stores: the next tick that can still be priced, and the business date that it is of.

Business dates are the stores', not the clock's: a twin's store may sell a January in seconds, and each store is at a
date of its own.
"""

import datetime as dt
from collections.abc import Iterable

from catalog.load import Catalog
from etl.live.calendar import next_dates
from etl.live.day import LiveDay, days_with_live_parts
from etl.live.day_catalog import catalog_of_the_day
from warehouse.lake import Lake


def next_tick(lake: Lake, catalog: Catalog, store: str | None = None) -> dt.datetime:
    """Return when the next tick begins that is not sold yet, UTC: of a store's live day, else of its next date.

    Parameters
    ----------
    store
        None is the store that is first.
    """
    return min(next_ticks(lake, catalog, catalog.store.stores if store is None else (store,)).values())


def next_date(lake: Lake, catalog: Catalog, store: str | None = None) -> dt.date:
    """Return the local date on which the next tick begins that is not sold yet.

    Parameters
    ----------
    store
        None is the store that sells now and is first there; where none sells, the one that opens first.
    """
    stores = catalog.store.stores if store is None else (store,)
    live = [own for own in days_being_sold(lake) if own in stores]
    own, moment = min(next_ticks(lake, catalog, live or stores).items(), key=lambda item: (item[1], item[0]))
    return catalog.store.clock_of(own).date_of(moment)


def next_ticks(lake: Lake, catalog: Catalog, stores: Iterable[str]) -> dict[str, dt.datetime]:
    """Return when the next tick of each store begins that is not sold yet, UTC, as `next_tick` does of one."""
    being_sold = days_being_sold(lake)
    wanted = list(stores)
    dates = next_dates(lake, catalog, [store for store in wanted if store not in being_sold])
    return {
        store: next_tick_of(lake, catalog, being_sold[store])
        if store in being_sold
        else catalog.store.clock_of(store).opening_of(dates[store])
        for store in wanted
    }


def days_being_sold(lake: Lake) -> dict[str, LiveDay]:
    """Return the newest live day of each store that is not closed."""
    return {day.store: day for day in days_with_live_parts(lake) if not day.is_closed(lake)}


def next_tick_of(lake: Lake, catalog: Catalog, day: LiveDay) -> dt.datetime:
    """Return when the next tick of a live day begins that is not sold yet, UTC."""
    own = catalog_of_the_day(lake, catalog, day)
    return own.store.clock_of(day.store).moment_of(day.business_date, ticks_sold(lake, day))


def ticks_sold(lake: Lake, day: LiveDay) -> int:
    """Return how many ticks of a live day are sold."""
    receipt = lake.receipt(day.part("live_interactions"))
    return int(receipt.inputs.rsplit(":", 1)[1]) if receipt is not None else 0
