"""Files of what stores tell: one by itself, or an inbox, a folder whose files are taken in whole and moved away.

A complete file is claimed by moving it to `reading`, so that its name may be used again. It is moved on to `done`, or
to `refused` with the reasons beside it, only after its lines are durable. A kill in between leaves it where it is, and
the same command takes it in again: lines that are known count once.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count, islice
from pathlib import Path

from catalog.errors import DataError
from catalog.load import WatchedCatalog
from plugins.connect.intake import announced
from plugins.connect.intake.intake import Intake
from plugins.connect.intake.sale_lines import Contents
from plugins.connect.intake.sales_files import batches_in, contents_of, is_taken, may_be_half_written
from warehouse.commits.locks import held
from warehouse.files import sync_file, sync_folder
from warehouse.query.questions import write_csv
from warehouse.workspace import Workspace

_FOLDERS = _READING, _DONE, _REFUSED = "reading", "done", "refused"
_LOOK_EVERY = 0.5  # s
_MAKE_EVERY = 60.0  # s, for a date ends also where no file comes
_STILL_WRITTEN = 10.0  # s, after which a file that ends in the middle of a line is complete all the same
_COLUMNS = ("line", "reason", "expected", "found")
_MOST_REASONS = 100_000
_Reason = tuple[int | None, str, str, str]
"""The number of a line, why it was refused, what was expected, and what was found."""


@dataclass(frozen=True)
class TakenFile:
    """A file that was taken in.

    Attributes
    ----------
    file
        Where it is now.
    kind
        What it holds; None where it could not be read.
    taken, known, refused
        How many lines were new, known already, and refused.
    reasons
        Why lines were refused; empty where a file beside it says so.
    """

    file: Path
    kind: Contents | None
    taken: int
    known: int
    refused: int
    reasons: Sequence[_Reason] = ()


def take_file(workspace: Workspace, intake: Intake, file: Path) -> TakenFile:
    """Take in one file, which stays where it is, then make the dates that are over.

    Raises
    ------
    DataError
        When the file as a whole cannot be read; what was taken before is known when it is taken in again.
    Declined
        When the stores of this catalog are the twin's, and it holds what only stores that sell have.
    """
    done = _read(workspace, intake, file, file.name)
    for number, _, expected, _ in done.reasons:
        if number is None:
            raise DataError(expected)
    if done.kind in {"sales", "stock", "traffic"}:
        intake.make_dates(workspace)
    return done


def take_in(workspace: Workspace, intake: Intake, folder: Path) -> list[TakenFile]:
    """Take in every complete file of a folder, then make the dates that are over.

    Raises
    ------
    Declined
        When another process takes files from the folder, or the stores of this catalog are the twin's.
    LakeError
        When the disk refuses; the file is still there.
    """
    with held(workspace.settings.locks, _lock_of(folder)):
        taken = [_take_file(workspace, intake, file) for file in waiting_in(folder)]
        intake.make_dates(workspace)
    return taken


def follow(
    workspace: Workspace,
    catalog: WatchedCatalog,
    intake: Intake,
    folder: Path,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    pass_over: Callable[[Path, str], None] | None = None,
) -> Iterator[TakenFile]:
    """Yield each file as it is taken in; it never ends by itself.

    Parameters
    ----------
    pause
        Waits some seconds.
    clock
        Seconds on a clock that never goes back.
    pass_over
        Receives, once, each thing that lies there and is never taken in, with why.
    """
    with held(workspace.settings.locks, _lock_of(folder)):
        made_at, passed = -_MAKE_EVERY, set[tuple[Path, str]]()
        while True:
            if pass_over is not None:
                now = set(passed_over(folder))
                for file, why in sorted(now - passed):
                    pass_over(file, why)
                passed = now
            files = waiting_in(folder)
            for file in files:
                yield _take_file(replace(workspace, catalog=catalog.current()), intake, file)
            if files or clock() - made_at >= _MAKE_EVERY:
                intake.make_dates(replace(workspace, catalog=catalog.current()))
                made_at = clock()
            pause(_LOOK_EVERY)


def waiting_in(folder: Path) -> list[Path]:
    """Return the complete files that were not taken in yet, those that a kill left first; hidden ones are not ready."""
    for name in _FOLDERS:
        _refuse_link(folder / name)
    left, new = (sorted(place.glob("*")) for place in (folder / _READING, folder))
    return [file for file in left if _is_ours(file)] + [file for file in new if _is_ours(file) and _is_complete(file)]


def passed_over(folder: Path) -> list[tuple[Path, str]]:
    """Return what lies in a folder and is never taken in, each with why, except hidden files: these are not ready."""
    return [
        (file, why)
        for file in sorted(folder.glob("*"))
        if file.name not in _FOLDERS and not file.name.startswith(".") and (why := _why_not(file)) is not None
    ]


def _why_not(file: Path) -> str | None:
    """Return why something in an inbox is not taken in; None where it is."""
    if file.is_symlink():
        return "a link, and links are not followed: move the file itself here"
    if file.is_dir():
        return "a folder: move its files here"
    if not file.is_file():
        return "a pipe or a device: write a file"
    return None if is_taken(file.name) else "no file of sales by its name: expected .csv, .txt, .jsonl or .parquet"


def _is_ours(file: Path) -> bool:
    return not file.name.startswith(".") and _why_not(file) is None


def _is_complete(file: Path) -> bool:
    try:
        return not may_be_half_written(file) or time.time() - file.stat().st_mtime > _STILL_WRITTEN
    except FileNotFoundError:  # its writer took it back
        return False


def _take_file(workspace: Workspace, intake: Intake, file: Path) -> TakenFile:
    """Take one file in, and move it away."""
    folder = file.parent.parent if file.parent.name == _READING else file.parent
    claimed = file if file.parent.name == _READING else _moved(file, folder / _READING)
    taken = repeated = 0
    while True:
        size, done = claimed.stat().st_size, _read(workspace, intake, claimed, file.name)
        taken, repeated = taken + done.taken, repeated + done.known
        if size == claimed.stat().st_size:  # else a writer that did not close it has gone on
            break
    if not done.refused:
        return replace(done, file=_moved(claimed, folder / _DONE), taken=taken, known=repeated)
    place = _free(folder / _REFUSED, claimed.name)
    _write_reasons(place.with_name(f"{place.name}.reasons.csv"), done.reasons)
    claimed.rename(place)
    sync_folder(place.parent)
    return replace(done, file=place, taken=taken, known=repeated, reasons=())


def _read(workspace: Workspace, intake: Intake, file: Path, name: str) -> TakenFile:
    """Take in the lines of a file; one that cannot be read as a whole has that as a reason without a line."""
    kind: Contents | None = None
    taken = repeated = refused = 0
    reasons = list[_Reason]()
    try:
        for batch in batches_in(file, workspace.settings.inbox_lines):
            kind = kind or contents_of(batch)
            if kind == "announced":
                said = announced.take_in(workspace.lake, workspace.catalog, file)
                return TakenFile(file, kind, said.events + said.weather, 0, 0)
            result = intake.take(workspace, kind, batch.fields, f"file {name}")
            taken, repeated = taken + result.taken, repeated + result.known
            refused += len(result.refused)
            more = islice(result.refused, max(0, _MOST_REASONS - len(reasons)))
            reasons += [(batch.numbers[line.index], line.reason, line.expected, line.found) for line in more]
    except DataError as error:
        reasons.append((None, "unreadable", str(error), ""))
        refused += 1
    return TakenFile(file, kind, taken, repeated, refused, reasons)


def _write_reasons(file: Path, reasons: Sequence[_Reason]) -> None:
    draft = file.with_name(f".{file.name}.draft")
    draft.unlink(missing_ok=True)  # a kill may have left one; a link there is never written through
    with draft.open("x", encoding="utf-8", newline="") as handle:
        write_csv(handle, _COLUMNS, reasons)
    sync_file(draft)
    draft.replace(file)


def _moved(file: Path, folder: Path) -> Path:
    """Move a file into a folder beside the waiting ones, under a name that is free; return where it is."""
    place = _free(folder, file.name)
    file.rename(place)
    sync_folder(folder)
    return place


def _free(folder: Path, name: str) -> Path:
    _refuse_link(folder)
    folder.mkdir(exist_ok=True)
    packed = Path(name).suffix if Path(name).suffix.lower() == ".gz" else ""
    path = Path(name.removesuffix(packed))
    names = (folder / (f"{path.stem}.{number}{path.suffix}{packed}" if number > 1 else name) for number in count(1))
    return next(place for place in names if not place.exists())


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        raise DataError(f"{folder}: expected a folder, found a link; nothing was taken in: remove the link")


def _lock_of(folder: Path) -> str:
    return f"take-in-{sha256(os.fsencode(folder.resolve())).hexdigest()[:16]}"
