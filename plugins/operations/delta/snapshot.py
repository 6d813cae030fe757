"""What is in force over all tables, with every commit in it whole or not at all, while others go on committing.

A commit counts from the moment at which its record is pending, while its parts are put in force table by table. So a
look at all tables may show a part of one. Pending records are read between two looks. Where both are the same, no table
changed while they were read: a commit that the tables show a part of is among them, and is laid over the look whole.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from catalog.errors import LakeError
from plugins.operations.delta.log import Look
from plugins.operations.delta.naming import PartInForce, short
from warehouse.commits.record import CommitRecord, CommittedPart, record_from
from warehouse.partition import Partition

if TYPE_CHECKING:
    from plugins.operations.delta.in_force import DeltaReading

PENDING = "commits/pending"
_AT_ONCE = 8
_PATIENCE = 60.0  # s

Snapshot = dict[Partition, PartInForce]


def snapshot(store: "DeltaReading") -> Snapshot:
    """Return what is in force over all tables; a pending record that is damaged counts for nothing.

    Raises
    ------
    LakeError
        When tables change all the time, or the store does not answer.
    """
    until, earlier = time.monotonic() + _PATIENCE, _looks(store)
    while True:
        pending, looks = pending_records(store), _looks(store)
        if looks == earlier:
            break
        if time.monotonic() > until:
            raise LakeError(
                f"{store.address}: expected a look at the lake between two commits within {_PATIENCE:.0f} s, found "
                "none; nothing was read, run again when fewer are at work"
            )
        earlier = looks
    parts = {partition: standing for look in looks.values() for partition, standing in look.standings()}
    for record in pending.values():
        for part in record.parts if record else ():
            if _is_as_before(part, parts.get(part.partition)):
                _apply(part, parts)
    return parts


def pending_records(store: "DeltaReading") -> dict[str, CommitRecord | None]:
    """Return the pending records by the names of their notes; None for one that is damaged."""
    texts = {name: store.notes.read(name) for name in store.notes.names(PENDING)}
    return {name: _record(text) for name, text in texts.items() if text is not None}


def _record(text: str) -> CommitRecord | None:
    try:
        return record_from(text)
    except (ValueError, TypeError, KeyError):
        return None


def _looks(store: "DeltaReading") -> dict[str, Look]:
    with ThreadPoolExecutor(_AT_ONCE) as lookers:
        return dict(zip(store.tables, lookers.map(lambda table: table.look(), store.tables.values()), strict=True))


def _is_as_before(part: CommittedPart, stands: PartInForce | None) -> bool:
    """Return whether a partition stands as it did before its commit; another may have replaced it since."""
    return part.before is None or (stands.is_of(part.before) if stands else not part.before)


def _apply(part: CommittedPart, snapshot: Snapshot) -> None:
    if part.receipt is None:
        snapshot.pop(part.partition, None)
    elif not ((stands := snapshot.get(part.partition)) and stands.is_of(part.receipt.fingerprint)):
        snapshot[part.partition] = PartInForce(short(part.receipt), part.receipt.rows, part.receipt.bytes, 0)
