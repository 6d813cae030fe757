"""When and on which date a new price of a store can stand: at its next tick."""

import datetime as dt
from collections.abc import Iterable

from catalog.errors import DataError, did_you_mean
from catalog.load import Catalog
from etl.calendar import stores_now
from warehouse.lake import Lake


def refuse_unknown_store(catalog: Catalog, store: str) -> None:
    """Refuse a store that the catalog does not have.

    Raises
    ------
    DataError
        When the store is unknown; the message lists the ones there are.
    """
    if store not in catalog.store.stores:
        known = ", ".join(catalog.store.stores[:20])
        meant = did_you_mean(store, catalog.store.stores)
        raise DataError(f"expected a store of the catalog ({known}), found {store!r}; nothing was sold{meant}")


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
