"""The parts of a day that is replayed: what was rebuilt of each, and which price books the day was sold from."""

import datetime as dt
from dataclasses import dataclass

from etl.ledger import LedgerRow, in_force_in
from serving.book.store import book_in_force, book_with
from serving.learning.outlook import WITHOUT_CHAMPION
from warehouse.lake import Lake, Partition


@dataclass(frozen=True)
class Part:
    """One rebuilt part of a day.

    Attributes
    ----------
    part, batch
        What it is, and of which batch or price book.
    rebuilt, recorded
        SHA-256 of the rebuilt bytes and of those on record; None when there are none.
    remark
        Why they differ or could not be rebuilt; empty when they are the same.
    """

    part: str
    batch: str
    rebuilt: str | None
    recorded: str | None
    remark: str = ""

    @property
    def is_same(self) -> bool | None:
        """Whether the bytes are the same; None when the part was not rebuilt, for a reason that is no fault."""
        return None if self.rebuilt is None and self.recorded is None else self.rebuilt == self.recorded


@dataclass(frozen=True)
class UsedBook:
    """A price book that a day was, or would have been, sold from, and the catalog of that day, if it is known.

    `model_version` is None where no champion was behind it.
    """

    sha256: str
    made_for: dt.date
    model_version: str | None
    catalog: str | None


def _version_of(lake: Lake, row: LedgerRow) -> str | None:
    """Return the champion behind the book of a stretch; a kind of stores sells without it from the same book."""
    assert row.book_sha256 is not None  # noqa: S101 - asked of stretches with a book
    assert row.book_made_for is not None  # noqa: S101
    kept = book_with(lake, row.book_made_for, row.book_sha256)
    if kept is None:
        return row.model_version
    return None if kept.book.model_version == WITHOUT_CHAMPION else kept.book.model_version


def books_of(lake: Lake, date: dt.date, batches: list[Partition]) -> list[UsedBook]:
    """Return the price books behind a day; for batches nobody played here, the one in force."""
    rows = [row for batch in batches for row in in_force_in(lake, date, batch.group)]
    used = {
        row.book_sha256: UsedBook(row.book_sha256, row.book_made_for, _version_of(lake, row), row.catalog)
        for row in rows
        if row.book_sha256 and row.book_made_for
    }
    if all(in_force_in(lake, date, batch.group) for batch in batches):
        return list(used.values())
    found = book_in_force(lake, date)
    if found is not None:
        version = None if found.book.model_version == WITHOUT_CHAMPION else found.book.model_version
        used.setdefault(found.sha256, UsedBook(found.sha256, found.book.published_at.date(), version, None))
    return list(used.values())
