"""What stands in the lake, told by the receipts: no Parquet file is opened."""

import datetime as dt
from dataclasses import dataclass

from catalog.errors import LakeError
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from warehouse.lake import Lake, Partition
from warehouse.receipts import Receipt


@dataclass(frozen=True)
class LakeTable:
    """One table as its receipts tell it.

    Attributes
    ----------
    name, grain
        The table, and what one row of it is.
    rows, partitions, bytes
        Sums over the partitions that a receipt proves.
    unproven
        Partitions without a receipt that speaks for them.
    newest_date
        Newest business date; None for tables without days, and without data.
    published_at
        When a partition was published last (UTC); None without data.
    """

    name: str
    grain: str
    rows: int
    partitions: int
    bytes: int
    unproven: int
    newest_date: dt.date | None
    published_at: dt.datetime | None


def table_states(settings: Settings) -> tuple[LakeTable, ...]:
    """Return the state of every table of the catalog, in its order."""
    lake = Lake(settings)
    return tuple(_state(lake, name) for name in TABLES)


def _state(lake: Lake, name: str) -> LakeTable:
    partitions = list(lake.partitions(name))
    receipts = [receipt for partition in partitions if (receipt := _receipt(lake, partition))]
    dates = [partition.business_date for partition in partitions if partition.business_date]
    published = [moment for partition in partitions if (moment := lake.published_at(partition))]
    return LakeTable(
        name,
        TABLES[name].grain,
        rows=sum(receipt.rows for receipt in receipts),
        partitions=len(receipts),
        bytes=sum(receipt.bytes for receipt in receipts),
        unproven=len(partitions) - len(receipts),
        newest_date=max(dates, default=None),
        published_at=max(published, default=None),
    )


def _receipt(lake: Lake, partition: Partition) -> Receipt | None:
    try:
        return lake.receipt(partition)
    except (LakeError, FileNotFoundError):  # damaged, or replaced while we looked: counted as unproven
        return None
