"""Where a lake is kept: the one protocol that a plain folder and an object store both follow.

A store knows which partitions are in force, with their receipts, and keeps notes: small texts with a name, such as the
records of commits. What decides, which parts belong together and when they count, is in `warehouse.commit`, and is the
same for every store.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import pyarrow as pa

from warehouse.commit_record import CommittedPart
from warehouse.partition import Partition
from warehouse.receipts import Receipt
from warehouse.within import Within


class Notes(Protocol):
    """Small texts by name, a relative path with slashes such as `commits/batch-2026-01-05-g000.commit.json`."""

    def read(self, name: str) -> str | None:
        """Return a note, or None when there is none."""

    def write(self, name: str, text: str) -> None:
        """Write a note whole or not at all, over one that stands there, and wait until it is durable."""

    def create(self, name: str, text: str) -> bool:
        """Write a note unless there is one, and tell whether we did: of many who try at once, one does."""

    def move(self, name: str, to: str) -> bool:
        """Give a note another name, over one that stands there; False when there is none of the first name."""

    def remove(self, name: str) -> None:
        """Remove a note; does nothing when there is none."""

    def names(self, folder: str) -> list[str]:
        """Return the whole names of the notes directly in a folder, ascending."""

    def changed_at(self, name: str) -> int:
        """Return when a note was written last, nanoseconds since 1970; 0 when there is none."""


class Store(Protocol):
    """Partitions with their receipts, and notes.

    A partition is staged first, beside what is in force, and counts when it is put in force. Reading never waits.
    """

    @property
    def address(self) -> str:
        """Where the store is, for messages."""

    @property
    def notes(self) -> Notes:
        """The notes of this store."""

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

    def receipt(self, partition: Partition) -> Receipt | None:
        """Return the receipt in force; None when the partition is missing or its receipt is damaged."""

    def holds(self, partition: Partition) -> bool:
        """Tell whether a partition is in force, proven or not."""

    def content(self, partition: Partition) -> bytes:
        """Return the bytes in force, as they stand.

        Raises
        ------
        OSError
            When they cannot be read; FileNotFoundError when there are none.
        """

    def places(self, partitions: Iterable[Partition]) -> list[str]:
        """Return what DuckDB opens for partitions in force, in their order; those that are missing are left out."""

    def changed_at(self, table: str, date: dt.date | None = None) -> int:
        """Return a number that grows when a table changes, on one business date if given; 0 for never."""

    def published_at(self, partition: Partition) -> dt.datetime | None:
        """Return when a partition was put in force (UTC); None without one."""

    def stage(self, partition: Partition, rows: pa.Table, receipt_of: Callable[[int, str], Receipt]) -> Receipt:
        """Write a partition's file beside what is in force, and return its receipt.

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

    def set_aside(self, partition: Partition) -> list[str]:
        """Take a damaged partition out of what is in force without deleting a byte; return where each file went."""
