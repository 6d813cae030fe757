"""What a kill or a damaged disk left of files that came from outside, and of demand cells."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from shutil import rmtree

from catalog.errors import LakeError
from catalog.past_one_machine import LockPlace
from catalog.settings import Settings
from etl.transform import transform
from operate.repair.damage import Damage, set_findings_aside
from own_data.exports.file_row import row_of
from warehouse.finding import Fault
from warehouse.lake import Lake, Partition
from warehouse.locks import held, is_held
from warehouse.workspace import Workspace

_STAGED = (("scratch", "ingest", "an export"), ("incoming", "standard-input", "standard input"))
"""Folders in which what comes in is staged, the lock of who does that, and what it is."""


def left_staged(settings: Settings) -> Iterator[Fault]:
    """Yield the folders of staged exports that no process reads."""
    for name, lock, what in _STAGED:
        folder = settings.home / name
        if folder.exists() and not is_held(settings.locks, lock):
            mend = partial(_remove, settings.locks, lock, folder)
            yield Fault(f"{what} that was not ingested to its end", name, "remove its staged rows", mend)


def damaged_exports(lake: Lake, found: Iterable[Damage]) -> Iterator[Fault]:
    """Yield damaged days of exported files: nobody but their files can bring them back."""
    for damage in found:
        if damage.kind == "ingested":
            what = f"{damage.faults}: rows of an export, {damage.date or damage.group}"
            again = f"ingest {_file_of(lake, damage.group or '')} again"
            if {finding.kind for finding in damage.findings} == {"mixed"}:
                yield Fault(what, damage.where, again)
            else:
                mend = partial(_set_aside, lake, damage)
                yield Fault(what, damage.where, f"set it aside; then {again}", mend, afterwards=again)


def damaged_cells(found: Iterable[Damage], opened: Callable[[], Workspace]) -> Iterator[Fault]:
    """Yield damaged demand cells, which are grouped again from their decisions."""
    for damage in found:
        if damage.kind == "cells":
            what = f"{damage.faults}: demand cells of {damage.date}, {damage.group}"
            yield Fault(
                what, damage.where, "set them aside and group them again", partial(_group_again, damage, opened)
            )


def _remove(locks: LockPlace, lock: str, folder: Path) -> str:
    with held(locks, lock):
        rmtree(folder, ignore_errors=True)
    return "removed"


def _file_of(lake: Lake, part: str) -> str:
    """Name the file that a partition came from, as far as it is on record."""
    try:
        named = lake.receipt(Partition("ingested_files", None, part)) is not None
        return f"the file {row_of(lake, part)['file']}" if named else "its file"
    except LakeError:
        return "its file"


def _set_aside(lake: Lake, damage: Damage) -> str:
    set_findings_aside(lake, damage.findings)
    return "set aside"


def _group_again(damage: Damage, opened: Callable[[], Workspace]) -> str:
    workspace = opened()
    set_findings_aside(workspace.lake, damage.findings)
    transform(workspace)
    return "grouped again"
