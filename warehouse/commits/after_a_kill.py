"""Drafts that a killed run left: they never counted, and only take space."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from catalog.errors import LakeError
from catalog.settings import Settings
from warehouse.checks.finding import Fault
from warehouse.commits.locks import held, is_held
from warehouse.commits.notes import ASKED, EXPORTS, KEYS
from warehouse.commits.record import FOLDER, PENDING, RECORD_ENDING, pending_names
from warehouse.lake import Lake
from warehouse.partition import partition_of
from warehouse.receipts import RECEIPTS, data_path, draft_path, pending_path, read_receipt, receipt_in_force
from warehouse.stores.folder import LocalStore, settle_interrupted

_AN_INSTANT = 10.0  # seconds; a text is written in far less
_LONGEST_BUILD = 3_600.0  # seconds; views are built in one
_REMOVE = "remove it"


def left_drafts(settings: Settings) -> Iterator[Fault]:
    """Yield the drafts under the home that no process is writing."""
    lake = Lake(settings)
    if isinstance(lake.store, LocalStore):
        yield from _of_partitions(lake)
    texts = [settings.lake.rglob("*.draft"), settings.home.glob("*.draft"), settings.prefect_home.glob("*.draft")]
    for path in sorted(path for found in texts for path in found):
        if _age(path) > _AN_INSTANT:
            yield _removed("a text that was not written to its end", settings.home, path)
    for path in _unbuilt_views(settings):
        yield _removed("views that were not built to their end", settings.home, path)


def remove_left_drafts(lake: Lake) -> None:
    """Remove what a killed run left of notes and of the file of views, as every run does that opens the lake to write.

    What is staged of partitions is left to the next commit of theirs, and to the doctor. Drafts of a commit's record
    are written by whoever holds the commit's lock; that of any other text is taken for left once it is old.
    """
    if isinstance(lake.store, LocalStore):
        for path in sorted((lake.root / PENDING).glob("*.draft")):
            if not is_held(lake.locks, path.name.partition(RECORD_ENDING)[0]):
                path.unlink(missing_ok=True)
        folders = (lake.root, *(lake.root / name for name in (FOLDER, EXPORTS, ASKED, KEYS)))
        for path in sorted(path for folder in folders for path in folder.glob("*.draft")):
            if _age(path) > _AN_INSTANT:
                path.unlink(missing_ok=True)
    for path in _unbuilt_views(lake.settings):
        if path.name.split(".")[1] != str(os.getpid()):  # whoever builds them begins with that one himself
            path.unlink(missing_ok=True)


def _unbuilt_views(settings: Settings) -> Iterator[Path]:
    for path in sorted(settings.warehouse_file.parent.glob(f"{settings.warehouse_file.stem}.*.new*")):
        if not _is_being_built(path):
            yield path


def _of_partitions(lake: Lake) -> Iterator[Fault]:
    """Yield what was staged of partitions whose commit does not count; what is of a pending one belongs to that."""
    for data in sorted(set(map(data_path, (lake.root / RECEIPTS).rglob("part-*.new")))):
        partition = partition_of(lake.root, data)
        if partition is None or is_held(lake.locks, partition.lock_name) or _is_pending(lake, data):
            continue
        is_proof = _proves_what_stands(data)
        what = "a receipt that was not yet final" if is_proof else "a partition that was staged and not committed"
        remedy = "make the receipt final" if is_proof else "remove its draft"
        where = str((pending_path(data) if is_proof else draft_path(data)).relative_to(lake.root.parent))
        yield Fault(what, where, remedy, partial(_clear, lake, data, partition.lock_name, remedy))


def _is_pending(lake: Lake, data: Path) -> bool:
    with suppress(LakeError):
        staged = read_receipt(pending_path(data))
        return staged is not None and staged.commit in pending_names(lake.notes)
    return False


def _proves_what_stands(data: Path) -> bool:
    with suppress(LakeError):
        staged = read_receipt(pending_path(data))
        return staged is not None and receipt_in_force(data) == staged
    return False


def _clear(lake: Lake, data: Path, lock: str, done: str) -> str:
    with held(lake.locks, lock):
        settle_interrupted(data, receipt_in_force(data))
        draft_path(data).unlink(missing_ok=True)
    return done.replace("remove", "removed").replace("make the", "made the")


def _removed(what: str, home: Path, path: Path) -> Fault:
    return Fault(what, str(path.relative_to(home)), _REMOVE, partial(_remove, path))


def _remove(path: Path) -> str:
    path.unlink(missing_ok=True)
    return "removed"


def _age(path: Path) -> float:
    """Return how long ago a file was written, seconds; 0 when it is gone."""
    try:
        return abs(time.time() - path.stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def _is_being_built(path: Path) -> bool:
    """Tell whether the process that a draft of the views is named after may still be at it."""
    process = path.name.split(".")[1]
    if not process.isdecimal() or int(process) == os.getpid() or _age(path) > _LONGEST_BUILD:
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
