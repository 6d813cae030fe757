"""Commit partitions together: all of them, or none.

First every part is staged beside its place, its bytes and its receipt. Then the record of the commit is written as
pending; this is the moment from which the commit counts. Then every part is put in force, in the order in which it was
staged, what was removed is left out of the records of the commits that it was a part of, and last the record becomes
final. After a kill before the record nothing has changed; after a kill behind it, whoever opens the lake next puts the
rest in force. In a folder all of that is renaming, which takes no space on the disk, so a full disk refuses a commit
before it counts; a record that keeps some of its parts is written anew, and waits for space if there is none. One part
alone needs no record: it is put in force at once.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from catalog.errors import Declined, LakeError, ServiceError
from catalog.names import EMPTY_GROUP
from catalog.settings import LockPlace
from warehouse.commits.locks import held, in_words, waited_for
from warehouse.commits.record import (
    CommitRecord,
    CommittedPart,
    final_record,
    make_final,
    pending_names,
    pending_record_name,
    read_record,
    supersede,
    write_pending,
)
from warehouse.origin import OF_A_RETAILER, OF_BOTH, OF_THE_TWIN, claim
from warehouse.parquet import conform
from warehouse.partition import Action, Partition, Published, name_of, table_called
from warehouse.receipts import CODE_VERSION, Receipt
from warehouse.stores.protocol import LakeStore


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
            continue  # being made right now, or beyond repair by itself: `health --files` and `doctor` name it
    return finished


def _pending_or_none(store: LakeStore, name: str) -> CommitRecord | None:
    try:
        return read_record(store.notes, pending_record_name(name))
    except LakeError:
        return None


class Commit:
    """Changes of partitions that are being staged; they count when the block of `committing` ends without an error."""

    def __init__(self, place: Place, name: str | None, inputs: str, seed: int | None, stack: ExitStack) -> None:
        """Begin a commit; `stack` holds the locks of its partitions until it is made."""
        self._place, self._name, self._inputs, self._seed, self._stack = place, name, inputs, seed, stack
        self._staged: dict[Partition, Published | None] = {}
        self._before: dict[Partition, str | None] = {}
        self._taken_from: dict[Partition, str] = {}
        self._remarks: dict[str, Any] = {}
        self._has_a_side = self._changes = False
        self._counts = False

    @property
    def published(self) -> list[Published]:
        """What happened to each partition that was published, in order."""
        return [published for published in self._staged.values() if published is not None]

    def publish(self, partition: Partition, rows: pa.Table, *, inputs: str | None = None) -> Published:
        """Stage a partition whole; `inputs` are those of the commit if no others are given.

        Raises
        ------
        ContractError
            When columns, types or nulls are not as the contract says.
        Declined
            When another process is writing this partition, or the lake holds the decisions of the other side.
        LakeError
            When the disk refuses.
        """
        name_of(partition)  # refuses names that could lead out of the lake
        conforming = conform(rows, table_called(partition.table))
        self._hold(partition)
        before = self._look(partition)
        self._staged[partition] = None

        def receipt_of(size: int, sha256: str) -> Receipt:
            made_from = self._inputs if inputs is None else inputs
            return Receipt(conforming.num_rows, size, sha256, made_from, self._seed, CODE_VERSION, self._name)

        receipt = self._place.store.stage(partition, conforming, receipt_of)
        self._staged[partition] = staged = Published(partition, receipt, _action(before, receipt))
        if before != receipt or self._place.store.sha256_anew(partition) != receipt.sha256:
            self._changes = True
        return staged

    def remove(self, partition: Partition) -> None:
        """Stage the removal of a partition; does nothing when there is none. It is a part of no commit then."""
        if self._place.store.holds(partition):
            self._hold(partition)
            before = self._look(partition)
            if before is not None and before.commit not in (None, self._name):
                self._taken_from[partition] = before.commit
            self._staged[partition] = None
            self._changes = True

    @property
    def remarks(self) -> Mapping[str, Any]:
        """What was remarked on the commit of this name that was made before; empty where there was none."""
        earlier = None if self._name is None else final_record(self._place.store.notes, self._name)
        return {} if earlier is None else earlier.remarks

    def remark(self, **facts: Any) -> None:
        """Keep facts, plain values of JSON, in the record of this commit."""
        self._remarks |= facts

    def keep(self, earlier: CommitRecord) -> None:
        """Keep the parts of the commit that this one takes the place of, unless they are staged anew; and remarks."""
        self._remarks = {**earlier.remarks, **self._remarks}
        for part in earlier.parts:
            if part.partition not in self._staged and part.receipt is not None:
                self._before[part.partition] = self._known(part.receipt)
                self._staged[part.partition] = Published(part.partition, part.receipt, "unchanged")

    def make(self) -> None:
        """Let everything that was staged count, and put it in force."""
        store = self._place.store
        parts = tuple(
            CommittedPart(
                partition,
                None if staged is None else staged.receipt,
                self._before[partition],
                self._taken_from.get(partition),
            )
            for partition, staged in self._staged.items()
        )
        if self._name is None:
            self._counts = True
            store.put_in_force(parts)
            return
        record = CommitRecord(self._name, self._inputs, parts, self._remarks)
        if not self._changes and record.repeats(final_record(store.notes, self._name)):
            return
        if not write_pending(store.notes, record):
            raise Declined(f"{in_words(self._name)} elsewhere; nothing was changed, run again when it is done")
        self._counts = True
        finish(store, record)

    def abandon(self) -> None:
        """Take away what was staged, unless it counts already."""
        store = self._place.store
        if self._counts or (self._name is not None and self._name in pending_names(store.notes)):
            return
        store.unstage(self._staged)

    def _look(self, partition: Partition) -> Receipt | None:
        """Return the receipt that is in force before a part is staged, and remember it."""
        before = self._place.store.receipt(partition)
        self._before.setdefault(partition, self._known(before))
        return before

    def _known(self, before: Receipt | None) -> str | None:
        """Return what a record says of what was in force: nothing where locks keep all others out."""
        if not self._place.store.is_shared:
            return None
        return before.fingerprint if before else ""

    def _hold(self, partition: Partition) -> None:
        if partition in self._staged:
            return
        if not self._has_a_side and is_of_a_side(partition):
            claim(self._place.store, "retailer" if self._seed is None else "twin")
            self._has_a_side = True
        self._stack.enter_context(held(self._place.locks, partition.lock_name))
        finish_interrupted(self._place, partition)


@contextmanager
def committing(
    place: Place, name: str | None, inputs: str, seed: int | None, *, amends: bool = False
) -> Iterator[Commit]:
    """Stage partitions in the block; at its end they count, all of them, or none when it raises.

    Parameters
    ----------
    name
        What is committed, such as `batch-2026-01-05-g000`; None for one partition alone, which needs no record.
    amends
        Whether the other parts of the commit of this name stay parts of it.

    Raises
    ------
    Declined
        When another process is making a commit of this name.
    LakeError
        When the disk refuses; nothing is changed, or the commit counts already and is yet to be put in force.
    """
    with ExitStack() as stack:
        try:
            if name is not None:
                stack.enter_context(held(place.locks, name))
                if name in pending_names(place.store.notes):
                    finish_left(place.store, name)
            commit = Commit(place, name, inputs, seed, stack)
            try:
                yield commit
                before = final_record(place.store.notes, name) if amends and name is not None else None
                if before is not None:
                    commit.keep(before)
                commit.make()
            except Exception:
                commit.abandon()
                raise
        except OSError as error:
            raise LakeError(_refused(place, name, error)) from error


def is_of_a_side(partition: Partition) -> bool:
    """Tell whether a partition is of decisions, which only a lake of their own side may hold."""
    return partition.group != EMPTY_GROUP and partition.table in {*OF_BOTH, *OF_THE_TWIN, *OF_A_RETAILER}


def _refused(place: Place, name: str | None, error: OSError) -> str:
    why = f"{place.store.address}: {name or 'a partition'} cannot be written ({error.strerror or error})"
    if name is not None and name in pending_names(place.store.notes):
        return f"{why} to its end; it counts all the same: mend the disk, and whoever opens the lake next finishes it"
    return f"{why}; what stands there is unchanged, mend the disk and run again"


def _action(before: Receipt | None, receipt: Receipt) -> Action:
    if before is None:
        return "written"
    return "unchanged" if before.sha256 == receipt.sha256 else "replaced"
