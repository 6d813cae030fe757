"""What is in force over all tables at one moment, with every commit in it whole or not at all.

A commit counts from the moment at which its record is pending, while its parts are put in force table by table. So the
parts of pending records are laid over the tables. What must hold is that nothing happened between the look at the
records and the looks at the tables: both are looked at again, the records first, until both are as they were.
"""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from catalog.errors import LakeError
from warehouse.commit_record import CommitRecord, CommittedPart, record_from
from warehouse.delta.look import Look
from warehouse.delta.naming import Standing, short
from warehouse.partition import Partition

if TYPE_CHECKING:
    from warehouse.delta.store import DeltaStore

PENDING = "commits/pending"
_AT_ONCE = 8
_PATIENCE = 60.0  # s
_PAUSE = 0.05  # s

Snapshot = dict[Partition, Standing]


def snapshot(store: "DeltaStore") -> Snapshot:
    """Return what is in force over all tables at one moment; a pending record that is damaged counts for nothing.

    Raises
    ------
    LakeError
        When the lake changes all the time, or the store does not answer.
    """
    until = time.monotonic() + _PATIENCE
    records, looks = pending_records(store), _looks(store)
    while True:
        again, looks_again = pending_records(store), _looks(store)
        if records == again and _versions(looks) == _versions(looks_again):
            return _laid_over(looks, records)
        if time.monotonic() > until:
            raise LakeError(
                f"{store.address}: expected a moment without a commit within {_PATIENCE:.0f} s, found none; nothing "
                "was written, run again when fewer are at work"
            )
        records, looks = again, looks_again
        time.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - only so as not to keep step with a writer


def pending_records(store: "DeltaStore") -> dict[str, CommitRecord | None]:
    """Return the pending records by the names of their notes; None for one that is damaged."""
    texts = {name: store.notes.read(name) for name in store.notes.names(PENDING)}
    return {name: _record(text) for name, text in texts.items() if text is not None}


def _record(text: str) -> CommitRecord | None:
    try:
        return record_from(text)
    except (ValueError, TypeError, KeyError):
        return None


def _looks(store: "DeltaStore") -> dict[str, Look]:
    with ThreadPoolExecutor(_AT_ONCE) as lookers:
        return dict(zip(store.tables, lookers.map(lambda table: table.look(), store.tables.values()), strict=True))


def _versions(looks: dict[str, Look]) -> list[int]:
    return [look.version for look in looks.values()]


def _laid_over(looks: dict[str, Look], records: dict[str, CommitRecord | None]) -> Snapshot:
    found = {partition: standing for look in looks.values() for partition, standing in look.standings()}
    for part in _parts(records):
        stands = found.get(part.partition)
        is_as_before = part.before is None or (stands.is_of(part.before) if stands else not part.before)
        if not is_as_before:
            continue  # it is in force already, or another commit has taken its place since
        if part.receipt is not None:
            found[part.partition] = Standing(short(part.receipt), part.receipt.rows, part.receipt.bytes, 0)
        else:
            found.pop(part.partition, None)
    return found


def _parts(records: dict[str, CommitRecord | None]) -> Iterator[CommittedPart]:
    for record in records.values():
        yield from record.parts if record else ()
