"""The Parquet lake: the one place that writes Parquet, whole or not at all.

Layout:
`lake/<table>/business_date=YYYY-MM-DD/part-<group>.parquet`, tables without dates `lake/<table>/part-<key>.parquet`.
Every table also has one empty partition that carries its columns, so that views over an empty lake have types.
"""

import datetime as dt
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.contracts import GROUP_NAME, TABLES
from catalog.errors import ContractError, LakeError
from catalog.names import EMPTY_GROUP
from catalog.settings import Settings
from catalog.table import Table
from warehouse.files import modified_at, sha256_of, sync_file, sync_folder, write_durably
from warehouse.locks import held
from warehouse.origin import OF_A_RETAILER, OF_BOTH, OF_THE_TWIN, Side, publishing
from warehouse.parquet import conform, in_contract, write_parquet
from warehouse.receipts import Receipt, final_path, pending_path, read_receipt, receipt_in_force
from warehouse.within import Within

CODE_VERSION = version("shelfprice")
EMPTY_DATE = dt.date(1970, 1, 1)
_DAY_FOLDER = re.compile(r"business_date=(\d{4}-\d{2}-\d{2})")


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


@dataclass(frozen=True)
class Published:
    """What publishing did: `written` (new), `replaced` (it had other bytes) or `unchanged`."""

    partition: Partition
    receipt: Receipt
    action: Literal["written", "replaced", "unchanged"]


