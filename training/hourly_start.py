"""Begin to price outside stores hourly: write down which products are released, and around which of the owner's prices.

From then on a shelf shows prices of ours, so the owner's own price can no longer be read off it.
"""

import datetime as dt

import numpy as np
import pyarrow as pa

from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from serving.store.drawn_prices import TABLE, draw_on, own_prices_on
from serving.store.hourly_prices import DESIGN, visited_lately
from warehouse.lake import Lake, Partition


def begin_hourly(lake: Lake, catalog: Catalog, date: dt.date) -> bool:
    """Write the owner's prices down from a date on, unless they are for every product that is released; tell whether.

    A product is left out until a sale has told its price in the store, and somebody who looked at it.
    """
    before = draw_on(lake, catalog, date)
    own = own_prices_on(lake, catalog, date, before).prices
    known = np.zeros(own.shape, dtype=bool) if before is None else np.isfinite(before.shelf_prices)
    for row, store in enumerate(catalog.store.stores):
        visited = visited_lately(lake, store, date)
        known[row] |= np.array([sku in visited for sku in catalog.skus])
    includes = np.array([catalog.store.drawn_prices.includes(sku) for sku in catalog.skus])
    wanted = np.isfinite(own) & includes & known
    if not wanted.any() or (before is not None and (np.isfinite(before.shelf_prices) >= wanted).all()):
        return False
    rows = [
        {
            "store_id": catalog.store.stores[store],
            "sku": catalog.skus[product],
            "through": date,
            "price": float(own[store, product]),
            "shelf_price": float(own[store, product]),
            "step_from": float(own[store, product]),
            "propensity": 1.0,
            "low_price": None,
            "high_price": None,
            "is_held": False,
            "design": DESIGN,
            "block": f"{catalog.store.stores[store]}/{date}",
            "seed": 0,
        }
        for store, product in zip(*np.nonzero(wanted), strict=True)
    ]
    table = pa.Table.from_pylist(rows, schema=TABLES[TABLE].schema)
    lake.publish(Partition(TABLE, date, "all"), table, inputs=f"{DESIGN}:{date}")
    return True
