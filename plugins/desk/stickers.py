"""The stickers of a date as people see them: those that were listed for it, or worked out where none was listed yet."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from catalog.load import Catalog
from catalog.names import BOOK_GROUP
from catalog.tables.contracts import TABLES
from etl.open_days import is_live
from serving.store.markdowns import planned_markdowns
from warehouse.lake import Lake, Partition


def markdowns_of(lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str] | None = None) -> pa.Table:
    """Return the stickers of a date: of one that is over, as they were published before it, else worked out now."""
    if all(is_live(part) for part in lake.partitions_on("interactions", date)):
        return planned_markdowns(lake, catalog, date, stores)
    rows = _published(lake, date)
    rows = TABLES["markdowns"].schema.empty_table() if rows is None else rows
    return rows if stores is None else rows.filter(pc.is_in(rows["store_id"].cast(pa.string()), pa.array(stores)))


class Sticker(NamedTuple):
    """The sticker of a product in a store: on how many units, its price, and what it brings more than none, EUR."""

    units: int
    price: float
    saving: float


def stickers_on(lake: Lake, catalog: Catalog, date: dt.date) -> dict[tuple[str, str], Sticker]:
    """Return the stickers that were listed for a date, by store and product; worked out where none was listed yet."""
    listed = _published(lake, date)
    rows = planned_markdowns(lake, catalog, date) if listed is None else listed
    return {
        (row["store_id"], row["sku"]): Sticker(row["units"], row["sticker_eur"], row["expected_saving_eur"])
        for row in rows.to_pylist()
    }


def _published(lake: Lake, date: dt.date) -> pa.Table | None:
    place = Partition("markdowns", date, BOOK_GROUP)
    return None if lake.receipt(place) is None else lake.read(place)
