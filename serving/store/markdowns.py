"""The stickers that stores are to stick at the opening of a date: what their storefronts then show, worked out before.

They follow from the book in force, what people ordered, and the units that the stores have from the day before.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from catalog.names import BOOK_GROUP
from catalog.tables.contracts import TABLES
from etl.batches import stores_alike
from etl.stock import opens_with
from serving.store.in_force import kinds_on, pricing_on
from serving.store.storefront import Storefront
from warehouse.lake import Lake, Partition
from warehouse.parquet import coded


def planned_markdowns(lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str] | None = None) -> pa.Table:
    """Return the stickers of a date in the columns of `markdowns`; `stores` None is every store."""
    names = catalog.store.stores if stores is None else tuple(stores)
    if not catalog.uses_stickers or not catalog.store.is_open_on(date):
        return TABLES["markdowns"].schema.empty_table()
    kinds = kinds_on(lake, catalog, date)
    return pa.concat_tables(_planned(lake, catalog, date, alike) for alike in stores_alike(names, kinds))


def _planned(lake: Lake, catalog: Catalog, date: dt.date, names: tuple[str, ...]) -> pa.Table:
    """Return the stickers of stores of one kind."""
    opened = opens_with(lake, catalog, names, date)
    assert opened.by_life is not None  # noqa: S101 - where stickers are used, stock lives over days
    front = pricing_on(lake, catalog, date, stores=names).policy
    assert isinstance(front, Storefront)  # noqa: S101 - every policy in force is one
    state = (opened.stock, opened.shown, catalog.store.opening.ticks, np.zeros(opened.stock.shape))
    shelf = Shelf(*state, stores=names, opened_with=opened.opened_with, business_date=date)
    decision = replace(front, exploration=None).decide(shelf)
    if decision.sticker is None or decision.saving is None:
        return TABLES["markdowns"].schema.empty_table()
    where = np.nonzero(np.isfinite(decision.sticker))
    columns = {
        "store_id": coded(where[0], names),
        "sku": coded(where[1], catalog.skus),
        "units": opened.by_life[..., 0][where],
        "price": decision.prices[where],
        "sticker_eur": decision.sticker[where],
        "expected_saving_eur": decision.saving[where],
    }
    return pa.table(columns).cast(TABLES["markdowns"].schema)


def publish_markdowns(lake: Lake, catalog: Catalog, date: dt.date) -> None:
    """Publish the stickers of a date, where there are any or were; nothing where the catalog sticks none."""
    place = Partition("markdowns", date, BOOK_GROUP)
    rows = planned_markdowns(lake, catalog, date)
    if rows.num_rows or lake.receipt(place) is not None:
        lake.publish(place, rows, inputs=hashlib.sha256(repr(rows.to_pylist()).encode()).hexdigest())
