"""The Parquet lake: the one place that writes Parquet, whole or not at all.

Layout:
`lake/<table>/business_date=YYYY-MM-DD/part-<group>.parquet`, tables without dates `lake/<table>/part-<key>.parquet`.
Every table also has one empty partition that carries its columns, so that views over an empty lake have types.
`lake/commits/<name>.commit.json` says which partitions were committed together.
"""

import datetime as dt
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.contracts import TABLES
from catalog.errors import LakeError
from catalog.names import EMPTY_GROUP
from catalog.settings import Settings
from warehouse.commit import Commit, committing
from warehouse.commit_record import CommitRecord, amend, final_record
from warehouse.files import modified_at, sha256_of
from warehouse.finish import Place, finish_interrupted, remove_files
from warehouse.locks import held
from warehouse.parquet import in_contract
from warehouse.partition import Partition, Published, file_of, folder_of, table_called
from warehouse.receipts import CODE_VERSION, Receipt, final_path, proves, receipt_in_force
from warehouse.within import Within

__all__ = ["CODE_VERSION", "EMPTY_DATE", "Lake", "Partition", "Published"]

EMPTY_DATE = dt.date(1970, 1, 1)
_DAY_FOLDER = re.compile(r"business_date=(\d{4}-\d{2}-\d{2})")
_LOOKS = 3  # a writer may replace a file between a look at its bytes and one at its receipt


