"""The prices that stores opened with on the day before."""

import datetime as dt

import pyarrow.compute as pc

from catalog.load import Catalog
from warehouse.lake import Lake


def opening_prices_before(lake: Lake, catalog: Catalog, date: dt.date) -> dict[tuple[str, str], float]:
    """Return the opening price, EUR, of each store and product on its newest day before a date that is closed.

    Stores that have sold nothing on the newest such date of the lake are left out.
    """
    newest = next((day for day in lake.newest_dates("repricings") if day < date), None)
    if newest is None:
        return {}
    found: dict[tuple[str, str], float] = {}
    wanted = set(catalog.store.stores)
    for part in lake.partitions_on("repricings", newest):
        rows = lake.read(part).select(["store_id", "sku", "tick", "new_price"])
        rows = rows.filter(pc.equal(rows["tick"], 0))
        columns = (rows[name].to_pylist() for name in ("store_id", "sku", "new_price"))
        found.update({(store, sku): price for store, sku, price in zip(*columns, strict=True) if store in wanted})
    return found
