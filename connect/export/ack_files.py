"""Acknowledgements as files in the folder `acks` beside the batches.

A file that is whole is moved to `acks/reading`, recorded, and moved on to `acks/done`; what could not be used of it
stands in `acks/refused` with the reason. A kill in between leaves the file where it is, and it is read once more: what
is recorded already stays as it is.
"""

import csv
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from connect.export.acknowledge import MOST_AT_ONCE, RefusedAck, acknowledge
from connect.export.record import ExportLog
from warehouse.files import sync_folder, write_durably
from warehouse.spreadsheet import as_it_was
from warehouse.workspace import Workspace

FOLDER = "acks"
_READING = "reading"
_UNREADABLE = (OSError, ValueError, csv.Error, RecursionError)
_MOST_BYTES = 20_000_000
_LONGEST_NAME = 200  # bytes; a file system takes 255, the endings among them
_STILL_WRITTEN = 2.0  # s; a younger file that cannot be read may be half written


@dataclass(frozen=True)
class RefusedFileAck:
    """An acknowledgement that cannot be used: its file, its position there from 0 (None: the whole file), and why."""

    file: str
    position: int | None
    reason: str


@dataclass(frozen=True)
class AckFilesResult:
    """What became of the files of a folder: prices recorded, those known before, and what cannot be used."""

    recorded: int
    known: int
    refused: tuple[RefusedFileAck, ...]


def read_ack_files(workspace: Workspace, folder: Path, recorded: ExportLog | None = None) -> AckFilesResult:
    """Record what the files of a folder's `acks` say, and move each away."""
    taken, refused = [], list[RefusedFileAck]()
    for file in waiting_files(folder):
        try:
            mine, acks = _taken_from(file)
        except FileNotFoundError:  # whoever wrote it took it back
            continue
        except _UNREADABLE as error:
            if time.time() - _written_at(file) > _STILL_WRITTEN:
                refused += _put_away(file, [RefusedAck(-1, _first_line(error))], [])
            continue
        own = acknowledge(workspace, acks, f"file {file.name}", recorded)
        taken.append(own)
        refused += _put_away(mine, own.refused, acks)
    return AckFilesResult(sum(own.recorded for own in taken), sum(own.known for own in taken), tuple(refused))


def waiting_files(folder: Path) -> list[Path]:
    """Return the files with acknowledgements that were not read yet, in order of name; hidden ones are not ready."""
    acks = folder / FOLDER
    files = [*sorted((acks / _READING).glob("*")), *sorted(acks.glob("*"))]
    ready = (file for file in files if file.suffix.lower() in {".json", ".csv"} and not file.name.startswith("."))
    return [file for file in ready if file.is_file()]


def _taken_from(file: Path) -> tuple[Path, list[Any]]:
    """Move a whole file to where nobody writes; return its place there, and its acknowledgements, unchecked.

    Whoever writes a file of the same name again can so never write over what was not read.

    Raises
    ------
    FileNotFoundError
        When it is gone, or one of its name was moved and is still to be read.
    OSError, ValueError, csv.Error, RecursionError
        When it cannot be read.
    """
    acks = _acks_in(file)
    if file.parent.name == _READING:
        return file, acks
    mine = _folder(file, _READING) / file.name
    if mine.exists():
        raise FileNotFoundError(mine)
    file.rename(mine)
    return mine, _acks_in(mine)  # another one may have taken its place meanwhile


def _acks_in(file: Path) -> list[Any]:
    """Return the acknowledgements of a file, unchecked.

    Raises
    ------
    ValueError
        When it is too large, or no text.
    csv.Error, RecursionError
        When it is no CSV, or JSON too deep to be read.
    """
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"expected at most {_MOST_BYTES:,} bytes, found more; split the file")
    text = file.read_text(encoding="utf-8-sig")
    acks = list(_rows_of(text)) if file.suffix.lower() == ".csv" else _listed(json.loads(text))
    if len(acks) > MOST_AT_ONCE:
        raise ValueError(f"expected at most {MOST_AT_ONCE:,} acknowledgements, found {len(acks):,}; split the file")
    return acks


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _rows_of(text: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV file; an empty cell says nothing."""
    for row in csv.DictReader(text.splitlines(), strict=True):
        yield {str(name).strip(): as_it_was(cell) for name, cell in row.items() if isinstance(cell, str) and cell}


def _put_away(file: Path, refused: list[RefusedAck] | tuple[RefusedAck, ...], acks: list[Any]) -> list[RefusedFileAck]:
    """Move a file to those that are done; write down first what cannot be used of it."""
    found = [RefusedFileAck(file.name, None if own.position < 0 else own.position, own.reason) for own in refused]
    if found:
        said = [{**asdict(own), "found": None if own.position is None else acks[own.position]} for own in found]
        name = file.name if len(os.fsencode(file.name)) <= _LONGEST_NAME else f"{file.name[:40]}-{_hash_of(file.name)}"
        place = _folder(file, "refused") / f"{name}.reasons.json"
        write_durably(place, json.dumps(said, indent=1) + "\n")  # ASCII: what was found may be no text
    done = _folder(file, "done")
    file.replace(done / file.name)
    sync_folder(done)
    return found


def _written_at(file: Path) -> float:
    """Return when a file was written last, s since 1970; now where it is gone."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _hash_of(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def _folder(file: Path, name: str) -> Path:
    """Return a folder beside the files that wait."""
    acks = file.parent.parent if file.parent.name == _READING else file.parent
    folder = acks / name
    folder.mkdir(exist_ok=True)
    return folder


def _first_line(error: Exception) -> str:
    said = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return f"expected JSON or CSV in UTF-8, found none that can be read ({said})"
