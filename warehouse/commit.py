"""Commit partitions together: all of them, or none.

First every part is staged beside its place: its bytes as a draft, its receipt as pending. Then the record of the commit
is written as pending; this is the moment from which the commit counts. Then every part is renamed into place, in the
order in which it was staged, and last the record becomes final. After a kill before the record nothing has changed;
after a kill behind it, whoever opens the lake next puts the rest in force. All of that takes no space on the disk any
more, so a full disk refuses a commit before it counts. One part alone needs no record: its own name is renamed at once.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pyarrow as pa

from catalog.errors import LakeError
from catalog.names import EMPTY_GROUP
from warehouse.commit_record import CommitRecord, CommittedPart, final_record, pending_names, write_pending
from warehouse.files import sha256_of, sync_file, write_durably
from warehouse.finish import Place, finish, finish_interrupted, finish_left, put_in_force, settle_interrupted
from warehouse.locks import held
from warehouse.origin import OF_A_RETAILER, OF_BOTH, OF_THE_TWIN, publishing
from warehouse.parquet import conform, write_parquet
from warehouse.partition import Action, Partition, Published, file_of, table_called
from warehouse.receipts import CODE_VERSION, Receipt, draft_path, pending_path, receipt_in_force


class Commit:
    """Changes of partitions that are being staged; they count when the block of `committing` ends without an error."""

    def __init__(self, place: Place, name: str | None, inputs: str, seed: int | None, stack: ExitStack) -> None:
        """Begin a commit; `stack` holds the locks of its partitions until it is made."""
        self._place, self._name, self._inputs, self._seed, self._stack = place, name, inputs, seed, stack
        self._staged: dict[Partition, Published | None] = {}
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
        conforming, data = conform(rows, table_called(partition.table)), file_of(self._place.root, partition)
        self._hold(partition)
        data.parent.mkdir(parents=True, exist_ok=True)
        before = receipt_in_force(data)
        settle_interrupted(data, before)
        self._staged[partition] = None
        write_parquet(conforming, draft_path(data))
        receipt = Receipt(
            conforming.num_rows,
            draft_path(data).stat().st_size,
            sha256_of(draft_path(data)),
            self._inputs if inputs is None else inputs,
            self._seed,
            CODE_VERSION,
            self._name,
        )
        self._staged[partition] = staged = Published(partition, receipt, _action(before, receipt))
        if before == receipt and sha256_of(data) == receipt.sha256:
            draft_path(data).unlink()
            return staged
        self._changes = True
        sync_file(draft_path(data))
        write_durably(pending_path(data), receipt.to_json())
        return staged

    def remove(self, partition: Partition) -> None:
        """Stage the removal of a partition; does nothing when there is none."""
        if file_of(self._place.root, partition).exists():
            self._hold(partition)
            self._staged[partition] = None
            self._changes = True

    def keep(self, part: CommittedPart) -> None:
        """Keep a part of the commit that this one takes the place of, unless it is staged anew."""
        if part.partition not in self._staged and part.receipt is not None:
            self._staged[part.partition] = Published(part.partition, part.receipt, "unchanged")

    def make(self) -> None:
        """Let everything that was staged count, and put it in force."""
        parts = tuple(
            CommittedPart(partition, None if staged is None else staged.receipt)
            for partition, staged in self._staged.items()
        )
        if self._name is None:
            self._counts = True
            for part in parts:
                put_in_force(self._place.root, part)
            return
        record = CommitRecord(self._name, self._inputs, parts)
        if not self._changes and record == final_record(self._place.root, self._name):
            return
        write_pending(self._place.root, record)
        self._counts = True
        finish(self._place.root, record)

    def abandon(self) -> None:
        """Take away what was staged, unless it counts already."""
        if self._counts or (self._name is not None and self._name in pending_names(self._place.root)):
            return
        for partition in self._staged:
            data = file_of(self._place.root, partition)
            draft_path(data).unlink(missing_ok=True)
            pending_path(data).unlink(missing_ok=True)

    def _hold(self, partition: Partition) -> None:
        if partition in self._staged:
            return
        if not self._has_a_side and is_of_a_side(partition):
            self._stack.enter_context(
                publishing(self._place.root, self._place.locks, "retailer" if self._seed is None else "twin")
            )
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
                if name in pending_names(place.root):
                    finish_left(place.root, name)
            commit = Commit(place, name, inputs, seed, stack)
            try:
                yield commit
                before = final_record(place.root, name) if amends and name is not None else None
                for part in before.parts if before else ():
                    commit.keep(part)
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
    why = f"{place.root}: {name or 'a partition'} cannot be written ({error.strerror or error})"
    if name is not None and name in pending_names(place.root):
        return f"{why} to its end; it counts all the same: mend the disk, and whoever opens the lake next finishes it"
    return f"{why}; what stands there is unchanged, mend the disk and run again"


def _action(before: Receipt | None, receipt: Receipt) -> Action:
    if before is None:
        return "written"
    return "unchanged" if before.sha256 == receipt.sha256 else "replaced"
