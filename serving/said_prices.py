"""Shelf prices that the owner said while prices were drawn: the middle of the band from the next draw on.

While a product is drawn, its shelf shows prices of ours, so its own price cannot be read from what is charged. Who
wants another one says it. It counts until a later draw has taken it up: from there on it stands in the draw itself.
"""

import datetime as dt

import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from warehouse.lake import Lake, numbered_records

TABLE = "shelf_price_changes"


def said_prices(lake: Lake, catalog: Catalog, date: dt.date, drawn_through: dt.date) -> Floats:
    """Return the newest price that was said for a date, EUR, shape (n_stores, n_products), NaN where none.

    Parameters
    ----------
    drawn_through
        Last date of the draw that stands: what it has taken up already is left out.
    """
    found = np.full((len(catalog.store.stores), len(catalog.skus)), np.nan)
    for row in numbered_records(lake, TABLE):
        if row["sku"] in catalog.skus and row["from_date"] <= date and row["drawn_through"] >= drawn_through:
            stores = [own for own, name in enumerate(catalog.store.stores) if row["only_store"] in (None, name)]
            found[stores, catalog.skus.index(row["sku"])] = row["price"]
    return found
