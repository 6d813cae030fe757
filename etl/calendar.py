"""The business dates of stores: which are sold, which one each store sells next, and at which tick it is now.

Dates are the stores', not the clock's: a twin's store may sell a January in seconds, and each store is at a date of its
own. Where tills sell, no date is before that of the clock, whose time is handed in as `now`.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice

from catalog.errors import CatalogError, DataError
from catalog.load import Catalog
from catalog.names import LIVE_GROUP
from etl.ledger import in_force_in, kept_catalog
from etl.open_days import LiveDay, days_with_live_parts, is_live, ticks_sold
from etl.twin.visits import visits_fingerprint
from warehouse.lake import Lake, Partition
from warehouse.origin import newest_closed, origin_of, seller_of, sold_partitions
from warehouse.query.advice import BEGIN, BEGIN_WITH_A_LOG

DEFAULT_START = dt.date(2026, 1, 5)
"""First business date of a lake that holds none."""

ONE_DAY = dt.timedelta(days=1)


def dates_from(start: dt.date, days: int) -> list[dt.date]:
    """Return `days` business dates from a first one."""
    return [start + dt.timedelta(days=day) for day in range(days)]


def newest_grouped(lake: Lake) -> dt.date:
    """Return the newest business date with demand cells.

    Raises
    ------
    DataError
        When there is none.
    """
    newest = next(lake.newest_dates("demand_cells"), None)
    if newest is None:
        is_sold = next(sold_partitions(lake), None) is not None
        way = "`shelfprice transform`" if is_sold else f"`{BEGIN}` or `{BEGIN_WITH_A_LOG}`"
        raise DataError(f"expected demand cells in the lake, found none; nothing was done: run {way}")
    return newest


def newest_sold(lake: Lake) -> dt.date | None:
    """Return the newest business date with decisions, closed or still being sold; None in an empty lake.

    A retailer's date counts when it is over: what is sold of it meanwhile is told by others.
    """
    if origin_of(lake.store) == "retailer":
        return newest_closed(lake)
    newest = (newest_closed(lake), next(lake.newest_dates("live_interactions"), None))
    return max((date for date in newest if date is not None), default=None)


def first_open_date(lake: Lake) -> dt.date:
    """Return the first business date that is not sold to its end: one that is being sold live, or the next.

    Raises
    ------
    DataError
        When nothing was ever sold.
    """
    closed = newest_closed(lake)
    being_sold = [day.business_date for day in days_with_live_parts(lake) if not day.is_closed(lake)]
    after = [] if closed is None else [closed + ONE_DAY]
    if not after and not being_sold:
        raise DataError(
            f"expected days that were sold, found none: no champion can price yet; run `{BEGIN}` or "
            f"`{BEGIN_WITH_A_LOG}`"
        )
    return min([*being_sold, *after])


def catalog_of_the_day(lake: Lake, catalog: Catalog, day: LiveDay) -> Catalog:
    """Return the catalog by which a live day goes on: the one of now, or the day's own under the limits of now.

    A day keeps the products, shoppers and hours that it opened with.
    """
    rows = in_force_in(lake, day.business_date, day.part("interactions").group)
    if not rows or rows[-1].catalog == catalog.fingerprint:
        return catalog
    try:
        opened_with = kept_catalog(lake, rows[0].catalog)
    except CatalogError:
        return catalog
    return catalog if has_the_shoppers_of(catalog, opened_with, day) else opened_with.with_limits_of(catalog)


def has_the_shoppers_of(catalog: Catalog, opened_with: Catalog, day: LiveDay) -> bool:
    """Return whether a catalog has the products and the shoppers that a live day began with."""
    return _kept_by(catalog, day) == _kept_by(opened_with, day)


def _kept_by(catalog: Catalog, day: LiveDay) -> tuple[object, ...]:
    """Return what a live day keeps of its catalog: products, hours, how stock lives and who comes."""
    rules, shoppers = catalog.stock_rules, visits_fingerprint(catalog, day.store, day.business_date)
    stock = rules and [
        (product.par_stock, product.shelf_life_days, product.deliveries, rules.closed_days)
        for product in catalog.products
    ]
    return catalog.skus, catalog.store.clock_of(day.store), stock, shoppers


_MOST_DATES = 62
"""How far back a store's newest date is looked for."""


