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
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog.errors import Declined, LakeError, ServiceError
from catalog.names import EMPTY_GROUP
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

if TYPE_CHECKING:
    from warehouse.lake import Lake

_OF_A_SIDE = {*OF_BOTH, *OF_THE_TWIN, *OF_A_RETAILER}
"""Tables of decisions, which only a lake of their own side may hold."""


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


def finish_interrupted(lake: "Lake", holding: Partition | None = None) -> list[str]:
    """Finish the commits that a kill interrupted, and return their names.

    Parameters
    ----------
    holding
        A partition that this process holds the lock of: whoever had a commit of it pending is gone, so one that
        finishes that right now is waited for. Without it only commits that nobody holds are finished.
    """
    finished = []
    for name in pending_names(lake.store.notes):
        if holding is not None:
            try:
                record = read_record(lake.store.notes, pending_record_name(name))
            except LakeError:
                continue  # a damaged record holds nothing
            if record is not None and record.holds(holding):
                with waited_for(lake.locks, name):
                    finished += finish_left(lake.store, name)
            continue
        with suppress(Declined, LakeError, ServiceError, OSError), held(lake.locks, name):  # `doctor` names the others
            finished += finish_left(lake.store, name)
    return finished


class Commit:
    """Changes of partitions that are being staged; they count when the block of `committing` ends without an error."""

    def __init__(self, lake: "Lake", name: str | None, inputs: str, seed: int | None, stack: ExitStack) -> None:
        """Begin a commit; `stack` holds the locks of its partitions until it is made."""
        self._lake, self._name, self._inputs, self._seed, self._stack = lake, name, inputs, seed, stack
        self._parts: dict[Partition, CommittedPart] = {}
        self._remarks: dict[str, Any] = {}
        self._has_a_side = self._changes = self._counts = False
        self.published: list[Published] = []
        """What happened to each partition that was published, in order."""

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
        before = self._hold(partition)

        def receipt_of(size: int, sha256: str) -> Receipt:
            made_from = self._inputs if inputs is None else inputs
            return Receipt(conforming.num_rows, size, sha256, made_from, self._seed, CODE_VERSION, self._name)

        receipt = self._lake.store.stage(partition, conforming, receipt_of)
        self._parts[partition] = replace(self._parts[partition], receipt=receipt)
        self._changes |= before != receipt or self._lake.store.sha256_anew(partition) != receipt.sha256
        action: Action = "written" if before is None else "unchanged" if before.sha256 == receipt.sha256 else "replaced"
        self.published.append(Published(partition, receipt, action))
        return self.published[-1]

    def remove(self, partition: Partition) -> None:
        """Stage the removal of a partition; does nothing when there is none. It is a part of no commit then."""
        if self._lake.store.holds(partition):
            before = self._hold(partition)
            taken_from = None if before is None or before.commit == self._name else before.commit
            self._parts[partition] = replace(self._parts[partition], receipt=None, taken_from=taken_from)
            self._changes = True

    @property
    def remarks(self) -> Mapping[str, Any]:
        """What was remarked on the commit of this name that was made before; empty where there was none."""
        earlier = None if self._name is None else final_record(self._lake.store.notes, self._name)
        return {} if earlier is None else earlier.remarks

    def remark(self, **facts: Any) -> None:
        """Keep facts, plain values of JSON, in the record of this commit."""
        self._remarks |= facts

    def keep(self, earlier: CommitRecord) -> None:
        """Keep the parts of the commit that this one takes the place of, unless they are staged anew; and remarks."""
        self._remarks = {**earlier.remarks, **self._remarks}
        for part in earlier.parts:
            if part.receipt is not None:
                kept = CommittedPart(part.partition, part.receipt, self._stamp(part.receipt))
                self._parts.setdefault(part.partition, kept)

    def make(self) -> None:
        """Let everything that was staged count, and put it in force."""
        store, parts = self._lake.store, tuple(self._parts.values())
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
        store = self._lake.store
        if self._counts or (self._name is not None and self._name in pending_names(store.notes)):
            return
        store.unstage(self._parts)

    def _hold(self, partition: Partition) -> Receipt | None:
        """Hold the lock of a partition until the commit is made; return the receipt that is in force."""
        if partition in self._parts:
            return self._lake.store.receipt(partition)
        if not self._has_a_side and partition.group != EMPTY_GROUP and partition.table in _OF_A_SIDE:
            claim(self._lake.store, "retailer" if self._seed is None else "twin")
            self._has_a_side = True
        self._stack.enter_context(held(self._lake.locks, partition.lock_name))
        finish_interrupted(self._lake, partition)
        before = self._lake.store.receipt(partition)
        self._parts[partition] = CommittedPart(partition, None, self._stamp(before))
        return before

    def _stamp(self, before: Receipt | None) -> str | None:
        """Return what a record keeps of what was in force: nothing where locks keep all others out."""
        if not self._lake.store.is_shared:
            return None
        return before.fingerprint if before else ""


@contextmanager
def committing(
    lake: "Lake", name: str | None, inputs: str, seed: int | None, *, amends: bool = False
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
                stack.enter_context(held(lake.locks, name))
                if name in pending_names(lake.store.notes):
                    finish_left(lake.store, name)
            commit = Commit(lake, name, inputs, seed, stack)
            try:
                yield commit
                before = final_record(lake.store.notes, name) if amends and name is not None else None
                if before is not None:
                    commit.keep(before)
                commit.make()
            except Exception:
                commit.abandon()
                raise
        except OSError as error:
            raise LakeError(_refused(lake, name, error)) from error


def _refused(lake: "Lake", name: str | None, error: OSError) -> str:
    why = f"{lake.store.address}: {name or 'a partition'} cannot be written ({error.strerror or error})"
    if name is not None and name in pending_names(lake.store.notes):
        return f"{why} to its end; it counts all the same: mend the disk, and whoever opens the lake next finishes it"
    return f"{why}; what stands there is unchanged, mend the disk and run again"
