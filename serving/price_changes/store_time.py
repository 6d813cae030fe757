"""The time of the stores: the next tick that can still be priced, and the business date that it is of.

Business dates are the stores', not the clock's: a twin's store may sell a January in seconds. Stores of several zones
are in step when each has sold what its own clock has passed: in Tokyo a date is over before it begins in Los Angeles.
"""

import datetime as dt
from collections.abc import Iterable

from catalog.load import Catalog
from catalog.names import LIVE_GROUP
from etl.business_dates import DEFAULT_START, ONE_DAY
from etl.live.day import LiveDay, days_with_live_parts, is_live
from warehouse.lake import Lake
from warehouse.sold import newest_closed, sold_on


def next_tick(lake: Lake, catalog: Catalog, store: str | None = None) -> dt.datetime:
    """Return when the next tick begins that is not sold yet, UTC: of a store's live day, else of its next date.

    Parameters
    ----------
    store
        None is the first of all stores that reaches a tick; while some of them are live, of those.
    """
    return _next(lake, catalog, store)[0]


def next_date(lake: Lake, catalog: Catalog, store: str | None = None) -> dt.date:
    """Return the local date on which the next tick begins that is not sold yet.

    Parameters
    ----------
    store
        As of `next_tick`.
    """
    moment, own = _next(lake, catalog, store)
    return catalog.store.clock_of(own).date_of(moment)


def next_ticks(lake: Lake, catalog: Catalog, stores: Iterable[str]) -> dict[str, dt.datetime]:
    """Return when the next tick of each store begins that is not sold yet, UTC, as `next_tick` does of one."""
    being_sold = days_being_sold(lake)
    wanted = list(stores)
    dates = next_opening_dates(lake, catalog, [store for store in wanted if store not in being_sold])
    return {
        store: next_tick_of(lake, catalog, being_sold[store])
        if store in being_sold
        else catalog.store.clock_of(store).opening_of(dates[store])
        for store in wanted
    }


def next_ticks_for(lake: Lake, catalog: Catalog, stores: Iterable[str | None]) -> dict[str | None, dt.datetime]:
    """Return the next tick of each of some stores, and of the first of all of them where None is among them."""
    wanted = set(stores)
    named = next_ticks(lake, catalog, [store for store in wanted if store is not None])
    return {store: next_tick(lake, catalog) if store is None else named[store] for store in wanted}


def days_being_sold(lake: Lake) -> dict[str, LiveDay]:
    """Return the first live day of each store that is not closed."""
    found = dict[str, LiveDay]()
    for day in days_with_live_parts(lake):
        if not day.is_closed(lake):
            found.setdefault(day.store, day)
    return found


def next_tick_of(lake: Lake, catalog: Catalog, day: LiveDay) -> dt.datetime:
    """Return when the next tick of a live day begins that is not sold yet, UTC."""
    return catalog.store.clock_of(day.store).moment_of(day.business_date, ticks_sold(lake, day))


def ticks_sold(lake: Lake, day: LiveDay) -> int:
    """Return how many ticks of a live day are sold."""
    receipt = lake.receipt(day.part("live_interactions"))
    return int(receipt.inputs.rsplit(":", 1)[1]) if receipt is not None else 0


def next_opening_dates(lake: Lake, catalog: Catalog, stores: Iterable[str]) -> dict[str, dt.date]:
    """Return the business date that each store opens next, when what it sells live now is over.

    It is the one that most stores open next; the date after for a store that has sold that one already, while others
    sell it; and the date before for one that sells live and whose clock has not come to it, see `_is_ahead`.
    """
    closed, live = newest_closed(lake), days_with_live_parts(lake)
    being_sold = [day.business_date for day in live if day.store in catalog.store.stores and not day.is_closed(lake)]
    candidates = [*being_sold, *([] if closed is None else [closed + ONE_DAY])]
    common, newest = min(candidates, default=DEFAULT_START), {day.store: day.business_date for day in live}
    found = dict[str, dt.date]()
    for store in stores:
        own = newest[store] + ONE_DAY if store in newest else common
        is_in_step = own >= common or (own + ONE_DAY == common and _is_ahead(lake, catalog, store, own))
        found[store] = own if is_in_step else common
    return found


def _is_ahead(lake: Lake, catalog: Catalog, store: str, date: dt.date) -> bool:
    """Tell whether a date that others have sold to its end is still to come for a store, by the clocks of all."""
    parts = list(sold_on(lake, date))
    if not all(is_live(part) for part in parts):
        return False  # a batch may hold any store
    clock_of = catalog.store.clock_of
    closings = [clock_of(part.group.removeprefix(LIVE_GROUP)).closing_of(date) for part in parts]
    return clock_of(store).opening_of(date) >= max(closings)


def _next(lake: Lake, catalog: Catalog, store: str | None) -> tuple[dt.datetime, str]:
    """Return when the next tick begins, and the store that it is of."""
    if store is not None:
        return next_ticks(lake, catalog, (store,))[store], store
    stores = catalog.store.stores
    live = [own for own in days_being_sold(lake) if own in stores]
    return min((moment, own) for own, moment in next_ticks(lake, catalog, live or stores).items())
