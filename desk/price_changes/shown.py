"""The price that each store showed of each product, as the lake knows it: the last one, or that of an opening."""

import datetime as dt
from collections.abc import Collection, Iterable
from itertools import islice

import pyarrow.compute as pc

from catalog.load import Catalog
from etl.live.day import days_with_live_parts
from serving.evidence import evidence
from warehouse.lake import Lake, Partition

_MOST_DAYS = 14
"""Days with sales that are looked at for a store that did not sell on the newest of them."""

Prices = dict[tuple[str, str], float]
"""Prices, EUR, by store and product."""


def prices_shown(lake: Lake, catalog: Catalog) -> Prices:
    """Return the price shown last, EUR, by store and product; stores that never sold are left out.

    In a retailer's lake it is the last regular price of the log. A damaged part says nothing; the others go on.
    """
    regular = evidence().shelf_prices(lake, catalog)
    if regular is not None:
        return regular.by_place(catalog)
    batches = (list(lake.partitions_on("repricings", date)) for date in lake.newest_dates("repricings"))
    shown = _newest_prices(lake, catalog, (list(filter(lake.receipt, parts)) for parts in batches))
    for day in days_with_live_parts(lake):
        part = day.part("live_repricings")
        if not day.is_closed(lake) and day.store in catalog.store.stores and lake.receipt(part) is not None:
            shown |= _prices_in(lake, part, {day.store})
    return shown


def opening_prices_before(lake: Lake, catalog: Catalog, date: dt.date) -> Prices:
    """Return the opening price, EUR, of each store and product on its newest day before a date that is closed.

    Stores need not have sold on the same dates: one alone may have sold a live day. Those that sold on none of the last
    days of the lake are left out. In a retailer's lake it is the last regular price of the log.
    """
    regular = evidence().shelf_prices(lake, catalog, date)
    if regular is not None:
        return regular.by_place(catalog)
    earlier = (day for day in lake.newest_dates("repricings") if day < date)
    batches = (list(lake.partitions_on("repricings", day)) for day in earlier)
    return _newest_prices(lake, catalog, batches, at_opening=True)


def _newest_prices(
    lake: Lake, catalog: Catalog, batches: Iterable[list[Partition]], *, at_opening: bool = False
) -> Prices:
    """Return the prices of each store on the newest day that has any, from the batches of each day, newest first."""
    prices, missing = Prices(), set(catalog.store.stores)
    for parts in islice(batches, _MOST_DAYS):
        for part in parts:
            prices |= _prices_in(lake, part, missing, at_opening=at_opening)
        missing -= {store for store, _ in prices}
        if not missing:
            break
    return prices


def _prices_in(lake: Lake, part: Partition, stores: Collection[str], *, at_opening: bool = False) -> Prices:
    """Return the last price of each product in some stores, or the one at opening."""
    rows = lake.read(part).select(["store_id", "sku", "tick", "new_price"])
    if at_opening:
        rows = rows.filter(pc.equal(rows["tick"], 0))
    columns = (rows[name].to_pylist() for name in ("store_id", "sku", "new_price"))  # in order of time
    return {(store, sku): price for store, sku, price in zip(*columns, strict=True) if store in stores}
