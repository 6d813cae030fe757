"""Which bytes of a partition's file are in force, and how others are put in their place by renaming.

A receipt is written as pending before the data is renamed into place and becomes final after, so that at every moment,
also right after a kill, each partition has a receipt that matches its bytes.

`check` holds the files of a folder against their receipts. What is moved out of the lake stands beside it: nothing that
may still be looked at is deleted.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from catalog.errors import LakeError
from warehouse.commit_record import CommittedPart
from warehouse.files import sha256_of, sync_folder
from warehouse.finding import Finding, Kind
from warehouse.parquet import contract_faults
from warehouse.partition import file_of, partition_named
from warehouse.receipts import (
    RECEIPT_ENDING,
    RECEIPTS,
    Receipt,
    data_path,
    draft_path,
    final_path,
    pending_path,
    read_receipt,
    receipt_in_force,
)


def names_in(root: Path, folder: str = "") -> list[str]:
    """Return the names of all Parquet files in a folder of the lake, and of receipts without a file, ascending."""
    found = set[str]()
    for top, ending in ((root / folder, ".parquet"), (root / RECEIPTS / folder, RECEIPT_ENDING)):
        for place, _, files in os.walk(str(top)):
            names = (f"{place}/{file}" for file in files if file.endswith(ending))
            found.update(str(data_path(Path(name))) if ending == RECEIPT_ENDING else name for name in names)
    return sorted(path.removeprefix(f"{root}/") for path in found)


def check(root: Path, name: str) -> tuple[list[Finding], int]:
    """Return what is wrong with a file, and how many rows its receipt proves."""
    data = root / name
    try:
        receipts = [receipt for path in (final_path(data), pending_path(data)) if (receipt := read_receipt(path))]
    except LakeError as error:
        return [_found(name, "damaged", str(error))], 0
    if not data.exists():
        return [_found(name, "missing", "its receipt is there, the file is not: make the partition again")], 0
    if not receipts:
        return [_found(name, "orphaned", "it has no receipt to prove it: make the partition again")], 0
    actual = sha256_of(data)
    receipt = next((receipt for receipt in receipts if receipt.sha256 == actual), None)
    if receipt is None:
        size, expected = data.stat().st_size, receipts[0].bytes
        detail = f"{size} bytes instead of {expected}" if size != expected else "its bytes differ from its receipt"
        return [_found(name, "damaged", f"{detail}: set it aside and make the partition again")], 0
    return list(_of_contract(data, name, receipt.rows)), receipt.rows


def _of_contract(data: Path, name: str, rows: int) -> Iterator[Finding]:
    partition = partition_named(name)
    if partition is None:
        yield _found(name, "orphaned", "no table of the catalog has this name")
        return
    for said in contract_faults(data, partition.table, rows):
        yield _found(name, "damaged", said)


def _found(name: str, kind: Kind, message: str) -> Finding:
    return Finding(name, kind, message, partition_named(name))


FOLDER = "set-aside"


def put_aside(root: Path, files: Iterable[Path]) -> list[Path]:
    """Move those of the files that are there out of the lake under `root`, and return where each went."""
    moved = []
    for path in files:
        if path.exists():
            target = _free_name(root.parent / FOLDER / path.relative_to(root))
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            moved.append(target)
    return moved


def _free_name(path: Path) -> Path:
    """Return the path, or the path with the first number that is free."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in itertools.count(1))
    return path if not path.exists() else next(name for name in numbered if not name.exists())


def put_part_in_force(root: Path, part: CommittedPart) -> None:
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
    sync_folder(final_path(data).parent)


def can_be_put_in_force(root: Path, part: CommittedPart) -> bool:
    """Tell whether a part is in force or staged whole; one that is only removed always is."""
    data = file_of(root, part.partition)
    if part.receipt is None or receipt_in_force(data) == part.receipt:
        return True
    draft = draft_path(data)
    return _is(pending_path(data), part.receipt) and draft.exists() and sha256_of(draft) == part.receipt.sha256


def remove_files(data: Path) -> None:
    """Remove a partition's file and receipt.

    The receipt is pending while the data is removed: after a kill the partition is as it was, or as after an
    interrupted first publication, which no reader sees.
    """
    if final_path(data).exists():
        final_path(data).replace(pending_path(data))
    data.unlink(missing_ok=True)
    pending_path(data).unlink(missing_ok=True)
    for folder in (data.parent, final_path(data).parent):
        if folder.exists():
            sync_folder(folder)


def settle_interrupted(data: Path, in_force: Receipt | None) -> None:
    """Finish what a kill interrupted: a pending receipt that matches the data becomes final, any other is removed."""
    pending = pending_path(data)
    if pending.exists():
        if in_force is not None and _is(pending, in_force):
            pending.replace(final_path(data))
        else:
            pending.unlink()


def drafts_of(root: Path, commit: str) -> Iterator[Path]:
    """Yield the drafts and pending receipts of a commit; a receipt that proves what stands becomes final."""
    for receipt in sorted((root / RECEIPTS).rglob(f"part-*{RECEIPT_ENDING}.new")):
        data = data_path(receipt)
        in_force = receipt_in_force(data)
        try:
            staged = read_receipt(receipt)
        except LakeError:
            continue  # nobody can say whose it is: it is cleared away as any draft
        if staged is None or staged.commit != commit:
            continue
        if in_force == staged:
            settle_interrupted(data, in_force)
        else:
            yield from (draft_path(data), receipt)


def _is(path: Path, receipt: Receipt) -> bool:
    try:
        return read_receipt(path) == receipt
    except LakeError:
        return False
