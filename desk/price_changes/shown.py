"""The price that each store shows of each product, as the lake knows it."""

from itertools import islice

from catalog.load import Catalog
from etl.live.day import days_with_live_parts
from serving.evidence import evidence
from warehouse.lake import Lake, Partition

_DAYS = 14
"""How far back a store's last price is looked for."""


def prices_shown(lake: Lake, catalog: Catalog) -> dict[tuple[str, str], float]:
    """Return the price shown last, EUR, by store and product; stores that never sold are left out.

    In a retailer's lake it is the last regular price of the log.
    """
    own = evidence().shelf_prices(lake, catalog)
    if own is not None:
        return own.by_place(catalog)
    found: dict[tuple[str, str], float] = {}
    missing = set(catalog.store.stores)
    for date in islice(lake.newest_dates("repricings"), _DAYS):
        for part in lake.partitions_on("repricings", date):
            missing -= _take_in(found, lake, part, missing)
        if not missing:
            break
    for day in days_with_live_parts(lake):
        if not day.is_closed(lake) and day.store in catalog.store.stores:
            _take_in(found, lake, day.part("live_repricings"), {day.store})
    return found


def _take_in(found: dict[tuple[str, str], float], lake: Lake, part: Partition, stores: set[str]) -> set[str]:
    """Add the last price of each product in some stores; return the stores that were there."""
    if lake.receipt(part) is None:
        return set()
    rows = lake.read(part).select(["store_id", "sku", "new_price"])
    seen = set()
    columns = (rows[name].to_pylist() for name in ("store_id", "sku", "new_price"))
    for store, sku, price in zip(*columns, strict=True):  # in order of time
        if store in stores:
            found[store, sku] = price
            seen.add(store)
    return seen
