"""Business dates: which are sold, which date each store sells next, and by which catalog a day that is open goes on.

They are the store's dates, not the clock's.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from itertools import islice

import numpy as np

from catalog.errors import CatalogError, DataError, Declined, did_you_mean
from catalog.load import Catalog
from catalog.names import LIVE_GROUP
from etl.ledger import in_force_in, kept_catalog
from etl.live.day import LiveDay, days_with_live_parts, is_live
from etl.twin.visits import Visits, draw_visits
from warehouse.lake import Lake, Partition
from warehouse.origin import origin_of
from warehouse.query.advice import BEGIN, BEGIN_WITH_A_LOG
from warehouse.sold import newest_closed, sold_partitions
from warehouse.workspace import Workspace

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
        raise DataError(f"expected demand cells in the lake, found none; nothing was done: {_way_to_cells(lake)}")
    return newest


def _way_to_cells(lake: Lake) -> str:
    if next(sold_partitions(lake), None) is None:
        return f"run `{BEGIN}` or `{BEGIN_WITH_A_LOG}`"
    return "run `shelfprice transform`"


def newest_sold(lake: Lake) -> dt.date | None:
    """Return the newest business date with decisions, closed or still being sold; None in an empty lake.

    A retailer's date counts when it is over: what is sold of it meanwhile is told by others.
    """
    if origin_of(lake.store) == "retailer":
        return newest_closed(lake)
    found = (newest_closed(lake), next(lake.newest_dates("live_interactions"), None))
    return max((date for date in found if date is not None), default=None)


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


_DRAWN = ("starts", "since_opening_us", "product", "multiplier", "shopper", "dice", "picks_freshest")


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
    is_of_this_day = has_the_shoppers_of(catalog, opened_with, day, rows[0].seed)
    return catalog if is_of_this_day else opened_with.with_limits_of(catalog)


def has_the_shoppers_of(catalog: Catalog, opened_with: Catalog, day: LiveDay, seed: int) -> bool:
    """Tell whether a catalog has the products and the shoppers that a live day began with."""
    if catalog.skus != opened_with.skus or catalog.store.clock_of(day.store) != opened_with.store.clock_of(day.store):
        return False
    if _stock_of(catalog) != _stock_of(opened_with):
        return False
    drawn = (draw_visits(own, (day.store,), day.business_date, seed) for own in (catalog, opened_with))
    return are_the_same(*drawn)


def _stock_of(catalog: Catalog) -> list[tuple[object, ...]] | None:
    """Return what says how many units are on the shelf, and how long they keep; None where it is simply full."""
    rules = catalog.stock_rules
    if rules is None:
        return None
    return [(own.par_stock, own.shelf_life_days, own.deliveries, rules.closed_days) for own in catalog.products]


def are_the_same(one: Visits, other: Visits) -> bool:
    """Tell whether the same shoppers come at the same times."""
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in _DRAWN)


_MOST_DATES = 62
"""How far back a store's newest date is looked for."""


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


def day_to_sell(workspace: Workspace, store: str, date: dt.date | None) -> LiveDay:
    """Return the day to sell: the one asked for, else the one left open, else the day after the store's newest.

    Raises
    ------
    Declined
        When the date has decisions of the store already.
    """
    if date is None:
        return _open_day(workspace.lake, store) or LiveDay(store, _next_date(workspace, store))
    day = LiveDay(store, date)
    if day.is_closed(workspace.lake):
        raise Declined(f"{store} has sold {date} live, and the day is closed; nothing was sold, choose another date")
    if workspace.lake.receipt(day.part("live_interactions")) is None and _has_decisions(workspace.lake, day):
        raise Declined(
            f"{store} has decisions of {date} from a simulation; selling the day again would count it twice: nothing "
            f"was sold, choose another date, such as {_next_date(workspace, store)}"
        )
    return day


def dates_to_sell(
    workspace: Workspace, store: str, date: dt.date | None, days: int, left: dt.date | None
) -> tuple[LiveDay, dt.date]:
    """Return the first day and the last date to sell: those asked for, or what a run that was killed has left of them.

    Parameters
    ----------
    left
        Last date that such a run was to sell, None without one. Where it was killed behind its last tick nothing is
        left, and the first day lies after the last date.

    Raises
    ------
    Declined
        As in `day_to_sell`.
    """
    if left is not None and (date is None or date <= left):
        if LiveDay(store, left).is_closed(workspace.lake):
            return LiveDay(store, left + ONE_DAY), left
        day = day_to_sell(workspace, store, None)
        if day.business_date <= left:
            return day, left
    day = day_to_sell(workspace, store, date)
    return day, day.business_date + (days - 1) * ONE_DAY


def _open_day(lake: Lake, store: str) -> LiveDay | None:
    own = [day for day in days_with_live_parts(lake) if day.store == store and not day.is_closed(lake)]
    return own[0] if own else None


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
    own = {day.store: day.business_date for day in live}
    if origin_of(lake.store) == "retailer":
        own = {store: max(date, closed or date) for store, date in own.items()}
    else:
        for store, date in _newest_closed_of(lake, set(stores)).items():
            own[store] = max(date, own.get(store, date))
    found = {store: own[store] + ONE_DAY if store in own else together for store in stores}
    if now is None or catalog.store.sales != "outside":
        return found
    return {store: _not_closed_yet(catalog, store, date, now) for store, date in found.items()}


def _not_closed_yet(catalog: Catalog, store: str, date: dt.date, now: dt.datetime) -> dt.date:
    clock = catalog.store.clock_of(store)
    date = max(date, clock.date_of(now))
    while now >= clock.closing_of(date) or not catalog.store.is_open_on(date):
        date += ONE_DAY
    return date


def _next_date(workspace: Workspace, store: str) -> dt.date:
    return next_dates(workspace.lake, workspace.catalog, [store])[store]


def _newest_closed_of(lake: Lake, stores: set[str]) -> dict[str, dt.date]:
    """Return the newest date of each store that was sold to its end; those that sold none lately are left out."""
    found, missing = dict[str, dt.date](), set(stores)
    for date in islice(lake.newest_dates("interactions"), _MOST_DATES):
        for part in lake.partitions_on("interactions", date):
            own = missing.intersection(_stores_in(lake, part))
            found |= dict.fromkeys(own, date)
            missing -= own
        if not missing:
            break
    return found


def _stores_in(lake: Lake, part: Partition) -> Iterable[str]:
    """Return the stores of a batch, as its name or the ledger says; else as its decisions do."""
    if is_live(part):
        return (part.group.removeprefix(LIVE_GROUP),)
    assert part.business_date is not None  # noqa: S101 - decisions are kept by day
    rows = in_force_in(lake, part.business_date, part.group)
    return rows[0].stores if rows else set(lake.read(part)["store_id"].unique().to_pylist())


def _has_decisions(lake: Lake, day: LiveDay) -> bool:
    return any(day.store in _stores_in(lake, part) for part in lake.partitions_on("interactions", day.business_date))
