"""What is in force over all tables, with every commit in it whole or not at all, while others go on committing.

A commit counts from the moment at which its record is pending, while its parts are put in force table by table. So a
look at all tables may show a part of one. What must hold is that such a commit is known by name: either its record was
pending before the look, or it began after that, and then the log of the table that shows it names it. The records of
all of these are laid over what the look found. Only where one partition was replaced twice meanwhile, that cannot be
told apart, and everything is looked at again.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

from catalog.errors import LakeError
from cluster.delta.look import Look
from cluster.delta.naming import PartInForce, short
from warehouse.commit_record import CommitRecord, CommittedPart, record_from
from warehouse.partition import Partition

if TYPE_CHECKING:
    from cluster.delta.in_force import DeltaReading

PENDING = "commits/pending"
_AT_ONCE = 8
_PATIENCE = 60.0  # s

Snapshot = dict[Partition, PartInForce]
_Records = dict[str, CommitRecord | None]
_Looks = dict[str, Look]


def snapshot(store: "DeltaReading") -> Snapshot:
    """Return what is in force over all tables; a pending record that is damaged counts for nothing.

    Raises
    ------
    LakeError
        When partitions are replaced all the time, or the store does not answer.
    """
    until, earlier = time.monotonic() + _PATIENCE, _looks(store)
    while True:
        pending, looks = pending_records(store), _looks(store)
        found = _laid_over(store, pending, earlier, looks)
        if found is not None:
            return found
        if time.monotonic() > until:
            raise LakeError(
                f"{store.address}: expected a look at the lake between two commits of one partition within "
                f"{_PATIENCE:.0f} s, found none; nothing was read, run again when fewer are at work"
            )
        earlier = looks


def pending_records(store: "DeltaReading") -> _Records:
    """Return the pending records by the names of their notes; None for one that is damaged."""
    texts = {name: store.notes.read(name) for name in store.notes.names(PENDING)}
    return {name: _record(text) for name, text in texts.items() if text is not None}


def _record(text: str) -> CommitRecord | None:
    try:
        return record_from(text)
    except (ValueError, TypeError, KeyError):
        return None


def _looks(store: "DeltaReading") -> _Looks:
    with ThreadPoolExecutor(_AT_ONCE) as lookers:
        return dict(zip(store.tables, lookers.map(lambda table: table.look(), store.tables.values()), strict=True))


def _laid_over(store: "DeltaReading", pending: _Records, earlier: _Looks, looks: _Looks) -> Snapshot | None:
    """Lay the commits over a look that it may show a part of; None when it has to be taken again."""
    shown: set[str] = set()
    for table, look in looks.items():
        commits = look.commits_since(earlier[table])
        if commits is None:
            return None
        shown |= commits
    found = {partition: standing for look in looks.values() for partition, standing in look.standings()}
    begun = [record for record in _begun_meanwhile(store, sorted(shown)) if record not in pending.values()]
    for record in pending.values():
        for part in record.parts if record else ():
            if _state_of(part, found) == "before":
                _apply(part, found)
    return found if _have_applied(begun, found) else None


def _begun_meanwhile(store: "DeltaReading", names: list[str]) -> list[CommitRecord]:
    """Return the records of commits that a look may show a part of, whether they are pending or final by now."""
    with ThreadPoolExecutor(_AT_ONCE) as readers:
        texts = readers.map(lambda name: _text_of(store, name), names)
        return [record for text in texts if text and (record := _record(text))]


def _text_of(store: "DeltaReading", name: str) -> str | None:
    """Return the record of a commit: the pending one, or the final one that it becomes."""
    return store.notes.read(f"{PENDING}/{name}.commit.json") or store.notes.read(f"commits/{name}.commit.json")


def _have_applied(begun: list[CommitRecord], found: Snapshot) -> bool:
    """Lay commits over in the order in which each found what it replaced; False where none fits any more."""
    left = list(begun)
    while left:
        fitting = next((one for one in left if all(_state_of(part, found) != "other" for part in one.parts)), None)
        if fitting is None:
            return False
        for part in fitting.parts:
            _apply(part, found)
        left.remove(fitting)
    return True


def _state_of(part: CommittedPart, found: Snapshot) -> Literal["after", "before", "other"]:
    """Tell whether a look shows a part as it is after its commit, as it was before, or neither."""
    stands = found.get(part.partition)
    if stands.is_of(part.receipt.fingerprint) if stands and part.receipt else not stands and not part.receipt:
        return "after"
    is_as_before = part.before is None or (stands.is_of(part.before) if stands else not part.before)
    return "before" if is_as_before else "other"


def _apply(part: CommittedPart, found: Snapshot) -> None:
    if part.receipt is None:
        found.pop(part.partition, None)
    elif _state_of(part, found) != "after":
        found[part.partition] = PartInForce(short(part.receipt), part.receipt.rows, part.receipt.bytes, 0)
