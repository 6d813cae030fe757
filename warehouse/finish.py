"""Put the parts of a commit in force: at once, or after a kill by whoever comes next."""

from dataclasses import dataclass

from catalog.errors import Declined, LakeError, ServiceError
from catalog.past_one_machine import LockPlace
from warehouse.commit_record import (
    CommitRecord,
    make_final,
    pending_names,
    pending_record_name,
    read_record,
    supersede,
)
from warehouse.locks import held, waited_for
from warehouse.partition import Partition
from warehouse.store import LakeStore


@dataclass(frozen=True)
class Place:
    """Where commits are made: the store of a lake, and its locks."""

    store: LakeStore
    locks: LockPlace


def finish_left(store: LakeStore, name: str) -> list[str]:
    """Finish a pending commit whose lock is held by us; nothing happens when another has finished it meanwhile."""
    record = read_record(store.notes, pending_record_name(name))
    if record is None:
        return []
    finish(store, record)
    return [name]


def finish(store: LakeStore, record: CommitRecord) -> None:
    """Put the parts of a pending commit in force that are not yet, and make its record final.

    What it removes is no part of any other commit then. A kill in between leaves it pending, so whoever comes next does
    all of it again.

    Raises
    ------
    Declined
        When another committed something else in the place of its parts before this one was pending: it never counts.
    LakeError
        When a part is neither staged nor in force any more.
    """
    try:
        store.put_in_force(record.parts)
    except Declined:
        if read_record(store.notes, pending_record_name(record.name)) == record:
            store.notes.remove(pending_record_name(record.name))
        raise
    supersede(store.notes, record)
    make_final(store.notes, record.name)


def finish_interrupted(place: Place, holding: Partition | None = None) -> list[str]:
    """Finish the commits that a kill interrupted, and return their names.

    Parameters
    ----------
    holding
        A partition that this process holds the lock of: whoever had a commit of it pending is gone, so one that
        finishes that right now is waited for. Without it only commits that nobody holds are finished.
    """
    finished = []
    for name in pending_names(place.store.notes):
        if holding is not None:
            record = _pending_or_none(place.store, name)
            if record is not None and record.holds(holding):
                with waited_for(place.locks, name):
                    finished += finish_left(place.store, name)
            continue
        try:
            with held(place.locks, name):
                finished += finish_left(place.store, name)
        except (Declined, LakeError, ServiceError, OSError):
            continue  # being made right now, or beyond repair by itself: `verify` and `doctor` name it
    return finished


def _pending_or_none(store: LakeStore, name: str) -> CommitRecord | None:
    try:
        return read_record(store.notes, pending_record_name(name))
    except LakeError:
        return None
