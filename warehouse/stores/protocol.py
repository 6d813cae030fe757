"""Where a lake is kept: the one protocol that a plain folder and an object store both follow.

A store knows which partitions are in force, with their receipts, and keeps notes: small texts with a name, such as the
records of commits. What decides, which parts belong together and when they count, is in `warehouse.commits.commit`,
and is the same for every store.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from warehouse.commits.notes import Notes
from warehouse.commits.record import CommittedPart
from warehouse.partition import Partition, Within
from warehouse.receipts import Receipt


class LakeStore(Protocol):
    """Partitions with their receipts, and notes.

    A partition is staged first, beside what is in force, and counts when it is put in force. Reading never waits.
    """

    @property
    def address(self) -> str:
        """Where the store is, for messages."""

    @property
    def is_shared(self) -> bool:
        """Whether machines may write here that do not see each other's locks."""

    @property
    def views(self) -> Path:
        """The folder of the views that stand on the names of files, which each store gives in its own way."""

    @property
    def notes(self) -> Notes:
        """The notes of this store."""

    def exists(self) -> bool:
        """Return whether anything was ever kept here."""

    def prepare(self) -> None:
        """Make sure that the store is there and can be relied on.

        Raises
        ------
        LakeError
            When it is not, or when it ignores conditional writes.
        """

    def partitions(self, table: str, within: Within | None = None) -> Iterator[Partition]:
        """Yield the partitions of a table that are in force, in order of date and group, the empty one among them.

        Parameters
        ----------
        within
            Which business dates of a table by day are asked for.
        """

    def partitions_on(self, table: str, date: dt.date | None) -> Iterator[Partition]:
        """Yield the partitions of one business date, or of a table without dates, in order of group."""

    def traces(self, table: str) -> Iterator[Partition]:
        """Yield the partitions of a table, and those of which the receipt alone is left; the empty one is left out."""

    def dates(self, table: str) -> list[dt.date]:
        """Return the business dates that a table by day may hold partitions of, ascending; some may hold none."""

    def where(self, partition: Partition) -> str:
        """Return where a partition is, for messages."""

    def receipt(self, partition: Partition) -> Receipt | None:
        """Return the receipt in force; None when the partition is missing or its receipt is damaged."""

    def holds(self, partition: Partition) -> bool:
        """Return whether a partition is in force, proven or not."""

    def content(self, partition: Partition) -> bytes:
        """Return the bytes in force, as they stand.

        Raises
        ------
        OSError
            When they cannot be read; FileNotFoundError when there are none.
        """

    def sha256(self, partition: Partition) -> str:
        """Return the SHA-256 of the bytes in force; bytes that cannot have changed since are read once in a process.

        Raises
        ------
        OSError
            As in `content`.
        """

    def sha256_anew(self, partition: Partition) -> str:
        """Return the SHA-256 of the bytes in force, every one of which is read."""

    def proves(self, partition: Partition, sha256: str) -> bool:
        """Return whether a receipt of the partition is of these bytes."""

    def places(self, partitions: Iterable[Partition]) -> list[str]:
        """Return what DuckDB opens for partitions in force, in their order; those that are missing are left out."""

    def snapshot(self) -> Mapping[Partition, str]:
        """Return what DuckDB opens for every partition in force, the empty ones among them, at one consistent moment.

        Of a commit, all parts are there or none.
        """

    def let_open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a connection of DuckDB open the places of this store."""

    @property
    def folders(self) -> list[str]:
        """Folders that hold every place, as DuckDB sees them, each with a slash at its end."""

    def changes(self, table: str) -> dict[dt.date, int]:
        """Return a number for each business date of a table by day: another one whenever its partitions changed.

        Where the number is a time, nanoseconds since 1970, a date that changed an instant ago may change again and
        keep it.
        """

    def changed_at(self, table: str, date: dt.date | None = None) -> int:
        """Return a number that is another one when a table changed, on one business date if given; 0 for never."""

    def published_at(self, partition: Partition) -> dt.datetime | None:
        """Return when a partition was put in force (UTC); None without one."""

    def stage(self, partition: Partition, rows: pa.Table, receipt_of: Callable[[int, str], Receipt]) -> Receipt:
        """Write a partition's file apart from what is in force, and return its receipt.

        Parameters
        ----------
        rows
            In the columns of the table's contract.
        receipt_of
            Makes the receipt from the size of the file in bytes and its SHA-256.
        """

    def put_in_force(self, parts: Sequence[CommittedPart]) -> None:
        """Put staged parts in force, and take away those whose receipt is None, in order; twice does no harm.

        Raises
        ------
        Declined
            When another has put something else in force since a part was staged.
        LakeError
            When a part is neither staged nor in force any more.
        """

    def unstage(self, parts: Iterable[Partition]) -> None:
        """Take away what was staged and not put in force."""

    def set_aside(self, name: str) -> list[str]:
        """Take a damaged file or note out of what is in force without deleting a byte; return where each part went."""
