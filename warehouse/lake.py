"""The Parquet lake: the one place that writes Parquet, whole or not at all.

The tables are kept in a store, a folder or an object store; see `warehouse.stores.protocol`. Every table also has one
empty partition that carries its columns, so that views over an empty lake have types. The note
`commits/<name>.commit.json` says which partitions were committed together.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import LakeError
from catalog.names import EMPTY_GROUP
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from catalog.tables.table import Table
from warehouse.commits.commit import Commit, committing, finish_interrupted
from warehouse.commits.locks import held, waited_for
from warehouse.commits.notes import Notes
from warehouse.commits.record import CommitRecord, CommittedPart, amend, final_record
from warehouse.parquet import in_contract
from warehouse.partition import Partition, Published, Within, table_called
from warehouse.receipts import CODE_VERSION, Receipt
from warehouse.stores.folder import LocalStore, open_store

__all__ = ["CODE_VERSION", "EMPTY_DATE", "Lake", "Partition", "Published"]

EMPTY_DATE = dt.date(1970, 1, 1)
PREPARING = "preparing"
"""Lock under which a lake's first files are made: of several processes that begin in one new lake, the others wait."""
_SMALL = 1 << 18  # bytes, of which threads would take more processor time to be read than they save
_LOOKS = 3  # a writer may replace a partition between a look at its bytes and one at its receipt


