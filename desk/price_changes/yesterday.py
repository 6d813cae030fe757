"""The prices that stores opened with on the day before."""

import datetime as dt
from collections.abc import Collection
from itertools import islice

import pyarrow.compute as pc

from catalog.load import Catalog
from serving.evidence import evidence
from warehouse.lake import Lake

_MOST_DAYS = 14
"""Days with sales that are looked at for a store that did not sell on the newest of them."""


def opening_prices_before(lake: Lake, catalog: Catalog, date: dt.date) -> dict[tuple[str, str], float]:
    """Return the opening price, EUR, of each store and product on its newest day before a date that is closed.

    Stores need not have sold on the same dates: one alone may have sold a live day. Those that sold on none of the last
    days of the lake are left out. In a retailer's lake it is the last regular price of the log.
    """
    own = evidence().shelf_prices(lake, catalog, date)
    if own is not None:
        return own.by_place(catalog)
    found: dict[tuple[str, str], float] = {}
    missing = set(catalog.store.stores)
    for day in islice((day for day in lake.newest_dates("repricings") if day < date), _MOST_DAYS):
        opened = _opening_prices_on(lake, day, missing)
        found |= opened
        missing -= {store for store, _ in opened}
        if not missing:
            break
    return found


def _opening_prices_on(lake: Lake, date: dt.date, stores: Collection[str]) -> dict[tuple[str, str], float]:
    """Return what some stores opened a date with, EUR, by store and product."""
    found: dict[tuple[str, str], float] = {}
    for part in lake.partitions_on("repricings", date):
        rows = lake.read(part).select(["store_id", "sku", "tick", "new_price"])
        rows = rows.filter(pc.equal(rows["tick"], 0))
        columns = (rows[name].to_pylist() for name in ("store_id", "sku", "new_price"))
        found.update({(store, sku): price for store, sku, price in zip(*columns, strict=True) if store in stores})
    return found
