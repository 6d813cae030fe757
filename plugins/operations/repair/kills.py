"""What a kill left: commits that are finished or set aside, staged files, and commands that go on when run again."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import rmtree

from catalog.errors import LakeError
from catalog.settings import LockPlace, Settings
from plugins.operations.checks.lake_files import files_of
from warehouse.commits.commit import finish_left
from warehouse.commits.locks import held, is_held
from warehouse.commits.notes import all_unended
from warehouse.commits.record import pending_names, pending_record_name, read_record
from warehouse.lake import Lake
from warehouse.partition import Partition, name_of, partition_of
from warehouse.receipts import RECEIPTS, data_path, draft_path, pending_path, read_receipt, receipt_in_force
from warehouse.stores.folder import LocalStore, settle_interrupted
from warehouse.workspace import abandoned_drafts, is_old

_SET_ASIDE = "set the record and its drafts aside; what is mixed then is made again"
_STAGED = (("scratch", "ingest", "an export"), ("incoming", "standard-input", "standard input"))
"""Folders in which what comes in is staged, the lock of who does that, and what it is."""
_LOCKS = {"nightly": "night", "experiment": "experiments"}


@dataclass(frozen=True)
class Fault:
    """A fault that a killed run left, and what becomes of it.

    `mend` does what `remedy` says and returns in words what was done; None where a person has to. A fault that is no
    harm is only to be known. `afterwards` is what a person has to do once it is mended.
    """

    what: str
    where: str
    remedy: str
    mend: Callable[[], str] | None = None
    is_harm: bool = True
    afterwards: str | None = None


def interrupted_commits(lake: Lake) -> Iterator[Fault]:
    """Yield every commit that is pending while nobody makes it."""
    for name in pending_names(lake.notes):
        if is_held(lake.locks, name):
            continue
        why, where = _why_unfinishable(lake, name), f"lake/{pending_record_name(name)}"
        if why is None:
            what = f"the commit {name} was interrupted"
            yield Fault(what, where, "put the rest of it in force", partial(_finish, lake, name))
        else:
            what = f"the commit {name} was interrupted and cannot be finished: {why}"
            yield Fault(what, where, _SET_ASIDE, partial(_set_aside, lake, name))


def parts_of_pending(lake: Lake) -> set[Partition]:
    """Return the partitions of every pending commit whose record can be read: what they hold may change at once."""
    names = set()
    for name in pending_names(lake.notes):
        try:
            record = read_record(lake.notes, pending_record_name(name))
        except LakeError:
            continue
        names |= {part.partition for part in record.parts} if record else set()
    return names


def _why_unfinishable(lake: Lake, name: str) -> str | None:
    """Say why a pending commit cannot be finished; None when it can, or is finished meanwhile."""
    try:
        record = read_record(lake.notes, pending_record_name(name))
    except LakeError:
        return "its record is damaged"
    missing = [part for part in record.parts if not files_of(lake.store).can_put_in_force(part)] if record else []
    if not missing:
        return None
    return f"{name_of(missing[0].partition)} is neither staged nor in force"


def _finish(lake: Lake, name: str) -> str:
    with held(lake.locks, name):
        finish_left(lake.store, name)
    return "put in force"


def _set_aside(lake: Lake, name: str) -> str:
    """Move a record, and the drafts of its parts that are not in force, out of the lake."""
    with held(lake.locks, name):
        moved = files_of(lake.store).set_staged_aside(name)
        moved += lake.store.set_aside(pending_record_name(name))  # last: after a kill the rest is done again
    return f"set aside: {len(moved)} files"


def left_staged(settings: Settings) -> Iterator[Fault]:
    """Yield the folders of staged exports that no process reads."""
    for name, lock, what in _STAGED:
        folder = settings.home / name
        if folder.exists() and not is_held(settings.locks, lock):
            mend = partial(_remove, settings.locks, lock, folder)
            yield Fault(f"{what} that was not ingested to its end", name, "remove its staged rows", mend)


def killed_commands(lake: Lake) -> Iterator[Fault]:
    """Yield the commands that were killed recently and are not running again; the lake is consistent without them."""
    for name, last in all_unended(lake.notes).items():
        command, _, store = name.partition("-")
        typed = f"shelfprice {command} --store {store}" if store else f"shelfprice {command}"
        if not is_held(lake.locks, name if store else _LOCKS.get(command, "night")):
            what = f"{command} of {store}" if store else command
            sentence = f"{what} did not come to its end, {last}"
            yield Fault(sentence, f"lake/asked/{name}.json", f"`{typed}` goes on with it", is_harm=False)


def _remove(locks: LockPlace, lock: str, folder: Path) -> str:
    with held(locks, lock):
        rmtree(folder, ignore_errors=True)
    return "removed"


def left_drafts(settings: Settings) -> Iterator[Fault]:
    """Yield the drafts under the home that no process is writing."""
    lake = Lake(settings)
    if isinstance(lake.store, LocalStore):
        yield from _of_partitions(lake)
    folders = (settings.lake / RECEIPTS).rglob, settings.home.glob, settings.prefect_home.glob
    old = (path for listed in folders for path in listed("*.draft") if is_old(path))
    for path in sorted({*abandoned_drafts(lake), *old}):
        is_text = path.suffix == ".draft"
        what = "a text that was not written to its end" if is_text else "views that were not built to their end"
        yield Fault(what, str(path.relative_to(settings.home)), "remove it", partial(_unlink, path))


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


def _unlink(path: Path) -> str:
    path.unlink(missing_ok=True)
    return "removed"
