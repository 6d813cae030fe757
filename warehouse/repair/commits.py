"""Commits that a kill interrupted: those that can be finished are, the others are set aside with their drafts."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from catalog.errors import LakeError
from warehouse.aside import put_aside
from warehouse.commit_record import CommittedPart, pending_names, pending_record_path, read_record
from warehouse.files import sha256_of
from warehouse.finish import finish_left, settle_interrupted
from warehouse.lake import Lake
from warehouse.locks import held, is_held
from warehouse.partition import Partition, file_of
from warehouse.receipts import draft_path, pending_path, read_receipt, receipt_in_force
from warehouse.repair.fault import Fault

_SET_ASIDE = "set the record and its drafts aside; what is mixed then is made again"


def interrupted_commits(lake: Lake) -> Iterator[Fault]:
    """Yield every commit that is pending while nobody makes it."""
    for name in pending_names(lake.root):
        path = pending_record_path(lake.root, name)
        if is_held(lake.locks, name):
            continue
        why = _why_unfinishable(lake, path)
        where = str(path.relative_to(lake.root.parent))
        if why is None:
            what = f"the commit {name} was interrupted"
            yield Fault(what, where, "put the rest of it in force", partial(_finish, lake, name))
        else:
            what = f"the commit {name} was interrupted and cannot be finished: {why}"
            yield Fault(what, where, _SET_ASIDE, partial(_set_aside, lake, name))


def parts_of_pending(lake: Lake) -> set[Partition]:
    """Return the partitions of every pending commit whose record can be read: what they hold may change at once."""
    found = set()
    for name in pending_names(lake.root):
        try:
            record = read_record(pending_record_path(lake.root, name))
        except LakeError:
            continue
        found |= {part.partition for part in record.parts} if record else set()
    return found


def _why_unfinishable(lake: Lake, path: Path) -> str | None:
    """Say why a pending commit cannot be finished; None when it can, or is finished meanwhile."""
    try:
        record = read_record(path)
    except LakeError:
        return "its record is damaged"
    missing = [part for part in record.parts if not _is_there(lake.root, part)] if record else []
    return f"{file_of(lake.root, missing[0].partition).name} is neither staged nor in force" if missing else None


def _is_there(root: Path, part: CommittedPart) -> bool:
    """Tell whether a part is in force or staged whole; one that is only removed always is."""
    data = file_of(root, part.partition)
    if part.receipt is None or receipt_in_force(data) == part.receipt:
        return True
    try:
        staged = read_receipt(pending_path(data))
    except LakeError:
        return False
    draft = draft_path(data)
    return staged == part.receipt and draft.exists() and sha256_of(draft) == part.receipt.sha256


def _finish(lake: Lake, name: str) -> str:
    with held(lake.locks, name):
        finish_left(lake.root, name)
    return "put in force"


def _set_aside(lake: Lake, name: str) -> str:
    """Move a record, and the drafts of its parts that are not in force, out of the lake."""
    with held(lake.locks, name):
        path = pending_record_path(lake.root, name)
        drafts = list(_drafts_of(lake.root, name))
        moved = put_aside(lake.root, [*drafts, path])  # the record last: after a kill the rest is done again
    return f"set aside: {len(moved)} files"


def _drafts_of(root: Path, name: str) -> Iterator[Path]:
    """Yield the drafts and pending receipts of a commit; a receipt that proves what stands becomes final."""
    for receipt in sorted(root.rglob("part-*.receipt.json.new")):
        data = receipt.with_name(receipt.name.removesuffix(".receipt.json.new") + ".parquet")
        settle = receipt_in_force(data)
        try:
            staged = read_receipt(receipt)
        except LakeError:
            continue  # nobody can say whose it is: it is cleared away as any draft
        if staged is None or staged.commit != name:
            continue
        if settle == staged:
            settle_interrupted(data, settle)
        else:
            yield from (draft_path(data), receipt)