class Lake:
    """The tables of one store."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = open_store(settings)
        self.locks = settings.locks

    @property
    def notes(self) -> Notes:
        """Small texts that the lake keeps beside its tables."""
        return self.store.notes

    @property
    def address(self) -> str:
        """Where the lake is, for messages."""
        return self.store.address

    @property
    def root(self) -> Path:
        """The folder of a lake that is kept in one.

        Raises
        ------
        LakeError
            When it is kept elsewhere.
        """
        return self._in_a_folder.root

    def path(self, partition: Partition) -> Path:
        """Return the file of a partition in a lake that is kept in a folder; its name can never lead out of it.

        Raises
        ------
        ContractError
            When the table is unknown or the group is not a plain name.
        LakeError
            When the lake is kept elsewhere.
        """
        return self._in_a_folder.path(partition)

    @property
    def _in_a_folder(self) -> LocalStore:
        if not isinstance(self.store, LocalStore):
            raise LakeError(
                f"{self.address}: expected a lake in a plain folder; `shelfprice sql --out` copies a table of this one"
            )
        return self.store

    def exists(self) -> bool:
        """Return whether there is a lake, be it an empty one."""
        return self.store.exists()

    def prepare(self) -> None:
        """Finish what a kill interrupted, and make sure that every table has its empty partition."""
        self.store.prepare()
        self.finish_interrupted()
        if next(self._not_in_place(), None) is None:
            return
        with waited_for(self.locks, PREPARING):
            for partition, table in self._not_in_place():
                self.publish(partition, table.schema.empty_table(), inputs=str(table.schema))

    def _not_in_place(self) -> Iterator[tuple[Partition, Table]]:
        """Yield the tables whose empty partition is missing, of another schema, or not proven."""
        for table in TABLES.values():
            partition = empty_partition(table.name)
            is_settled = self.published_at(partition) is not None  # a kill may have left its receipt pending
            if not (is_settled and self.is_current(partition, str(table.schema)) and self.is_proven(partition)):
                yield partition, table

    def finish_interrupted(self) -> list[str]:
        """Put the rest of each commit in force that counts and was interrupted by a kill; return their names.

        Commits that are being made right now are left alone, as are those that cannot be finished: `health --files` and
        `doctor` name them.
        """
        return finish_interrupted(self)

    def receipt(self, partition: Partition) -> Receipt | None:
        """Return the receipt in force, or None when the partition is missing or not proven."""
        return self.store.receipt(partition)

    def is_current(self, partition: Partition, inputs: str) -> bool:
        """Return whether the partition was already made from exactly these inputs."""
        receipt = self.receipt(partition)
        return receipt is not None and receipt.inputs == inputs

    def committed(self, name: str) -> CommitRecord | None:
        """Return the record of a commit while every part of it is in force; None otherwise."""
        record = final_record(self.notes, name)
        whole = record is not None and all(self.receipt(part.partition) == part.receipt for part in record.parts)
        return record if whole else None

    def partitions(self, table: str, within: Within | None = None) -> Iterator[Partition]:
        """Yield the partitions of a table that hold data, in order of date and group.

        Parameters
        ----------
        within
            Which business dates of a table by day are asked for; the folders of the others are not looked into.
        """
        yield from filter(_has_data, self.store.partitions(table, within))

    def partitions_on(self, table: str, date: dt.date) -> Iterator[Partition]:
        """Yield the partitions of a table by day that hold data of one business date, in order of group."""
        yield from filter(_has_data, self.store.partitions_on(table, date))

    def dates(self, table: str, within: Within | None = None) -> list[dt.date]:
        """Return the business dates of which a table by day holds data, ascending; of those asked for, if any are."""
        return sorted({part.business_date for part in self.partitions(table, within) if part.business_date})

    def newest_dates(self, table: str) -> Iterator[dt.date]:
        """Yield the business dates of which a table by day holds data, the newest first, each looked for when asked."""
        for date in reversed(self.store.dates(table)):
            if next(self.partitions_on(table, date), None) is not None:
                yield date

    def changes(self, table: str) -> dict[dt.date, int]:
        """Return a number for each business date of a table by day: another one whenever its partitions changed."""
        return self.store.changes(table)

    def holds(self, partition: Partition) -> bool:
        """Return whether a partition has been published; its receipt may say otherwise."""
        return self.store.holds(partition)

    def changed_at(self, table: str, date: dt.date | None = None) -> int:
        """Return a number that is another one when a table changed, on one business date if given; 0 for never."""
        return self.store.changed_at(table, date)

    def published_at(self, partition: Partition) -> dt.datetime | None:
        """Return when the receipt of a partition became final (UTC), or None without one."""
        return self.store.published_at(partition)

    def where(self, partition: Partition) -> str:
        """Return where a partition is, for messages."""
        return self.store.where(partition)

    def places(self, partitions: Iterable[Partition]) -> list[str]:
        """Return what DuckDB opens for partitions, in their order; those that are missing are left out."""
        return self.store.places(partitions)

    def sha256(self, partition: Partition) -> str:
        """Return the SHA-256 of a partition's bytes; bytes that cannot have changed since are read once in a process.

        Raises
        ------
        OSError
            When they cannot be read.
        """
        return self.store.sha256(partition)

    def is_proven(self, partition: Partition) -> bool:
        """Return whether the bytes of a partition are those of its receipt; every byte is read."""
        for _ in range(_LOOKS):
            try:
                if self.store.proves(partition, self.store.sha256_anew(partition)):
                    return True
            except FileNotFoundError:
                return False
        return False

    def read(self, partition: Partition, columns: Sequence[str] | None = None, *, coded: bool = False) -> pa.Table:
        """Read one partition, whole or some columns, in the types of its contract; a column that came later is null.

        Its bytes are held against its receipt before any of them counts.

        Parameters
        ----------
        columns
            Some, in the order of the contract; None is all.
        coded
            Whether every text comes as a code into the texts that differ: of millions, few do.

        Raises
        ------
        LakeError
            When the file is missing, is not what its receipt says, or lacks a column that has no nulls.
        """
        table = table_called(partition.table)
        texts = [field.name for field in table.schema if coded and field.type == pa.string()]
        try:
            source = pa.BufferReader(self._proven_bytes(partition))
            file, is_large = pq.ParquetFile(source, read_dictionary=texts), source.size() > _SMALL
            return in_contract(file.read(columns, use_threads=is_large), table, columns, texts)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise LakeError(
                f"{self.where(partition)}: cannot be read ({error}); run `shelfprice health --files`"
            ) from error

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
        return committing(self, name, inputs, seed, amends=amends)

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
        with committing(self, None, inputs, seed) as commit:
            return commit.publish(partition, rows)

    def remove(self, partition: Partition) -> None:
        """Remove a partition with its receipt; does nothing when there is none. No commit has it as a part any more.

        Raises
        ------
        Declined
            When another process is writing this partition.
        """
        with held(self.locks, partition.lock_name):
            finish_interrupted(self, partition)
            receipt = self.receipt(partition)
            record = None if receipt is None or receipt.commit is None else final_record(self.notes, receipt.commit)
            if record is not None and record.holds(partition):
                amend(self.notes, record.without(partition))
            self.store.put_in_force([CommittedPart(partition, None)])

    def _proven_bytes(self, partition: Partition) -> bytes:
        """Read the bytes of a partition, which are those of its receipt.

        Raises
        ------
        OSError
            When they cannot be read.
        ValueError
            When they are not.
        """
        for _ in range(_LOOKS):
            content = self.store.content(partition)
            if self.store.proves(partition, hashlib.sha256(content).hexdigest()):
                return content
        raise ValueError("its bytes are not those of its receipt")


def empty_partition(table: str) -> Partition:
    """Return the name of the empty partition that carries a table's columns."""
    return Partition(table, EMPTY_DATE if table_called(table).by == "day" else None, EMPTY_GROUP)


def _has_data(partition: Partition) -> bool:
    return partition.group != EMPTY_GROUP