class Lake:
    """The tables under one folder."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.lake
        self.locks = settings.locks

    def path(self, partition: Partition) -> Path:
        """Return the file of a partition; its name can never lead out of the lake.

        Raises
        ------
        ContractError
            When the table is unknown or the group is not a plain name.
        """
        table = _table(partition.table)
        if not GROUP_NAME.fullmatch(partition.group) or (partition.business_date is None) == (table.by == "day"):
            raise ContractError(
                f"{partition.table}: cannot name a partition {partition.business_date} / {partition.group!r}; "
                f"expected letters, digits, dot, dash and underscore, and a date for tables by day only"
            )
        return self._folder(table.name, partition.business_date) / f"part-{partition.group}.parquet"

    def prepare(self) -> None:
        """Make sure that every table has its empty partition; does nothing when they are there and current."""
        for table in TABLES.values():
            partition = empty_partition(table.name)
            schema_print = str(table.schema)
            if not self.is_current(partition, schema_print):
                self.publish(partition, table.schema.empty_table(), inputs=schema_print)

    def receipt(self, partition: Partition) -> Receipt | None:
        """Return the receipt in force, or None when the partition is missing or not proven."""
        return receipt_in_force(self.path(partition))

    def is_current(self, partition: Partition, inputs: str) -> bool:
        """Tell whether the partition was already made from exactly these inputs."""
        receipt = self.receipt(partition)
        return receipt is not None and receipt.inputs == inputs

    def partitions(self, table: str, within: Within | None = None) -> Iterator[Partition]:
        """Yield the partitions of a table that hold data, in order of date and group.

        Parameters
        ----------
        within
            Which business dates of a table by day are asked for; the folders of the others are not looked into.
        """
        if _table(table).by == "key":
            yield from self._in_folder(table, None)
            return
        for date in sorted(filter(within, self._day_folders(table))):
            yield from self.partitions_on(table, date)

    def partitions_on(self, table: str, date: dt.date) -> Iterator[Partition]:
        """Yield the partitions of a table by day that hold data of one business date, in order of group."""
        yield from self._in_folder(table, date)

    def dates(self, table: str, within: Within | None = None) -> list[dt.date]:
        """Return the business dates of which a table by day holds data, ascending; of those asked for, if any are."""
        return sorted({part.business_date for part in self.partitions(table, within) if part.business_date})

    def newest_dates(self, table: str) -> Iterator[dt.date]:
        """Yield the business dates of which a table by day holds data, the newest first, each looked for when asked."""
        for date in sorted(self._day_folders(table), reverse=True):
            if next(self.partitions_on(table, date), None) is not None:
                yield date

    def folders_changed_at(self, table: str) -> dict[dt.date, int]:
        """Return when each folder of a date of a table by day changed last, nanoseconds since 1970."""
        return {date: folder.stat().st_mtime_ns for date, folder in self._day_folders(table).items()}

    def holds(self, partition: Partition) -> bool:
        """Tell whether a partition has been published; its receipt may say otherwise."""
        return self.path(partition).exists()

    def changed_at(self, table: str, date: dt.date | None = None) -> int:
        """Return when a table changed last, on one business date if given: nanoseconds since 1970, 0 for never.

        Publishing and removing rename files, which changes their folder's time of modification, so no file is opened.
        """
        if date is not None:
            return modified_at(self._folder(table, date))
        return max(modified_at(self._folder(table, None)), *self.folders_changed_at(table).values(), 0)

    def published_at(self, partition: Partition) -> dt.datetime | None:
        """Return when the receipt of a partition became final (UTC), or None without one."""
        moment = modified_at(final_path(self.path(partition)))
        return dt.datetime.fromtimestamp(moment / 1e9, dt.UTC) if moment else None

    def read(self, partition: Partition) -> pa.Table:
        """Read one partition whole, in the types of its contract; a column that came later than the partition is null.

        Raises
        ------
        LakeError
            When the file is missing or is not readable Parquet, or lacks a column that has no nulls.
        """
        path = self.path(partition)
        try:
            return in_contract(pq.ParquetFile(path).read(), _table(partition.table))
        except (OSError, ValueError, pa.ArrowException) as error:
            raise LakeError(f"{path}: cannot be read ({error}); run `shelfprice verify`") from error

    def publish(self, partition: Partition, rows: pa.Table, *, inputs: str, seed: int | None = None) -> Published:
        """Publish a partition whole, or change nothing.

        Decisions are published only in a lake of their own side, the twin's or a retailer's: see `warehouse.origin`.

        Parameters
        ----------
        rows
            The partition's rows, with exactly the columns of the table's contract.
        inputs
            Fingerprint of what the rows were made from, for `is_current`.
        seed
            Seed of the run, kept in the receipt.

        Raises
        ------
        ContractError
            When columns, types or nulls are not as the contract says.
        Declined
            When another process is writing this partition, or the lake holds the decisions of the other side.
        LakeError
            When the disk refuses; the partition is unchanged.
        """
        conforming = conform(rows, _table(partition.table))
        data = self.path(partition)
        try:
            with self._on_its_side(partition, seed):
                data.parent.mkdir(parents=True, exist_ok=True)
                with held(self.locks, partition.lock_name):
                    return self._replace(partition, data, conforming, inputs, seed)
        except OSError as error:
            raise LakeError(
                f"{data}: cannot be written ({error.strerror or error}); the partition is unchanged, "
                "mend the disk and run again"
            ) from error

    def remove(self, partition: Partition) -> None:
        """Remove a partition with its receipt; does nothing when there is none.

        The receipt is pending while the data is removed: after a kill the partition is as it was, or as after an
        interrupted first publication, which no reader sees.

        Raises
        ------
        Declined
            When another process is writing this partition.
        """
        data = self.path(partition)
        with held(self.locks, partition.lock_name):
            if final_path(data).exists():
                final_path(data).replace(pending_path(data))
            data.unlink(missing_ok=True)
            pending_path(data).unlink(missing_ok=True)
            if data.parent.exists():
                sync_folder(data.parent)

    def _on_its_side(self, partition: Partition, seed: int | None) -> AbstractContextManager[None]:
        """Hold the lake for the side that publishes a partition, where it is one of decisions."""
        side: Side = "retailer" if seed is None else "twin"
        if partition.group == EMPTY_GROUP or partition.table not in {*OF_BOTH, *OF_THE_TWIN, *OF_A_RETAILER}:
            return nullcontext()
        return publishing(self.root, self.locks, side)

    def _day_folders(self, table: str) -> dict[dt.date, os.DirEntry[str]]:
        """Return the folder of each date of a table by day; none of them is looked into, and some may hold nothing."""
        try:
            with os.scandir(self._folder(table, None)) as entries:
                found = [(_DAY_FOLDER.fullmatch(entry.name), entry) for entry in entries]
        except FileNotFoundError:
            return {}
        return {dt.date.fromisoformat(match[1]): entry for match, entry in found if match}

    def _in_folder(self, table: str, date: dt.date | None) -> Iterator[Partition]:
        """Yield the partitions in the folder of a date, or of a table without dates, in order of group."""
        try:
            with os.scandir(self._folder(table, date)) as entries:
                names = sorted(entry.name for entry in entries)
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in names:
            group = name.removeprefix("part-").removesuffix(".parquet")
            if name == f"part-{group}.parquet" and group != EMPTY_GROUP:
                yield Partition(table, date, group)

    def _folder(self, table: str, date: dt.date | None) -> Path:
        folder = self.root / _table(table).name
        return folder if date is None else folder / f"business_date={date.isoformat()}"

    def _replace(self, partition: Partition, data: Path, rows: pa.Table, inputs: str, seed: int | None) -> Published:
        draft = data.with_suffix(".parquet.new")
        before = receipt_in_force(data)
        _settle_interrupted(data, before)
        try:
            write_parquet(rows, draft)
            receipt = Receipt(rows.num_rows, draft.stat().st_size, sha256_of(draft), inputs, seed, CODE_VERSION)
            if before == receipt:
                draft.unlink()
                return Published(partition, receipt, "unchanged")
            sync_file(draft)
            write_durably(pending_path(data), receipt.to_json())
        except OSError:
            draft.unlink(missing_ok=True)
            pending_path(data).unlink(missing_ok=True)
            raise
        draft.replace(data)
        sync_folder(data.parent)
        pending_path(data).replace(final_path(data))
        sync_folder(data.parent)
        same_bytes = before is not None and before.sha256 == receipt.sha256
        action: Literal["written", "replaced", "unchanged"] = "written"
        if before is not None:
            action = "unchanged" if same_bytes else "replaced"
        return Published(partition, receipt, action)


def empty_partition(table: str) -> Partition:
    """Return the name of the empty partition that carries a table's columns."""
    return Partition(table, EMPTY_DATE if _table(table).by == "day" else None, EMPTY_GROUP)


def _table(name: str) -> Table:
    if name not in TABLES:
        raise ContractError(f"no table is called {name!r}; the tables are {', '.join(TABLES)}")
    return TABLES[name]


def _settle_interrupted(data: Path, in_force: Receipt | None) -> None:
    """Finish what a kill interrupted: a pending receipt that matches the data becomes final, any other is removed."""
    pending = pending_path(data)
    if pending.exists():
        if in_force is not None and read_receipt(pending) == in_force:
            pending.replace(final_path(data))
        else:
            pending.unlink()
