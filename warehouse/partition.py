"""Partitions: what the lake publishes whole, and where each has its file."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog.errors import ContractError
from catalog.tables.contracts import GROUP_NAME, TABLES
from catalog.tables.table import Table
from warehouse.receipts import Receipt

Within = Callable[[dt.date], bool]
"""Tells whether a business date is asked for."""


def between(first: dt.date, last: dt.date) -> Within:
    """Return what asks for the business dates from a first one through a last one."""
    return lambda date: first <= date <= last


_PLACE = re.compile(r"(?P<table>\w+)(?:/business_date=(?P<date>\d{4}-\d{2}-\d{2}))?/part-(?P<group>.+)\.parquet")


@dataclass(frozen=True, order=True)
class Partition:
    """Name of one partition: a table, its business date (None for tables without dates) and its group."""

    table: str
    business_date: dt.date | None
    group: str

    @property
    def lock_name(self) -> str:
        """Name of the lock its one writer holds."""
        return "-".join([self.table, *([self.business_date.isoformat()] if self.business_date else []), self.group])


Action = Literal["written", "replaced", "unchanged"]


@dataclass(frozen=True)
class Published:
    """What publishing did: `written` (new), `replaced` (it had other bytes) or `unchanged`."""

    partition: Partition
    receipt: Receipt
    action: Action


def table_called(name: str) -> Table:
    """Return the contract of a table.

    Raises
    ------
    ContractError
        When no table has this name.
    """
    if name not in TABLES:
        raise ContractError(f"no table is called {name!r}; the tables are {', '.join(TABLES)}")
    return TABLES[name]


def folder_of(root: Path, table: str, date: dt.date | None) -> Path:
    """Return the folder of a table, or of one business date of it."""
    folder = root / table_called(table).name
    return folder if date is None else folder / f"business_date={date.isoformat()}"


def file_of(root: Path, partition: Partition) -> Path:
    """Return the file of a partition; its name can never lead out of the lake.

    Raises
    ------
    ContractError
        When the table is unknown or the group is not a plain name.
    """
    return root / name_of(partition)


def name_of(partition: Partition) -> str:
    """Return the name of a partition's file in the lake, such as `products/part-all.parquet`."""
    table, date = table_called(partition.table), partition.business_date
    if not GROUP_NAME.fullmatch(partition.group) or (date is None) == (table.by == "day"):
        raise ContractError(
            f"{partition.table}: cannot name a partition {partition.business_date} / {partition.group!r}; "
            f"expected letters, digits, dot, dash and underscore, and a date for tables by day only"
        )
    day = "" if date is None else f"business_date={date}/"
    return f"{table.name}/{day}part-{partition.group}.parquet"


def partition_named(name: str) -> Partition | None:
    """Return the partition whose file has a name in the lake; None where it is of no table of the catalog."""
    place = _PLACE.fullmatch(name)
    if place is None or place["table"] not in TABLES:
        return None
    date = place["date"] and dt.date.fromisoformat(place["date"])
    return Partition(place["table"], date or None, place["group"])


def partition_of(root: Path, data: Path) -> Partition | None:
    """Return the partition that a file of the lake under `root` is of; None where it is of no table of the catalog."""
    return partition_named(data.relative_to(root).as_posix())
