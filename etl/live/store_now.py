"""Where each store stands: the tick that it prices next, when that begins, and the catalog that it is priced by.

Business dates are the stores', not the clock's: a twin's store may sell a January in seconds, and each store is at a
date of its own. Where tills sell, no date is before that of the clock, whose time is handed in as `now`.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.load import Catalog
from etl.live.calendar import catalog_of_the_day, next_dates
from etl.live.day import LiveDay, days_with_live_parts
from warehouse.lake import Lake


@dataclass(frozen=True)
class StoreNow:
    """A store at its next tick.

    Attributes
    ----------
    date, tick
        Business date, and number of the tick from opening.
    moment
        When the tick begins, UTC.
    day
        The live day that is being sold; None where the store opens next.
    """

    store: str
    date: dt.date
    tick: int
    moment: dt.datetime
    day: LiveDay | None


def stores_now(
    lake: Lake, catalog: Catalog, stores: Iterable[str], now: dt.datetime | None = None
) -> dict[str, StoreNow]:
    """Return where stores stand; one whose last tick is sold opens next, whether somebody closed its day or not.

    See `next_dates` for `now`, UTC.
    """
    wanted = list(stores)
    live = {day.store: day for day in days_with_live_parts(lake) if day.store in wanted and not day.is_closed(lake)}
    shelves = {store: catalog_of_the_day(lake, catalog, day) for store, day in live.items()}
    ticks = {store: ticks_sold(lake, day) for store, day in live.items()}
    live = {store: day for store, day in live.items() if ticks[store] < shelves[store].store.opening.ticks}
    dates = next_dates(lake, catalog, [store for store in wanted if store not in live], now)
    found = dict[str, StoreNow]()
    for store in wanted:
        day = live.get(store)
        date, tick, of = (
            (dates[store], 0, catalog) if day is None else (day.business_date, ticks[store], shelves[store])
        )
        found[store] = StoreNow(store, date, tick, of.store.clock_of(store).moment_of(date, tick), day)
    return found


def next_ticks(
    lake: Lake, catalog: Catalog, stores: Iterable[str], now: dt.datetime | None = None
) -> dict[str, dt.datetime]:
    """Return when the next tick of each store begins, UTC."""
    return {store: at.moment for store, at in stores_now(lake, catalog, stores, now).items()}


def next_tick(lake: Lake, catalog: Catalog, store: str | None = None, now: dt.datetime | None = None) -> dt.datetime:
    """Return when the next tick of a store begins, UTC; without one, of the store that is first."""
    return min(next_ticks(lake, catalog, catalog.store.stores if store is None else (store,), now).values())


def next_date(lake: Lake, catalog: Catalog, store: str | None = None, now: dt.datetime | None = None) -> dt.date:
    """Return the business date of the next tick.

    Parameters
    ----------
    store
        None is the store that sells now and is first there; where none sells, the one that opens first.
    """
    found = stores_now(lake, catalog, catalog.store.stores if store is None else (store,), now).values()
    selling = [at for at in found if at.day is not None]
    return min(selling or found, key=lambda at: (at.moment, at.store)).date


def ticks_sold(lake: Lake, day: LiveDay) -> int:
    """Return how many ticks of a live day are sold."""
    receipt = lake.receipt(day.part("live_interactions"))
    return int(receipt.inputs.rsplit(":", 1)[1]) if receipt is not None else 0
