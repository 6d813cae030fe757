"""Where each store stands: the tick that it prices next, and the catalog that it is priced by."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.errors import CatalogError
from catalog.load import Catalog
from etl.ledger import in_force_in, kept_catalog
from etl.live.calendar import next_dates
from etl.live.day import LiveDay
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
    ticks, wanted = catalog.store.opening.ticks, list(stores)
    live = {store: (day, ticks_sold(lake, day)) for store, day in days_being_sold(lake).items() if store in wanted}
    live = {store: (day, tick) for store, (day, tick) in live.items() if tick < ticks}
    dates = next_dates(lake, catalog, [store for store in wanted if store not in live])
    found = dict[str, StoreNow]()
    for store in wanted:
        day, tick = live.get(store, (None, 0))
        date = dates[store] if day is None else day.business_date
        found[store] = StoreNow(store, date, tick, catalog.store.clock_of(store).moment_of(date, tick), day)
    return found


def catalog_of_the_day(lake: Lake, catalog: Catalog, day: LiveDay) -> Catalog:
    """Return the catalog by which a live day goes on: the one of now, or the day's own where that has other products.

    A day keeps the products that it opened with. The limits of now bind them all the same.
    """
    rows = in_force_in(lake, day.business_date, day.part("interactions").group)
    if not rows or rows[-1].catalog == catalog.fingerprint:
        return catalog
    try:
        opened_with = kept_catalog(lake, rows[-1].catalog)
    except CatalogError:
        return catalog
    return catalog if opened_with.skus == catalog.skus else opened_with.with_limits_of(catalog)