def next_dates(
    lake: Lake, catalog: Catalog, stores: Collection[str], now: dt.datetime | None = None
) -> dict[str, dt.date]:
    """Return the business date that each store sells next, when what it sells live now is over.

    It is the day after the store's own newest one: stores need not be in step. A store that sold nothing lately opens
    with the others, and in a retailer's lake, where a date without a sale is sold too, all open after the newest date.

    Parameters
    ----------
    now
        The time, UTC. Where tills sell, dates pass although nobody sends their sales: a date is over when its store has
        closed. None leaves dates to what was sold.
    """
    closed, live = newest_closed(lake), days_with_live_parts(lake)
    being_sold = [day.business_date for day in live if day.store in catalog.store.stores and not day.is_closed(lake)]
    after = [] if closed is None else [closed + ONE_DAY]
    together = min([*being_sold, *after], default=DEFAULT_START)
    newest = {day.store: day.business_date for day in live}
    if origin_of(lake.store) == "retailer":
        newest = {store: max(date, closed or date) for store, date in newest.items()}
    else:
        for store, date in _newest_closed_of(lake, set(stores)).items():
            newest[store] = max(date, newest.get(store, date))
    dates = {store: newest[store] + ONE_DAY if store in newest else together for store in stores}
    seller = None if now is None else seller_of(lake.store, catalog.store)
    if seller is None or now is None:
        return dates
    return {store: seller.next_open_date(catalog, store, date, now) for store, date in dates.items()}


def _newest_closed_of(lake: Lake, stores: set[str]) -> dict[str, dt.date]:
    """Return the newest date of each store that was sold to its end; those that sold none lately are left out."""
    newest, missing = dict[str, dt.date](), set(stores)
    for date in islice(lake.newest_dates("interactions"), _MOST_DATES):
        for part in lake.partitions_on("interactions", date):
            sold = missing.intersection(stores_in(lake, part))
            newest |= dict.fromkeys(sold, date)
            missing -= sold
        if not missing:
            break
    return newest


def stores_in(lake: Lake, part: Partition) -> Iterable[str]:
    """Return the stores of a batch, as its name or the ledger says; else as its decisions do."""
    if is_live(part):
        return (part.group.removeprefix(LIVE_GROUP),)
    assert part.business_date is not None  # noqa: S101 - decisions are kept by day
    rows = in_force_in(lake, part.business_date, part.group)
    return rows[0].stores if rows else set(lake.read(part)["store_id"].unique().to_pylist())


@dataclass(frozen=True)
class StoreNow:
    """A store at its next tick: its business date, the tick's number from opening, and when it begins, UTC.

    `day` is the live day that is being sold; None where the store opens next.
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
    wanted, standing = list(stores), dict[str, StoreNow]()
    live = {day.store: day for day in days_with_live_parts(lake) if day.store in wanted and not day.is_closed(lake)}
    for store, day in live.items():
        shop, tick = catalog_of_the_day(lake, catalog, day).store, ticks_sold(lake, day)
        if tick < shop.opening.ticks:
            moment = shop.clock_of(store).moment_of(day.business_date, tick)
            standing[store] = StoreNow(store, day.business_date, tick, moment, day)
    dates = next_dates(lake, catalog, [store for store in wanted if store not in standing], now)
    for store, date in dates.items():
        standing[store] = StoreNow(store, date, 0, catalog.store.clock_of(store).moment_of(date, 0), None)
    return {store: standing[store] for store in wanted}