class Lake:
    """The tables under one folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = settings.lake
        self.locks = settings.locks

    def path(self, partition: Partition) -> Path:
        """Return the file of a partition; its name can never lead out of the lake.

        Raises
        ------
        ContractError
            When the table is unknown or the group is not a plain name.
        """
        return file_of(self.root, partition)

    def prepare(self) -> None:
        """Finish what a kill interrupted, and make sure that every table has its empty partition."""
        self.finish_interrupted()
        for table in TABLES.values():
            partition = empty_partition(table.name)
            schema_print = str(table.schema)
            is_settled = final_path(self.path(partition)).exists()  # a kill may have left its receipt pending
            if not (is_settled and self.is_current(partition, schema_print) and self.is_proven(partition)):
                self.publish(partition, table.schema.empty_table(), inputs=schema_print)

    def finish_interrupted(self) -> list[str]:
        """Put the rest of each commit in force that counts and was interrupted by a kill; return their names.

        Commits that are being made right now are left alone, as are those that cannot be finished: `verify` and
        `doctor` name them.
        """
        return finish_interrupted(Place(self.root, self.locks))

    def receipt(self, partition: Partition) -> Receipt | None:
        """Return the receipt in force, or None when the partition is missing or not proven."""
        return receipt_in_force(self.path(partition))

    def is_current(self, partition: Partition, inputs: str) -> bool:
        """Tell whether the partition was already made from exactly these inputs."""
        receipt = self.receipt(partition)
        return receipt is not None and receipt.inputs == inputs

    def committed(self, name: str) -> CommitRecord | None:
        """Return the record of a commit while every part of it is in force; None otherwise."""
        record = final_record(self.root, name)
        whole = record is not None and all(self.receipt(part.partition) == part.receipt for part in record.parts)
        return record if whole else None

    def partitions(self, table: str, within: Within | None = None) -> Iterator[Partition]:
        """Yield the partitions of a table that hold data, in order of date and group.

        Parameters
        ----------
        within
            Which business dates of a table by day are asked for; the folders of the others are not looked into.
        """
        if table_called(table).by == "key":
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
            return modified_at(folder_of(self.root, table, date))
        return max(modified_at(folder_of(self.root, table, None)), *self.folders_changed_at(table).values(), 0)

    def published_at(self, partition: Partition) -> dt.datetime | None:
        """Return when the receipt of a partition became final (UTC), or None without one."""
        moment = modified_at(final_path(self.path(partition)))
        return dt.datetime.fromtimestamp(moment / 1e9, dt.UTC) if moment else None

    def is_proven(self, partition: Partition) -> bool:
        """Tell whether the bytes of a partition are those of its receipt; every byte is read."""
        path = self.path(partition)
        return any(path.exists() and proves(path, sha256_of(path)) for _ in range(_LOOKS))

    def read(self, partition: Partition) -> pa.Table:
        """Read one partition whole, in the types of its contract; a column that came later than the partition is null.

        Its bytes are held against its receipt before any of them counts.

        Raises
        ------
        LakeError
            When the file is missing, is not what its receipt says, or lacks a column that has no nulls.
        """
        path = self.path(partition)
        try:
            file = pq.ParquetFile(pa.BufferReader(_proven_bytes(path)))
            return in_contract(file.read(), table_called(partition.table))
        except (OSError, ValueError, pa.ArrowException) as error:
            raise LakeError(f"{path}: cannot be read ({error}); run `shelfprice verify`") from error

    def commit(
        self, name: str, *, inputs: str, seed: int | None = None, amends: bool = False
    ) -> AbstractContextManager[Commit]:
        """Publish and remove partitions together: all of them at the end of the block, or none when it raises.

        Parameters
        ----------
        name
            What is committed, such as `batch-2026-01-05-g000`.
        inputs
            Fingerprint of what the commit was made from, and of the partitions that name no other.
        seed
            Seed of the run, kept in the receipts. Decisions are published only in a lake of their own side, the
            twin's, which have a seed, or a retailer's: see `warehouse.origin`.
        amends
            Whether the other parts of the earlier commit of this name stay parts of it.

        Raises
        ------
        Declined
            When another process is making this commit, or writes one of its partitions.
        LakeError
            When the disk refuses; nothing is changed.
        """
        return committing(Place(self.root, self.locks), name, inputs, seed, amends=amends)

    def publish(self, partition: Partition, rows: pa.Table, *, inputs: str, seed: int | None = None) -> Published:
        """Publish one partition whole, or change nothing: a commit of one part.

        Parameters
        ----------
        rows
            The partition's rows, with exactly the columns of the table's contract.
        inputs, seed
            As in `commit`.

        Raises
        ------
        ContractError
            When columns, types or nulls are not as the contract says.
        Declined
            When another process is writing this partition, or the lake holds the decisions of the other side.
        LakeError
            When the disk refuses; the partition is unchanged.
        """
        with committing(Place(self.root, self.locks), None, inputs, seed) as commit:
            return commit.publish(partition, rows)

    def remove(self, partition: Partition) -> None:
        """Remove a partition with its receipt; does nothing when there is none. No commit has it as a part any more.

        Raises
        ------
        Declined
            When another process is writing this partition.
        """
        data = self.path(partition)
        with held(self.locks, partition.lock_name):
            finish_interrupted(Place(self.root, self.locks), partition)
            receipt = receipt_in_force(data)
            record = None if receipt is None or receipt.commit is None else final_record(self.root, receipt.commit)
            if record is not None and record.holds(partition):
                amend(self.root, record.without(partition))
            remove_files(data)

    def _day_folders(self, table: str) -> dict[dt.date, os.DirEntry[str]]:
        """Return the folder of each date of a table by day; none of them is looked into, and some may hold nothing."""
        try:
            with os.scandir(folder_of(self.root, table, None)) as entries:
                found = [(_DAY_FOLDER.fullmatch(entry.name), entry) for entry in entries]
        except FileNotFoundError:
            return {}
        return {dt.date.fromisoformat(match[1]): entry for match, entry in found if match}

    def _in_folder(self, table: str, date: dt.date | None) -> Iterator[Partition]:
        """Yield the partitions in the folder of a date, or of a table without dates, in order of group."""
        try:
            with os.scandir(folder_of(self.root, table, date)) as entries:
                names = sorted(entry.name for entry in entries)
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in names:
            group = name.removeprefix("part-").removesuffix(".parquet")
            if name == f"part-{group}.parquet" and group != EMPTY_GROUP:
                yield Partition(table, date, group)


def empty_partition(table: str) -> Partition:
    """Return the name of the empty partition that carries a table's columns."""
    return Partition(table, EMPTY_DATE if table_called(table).by == "day" else None, EMPTY_GROUP)


def _proven_bytes(path: Path) -> bytes:
    """Read a file whose bytes are those of its receipt.

    Raises
    ------
    OSError
        When it cannot be read.
    ValueError
        When they are not.
    """
    for _ in range(_LOOKS):
        content = path.read_bytes()
        if proves(path, hashlib.sha256(content).hexdigest()):
            return content
    raise ValueError("its bytes are not those of its receipt")
