"""Put the parts of a commit in force: at once, or after a kill by whoever comes next."""

from dataclasses import dataclass
from pathlib import Path

from catalog.errors import Declined, LakeError, ServiceError
from catalog.lock_place import LockPlace
from warehouse.commit_record import (
    CommitRecord,
    CommittedPart,
    make_final,
    pending_names,
    pending_record_path,
    read_record,
)
from warehouse.files import sha256_of, sync_folder
from warehouse.locks import held, waited_for
from warehouse.partition import Partition, file_of
from warehouse.receipts import Receipt, draft_path, final_path, pending_path, read_receipt, receipt_in_force


@dataclass(frozen=True)
class Place:
    """Where commits are made: the root of a lake, and where its locks are."""

    root: Path
    locks: LockPlace


def finish_left(root: Path, name: str) -> list[str]:
    """Finish a pending commit whose lock is held by us; nothing happens when another has finished it meanwhile."""
    record = read_record(pending_record_path(root, name))
    if record is None:
        return []
    finish(root, record)
    return [name]


def finish(root: Path, record: CommitRecord) -> None:
    """Put the parts of a pending commit in force that are not yet, and make its record final.

    Raises
    ------
    LakeError
        When a part is neither staged nor in force any more.
    """
    for part in record.parts:
        put_in_force(root, part)
    make_final(root, record.name)


def finish_interrupted(place: Place, holding: Partition | None = None) -> list[str]:
    """Finish the commits that a kill interrupted, and return their names.

    Parameters
    ----------
    holding
        A partition that this process holds the lock of: whoever had a commit of it pending is gone, so one that
        finishes that right now is waited for. Without it only commits that nobody holds are finished.
    """
    finished = []
    for name in pending_names(place.root):
        if holding is not None:
            record = _pending_or_none(place.root, name)
            if record is not None and record.holds(holding):
                with waited_for(place.locks, name):
                    finished += finish_left(place.root, name)
            continue
        try:
            with held(place.locks, name):
                finished += finish_left(place.root, name)
        except (Declined, LakeError, ServiceError, OSError):
            continue  # being made right now, or beyond repair by itself: `verify` and `doctor` name it
    return finished


def put_in_force(root: Path, part: CommittedPart) -> None:
    """Rename a staged part into place, or take away one that is removed; doing it twice does no harm."""
    data = file_of(root, part.partition)
    if part.receipt is None:
        remove_files(data)
        return
    before = receipt_in_force(data)
    if before == part.receipt:
        settle_interrupted(data, before)
        draft_path(data).unlink(missing_ok=True)
        return
    is_staged = _is(pending_path(data), part.receipt)
    if is_staged and draft_path(data).exists():
        draft_path(data).replace(data)
        sync_folder(data.parent)
    elif not is_staged or not data.exists() or sha256_of(data) != part.receipt.sha256:
        raise LakeError(
            f"{data}: expected the bytes that were committed, found neither them nor their draft; the commit is "
            "unfinished, run `shelfprice doctor`"
        )
    pending_path(data).replace(final_path(data))
    sync_folder(data.parent)


def remove_files(data: Path) -> None:
    """Remove a partition's file and receipt.

    The receipt is pending while the data is removed: after a kill the partition is as it was, or as after an
    interrupted first publication, which no reader sees.
    """
    if final_path(data).exists():
        final_path(data).replace(pending_path(data))
    data.unlink(missing_ok=True)
    pending_path(data).unlink(missing_ok=True)
    if data.parent.exists():
        sync_folder(data.parent)


def settle_interrupted(data: Path, in_force: Receipt | None) -> None:
    """Finish what a kill interrupted: a pending receipt that matches the data becomes final, any other is removed."""
    pending = pending_path(data)
    if pending.exists():
        if in_force is not None and _is(pending, in_force):
            pending.replace(final_path(data))
        else:
            pending.unlink()


def _is(path: Path, receipt: Receipt) -> bool:
    try:
        return read_receipt(path) == receipt
    except LakeError:
        return False


def _pending_or_none(root: Path, name: str) -> CommitRecord | None:
    try:
        return read_record(pending_record_path(root, name))
    except LakeError:
        return None
