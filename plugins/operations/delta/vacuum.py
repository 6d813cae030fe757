"""Take away the objects that nothing names any more: what was replaced, and what a kill left staged.

What must hold: an object that is in force, or was at any moment since the limit, stays, and so does one that a pending
commit names. What is being staged right now is younger than the limit. Who stages the bytes of an old object writes it
anew, which makes it young; so each object is looked at once more right before it goes.
"""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from catalog.errors import DataError, LakeError
from plugins.operations.delta.log import TableLog
from plugins.operations.delta.naming import of_object, of_pointer, short
from plugins.operations.delta.objects import PROBES, ObjectState
from plugins.operations.delta.snapshot import pending_records, snapshot
from warehouse.commits.record import CommitRecord
from warehouse.partition import Partition
from warehouse.receipts import RECEIPTS

if TYPE_CHECKING:
    from plugins.operations.delta.store import DeltaStore

SHORTEST, LONGEST = dt.timedelta(days=1), dt.timedelta(days=30)
"""Younger objects may be being staged; older entries of a log may have been cleaned up."""

_AT_ONCE = 8
_TOGETHER = 200  # objects that are looked at once more and removed together

_Named = tuple[Partition, str]


@dataclass(frozen=True)
class Removed:
    """What was taken away: objects, and their bytes."""

    objects: int
    bytes: int


def vacuum(store: "DeltaStore", older_than: dt.timedelta, now: dt.datetime) -> Removed:
    """Remove the objects that no version of a table since a limit names, and that no pending commit names.

    Parameters
    ----------
    older_than
        Versions of tables that are younger stay readable.
    now
        The time of the store (UTC).

    Raises
    ------
    DataError
        When the limit is shorter than a day or longer than 30 days.
    LakeError
        When a pending record is damaged, so that nobody knows what it names; nothing is removed then.
    """
    if not SHORTEST <= older_than <= LONGEST:
        raise DataError(f"expected to keep what is younger than 1 to 30 days, found {older_than}; nothing was removed")
    limit = now - older_than
    # What may go is listed before what is named is read: what is put in force in between is named then.
    old = [entry for entry in _data(store) if entry.changed_at < limit]
    named = _named(store, limit)
    unnamed = [entry for entry in old if of_object(entry.name) not in named]
    # A pointer keeps no history: while it is young, what it named before may have been in force since the limit.
    young = {of_pointer(entry.name) for entry in store.objects.under("pointers") if entry.changed_at >= limit}
    removed = _remove(store, [entry for entry in unnamed if _partition_of(entry) not in young], limit)
    _remove(store, [entry for entry in store.objects.under(PROBES) if entry.changed_at < limit], limit)
    for table in _logs(store):
        table.clean_up()
    return removed


def time_there(store: "DeltaStore") -> dt.datetime:
    """Return the time (UTC) by the clock that dates the objects: this machine's may be hours ahead of it."""
    name = f"{PROBES}/{uuid4().hex}/time"
    store.objects.write(name, b"now")
    state = store.objects.state(name)
    store.objects.remove([name])
    if state is None:
        raise LakeError(f"{store.objects.address.of(name)}: expected what was written a moment ago, found nothing")
    return state.changed_at


def strays(store: "DeltaStore") -> list[ObjectState]:
    """Return the objects of partitions that are not in force: replaced, being staged, or left by a kill."""
    entries = list(_data(store))
    in_force = {(partition, standing.fingerprint) for partition, standing in snapshot(store).items()}
    return [entry for entry in entries if of_object(entry.name) not in in_force]


def _data(store: "DeltaStore") -> Iterator[ObjectState]:
    """Yield every Parquet object and every receipt of every table."""
    for folder in (*store.tables, RECEIPTS):
        yield from (entry for entry in store.objects.under(folder) if of_object(entry.name))


def _logs(store: "DeltaStore") -> list[TableLog]:
    return [table for table in store.tables.values() if isinstance(table, TableLog)]


def _named(store: "DeltaStore", limit: dt.datetime) -> set[_Named]:
    records = pending_records(store)
    damaged = [name for name, record in records.items() if record is None]
    if damaged:
        raise LakeError(
            f"{store.objects.address.of(damaged[0])}: expected a commit record as it was written, found something "
            "else; nothing was removed, run `shelfprice doctor`"
        )
    named = {of_part for record in records.values() if record for of_part in _of_record(record)}
    for table in store.tables.values():
        named |= {(partition, standing.fingerprint) for partition, standing in table.look().standings()}
    for table in _logs(store):
        named |= table.named_since(limit)
    return named | {(name, standing.fingerprint) for name, standing in snapshot(store).items()}


def _of_record(record: CommitRecord) -> Iterator[_Named]:
    for part in record.parts:
        if part.receipt is not None:
            yield part.partition, short(part.receipt)


def _partition_of(object_state: ObjectState) -> Partition | None:
    name = of_object(object_state.name)
    return name and name[0]


def _remove(store: "DeltaStore", candidates: list[ObjectState], limit: dt.datetime) -> Removed:
    objects = size = 0
    with ThreadPoolExecutor(_AT_ONCE) as lookers:
        for first in range(0, len(candidates), _TOGETHER):
            some = lookers.map(
                lambda candidate: store.objects.state(candidate.name), candidates[first : first + _TOGETHER]
            )
            old = [entry for entry in some if entry and entry.changed_at < limit]
            store.objects.remove([entry.name for entry in old])
            objects, size = objects + len(old), size + sum(entry.bytes for entry in old)
    return Removed(objects, size)
