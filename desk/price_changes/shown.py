"""The price that each store showed of each product, as the lake knows it: the last one, or that of an opening."""

import datetime as dt
from collections.abc import Iterable
from itertools import islice

import numpy as np
import pyarrow.compute as pc

from catalog.arrays import Floats
from catalog.load import Catalog
from etl.live.day import days_with_live_parts
from serving.evidence import ShelfPrices, evidence
from warehouse.lake import Lake, Partition
from warehouse.parquet import cells

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
            _write_prices(lake, catalog, part, shown)
    return ShelfPrices(catalog.store.stores, shown).by_place(catalog)


def opening_prices_before(lake: Lake, catalog: Catalog, date: dt.date) -> Floats:
    """Return the opening price, EUR, of each store and product on its newest day before a date that is closed.

    Stores need not have sold on the same dates: one alone may have sold a live day. Those that sold on none of the last
    days of the lake have NaN. In a retailer's lake it is the last regular price of the log.

    Returns
    -------
    Floats
        Shape (n_stores, n_products), of the catalog; NaN where none is known.
    """
    regular = evidence().shelf_prices(lake, catalog, date)
    if regular is not None:
        return regular.of(catalog.store.stores, len(catalog.store.stores))
    earlier = (day for day in lake.newest_dates("repricings") if day < date)
    batches = (list(lake.partitions_on("repricings", day)) for day in earlier)
    return _newest_prices(lake, catalog, batches, at_opening=True)


def last_opening_prices(lake: Lake, catalog: Catalog, since: dt.date, last: dt.date) -> Floats:
    """Return the opening price of each store and product on the last of some dates that has one, EUR.

    An older date is opened while some price is missing. A damaged part says nothing.

    Returns
    -------
    Floats
        Shape (n_stores, n_products), of the catalog; NaN where none is known.
    """
    prices = np.full((len(catalog.store.stores), len(catalog.skus)), np.nan)
    for date in lake.newest_dates("repricings"):
        if date < since or not np.isnan(prices).any():
            break
        if date <= last:
            of_day = np.full_like(prices, np.nan)
            for part in filter(lake.receipt, lake.partitions_on("repricings", date)):
                _write_prices(lake, catalog, part, of_day, at_opening=True)
            np.copyto(prices, of_day, where=np.isnan(prices))
    return prices


def _newest_prices(
    lake: Lake, catalog: Catalog, batches: Iterable[list[Partition]], *, at_opening: bool = False
) -> Floats:
    """Return the prices of each store on the newest day that has any, from the batches of each day, newest first."""
    prices = np.full((len(catalog.store.stores), len(catalog.skus)), np.nan)
    missing = np.ones(len(prices), dtype=bool)
    for parts in islice(batches, _MOST_DAYS):
        of_day = np.full_like(prices, np.nan)
        for part in parts:
            _write_prices(lake, catalog, part, of_day, at_opening=at_opening)
        prices[missing] = of_day[missing]
        missing &= np.isnan(prices).all(axis=1)
        if not missing.any():
            break
    return prices


def _write_prices(lake: Lake, catalog: Catalog, part: Partition, prices: Floats, *, at_opening: bool = False) -> None:
    """Write the last price of each product that a partition shows, or the one at opening."""
    rows = lake.read(part, ("store_id", "tick", "sku", "new_price"), coded=True)
    if at_opening and pc.max(rows["tick"]).as_py():
        rows = rows.filter(pc.equal(rows["tick"], 0))
    place, own = cells(rows, catalog.store.stores, catalog.skus)
    prices[place] = rows["new_price"].to_numpy()[own]  # in order of time: the last one stays
