"""Where each store stands: the tick that it prices next, and the catalog that it is priced by."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.load import Catalog
from etl.live.calendar import next_dates
from etl.live.day import LiveDay
from etl.live.day_catalog import catalog_of_the_day
from serving.price_changes.store_time import days_being_sold, ticks_sold
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


def stores_now(lake: Lake, catalog: Catalog, stores: Iterable[str]) -> dict[str, StoreNow]:
    """Return where stores stand; one whose last tick is sold opens next, whether somebody closed its day or not."""
    wanted = list(stores)
    live = {store: day for store, day in days_being_sold(lake).items() if store in wanted}
    shelves = {store: catalog_of_the_day(lake, catalog, day) for store, day in live.items()}
    ticks = {store: ticks_sold(lake, day) for store, day in live.items()}
    live = {store: day for store, day in live.items() if ticks[store] < shelves[store].store.opening.ticks}
    dates = next_dates(lake, catalog, [store for store in wanted if store not in live])
    found = dict[str, StoreNow]()
    for store in wanted:
        day = live.get(store)
        date, tick, of = (
            (dates[store], 0, catalog) if day is None else (day.business_date, ticks[store], shelves[store])
        )
        found[store] = StoreNow(store, date, tick, of.store.clock_of(store).moment_of(date, tick), day)
    return found
