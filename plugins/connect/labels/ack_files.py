"""Acknowledgements as files in the folder `acks` beside the batches.

A complete file is moved to `acks/reading`, recorded, and moved on to `acks/done`; refused acknowledgements are written
to `acks/refused` with the reason. A kill in between leaves the file where it is, and it is read again: recording is
idempotent.
"""

import csv
import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from plugins.connect.labels.acknowledge import MOST_AT_ONCE, RefusedAck, acknowledge
from plugins.connect.labels.export_log import ExportLog
from warehouse.files import sync_folder, write_durably
from warehouse.query.questions import as_it_was
from warehouse.workspace import Workspace

FOLDER = "acks"
_READING = "reading"
_UNREADABLE = (OSError, ValueError, csv.Error, RecursionError)
_MOST_BYTES = 20_000_000
_LONGEST_NAME = 200  # bytes; a file system takes 255, the endings among them
_LINK = "expected a file, found a link, and links are not followed: write the acknowledgements to a file here"
_STILL_WRITTEN = 2.0  # s; a younger file that cannot be read may be half written


@dataclass(frozen=True)
class RefusedFileAck:
    """A refused acknowledgement of a file: its position there from 0 (None: the whole file), and why."""

    file: str
    position: int | None
    reason: str


@dataclass(frozen=True)
class AckFilesResult:
    """The result of reading a folder: prices recorded, those known before, and refused acknowledgements."""

    recorded: int
    known: int
    refused: tuple[RefusedFileAck, ...]


def read_ack_files(workspace: Workspace, folder: Path, log: ExportLog | None = None) -> AckFilesResult:
    """Record the acknowledgements in the files of a folder's `acks`, and move each file away."""
    recorded, repeated, refused = 0, 0, list[RefusedFileAck]()
    for file in waiting_files(folder):
        if file.is_symlink():
            refused += _put_away(file, [RefusedAck(-1, _LINK)], [])
            continue
        try:
            claimed, messages = _claimed(file)
        except FileNotFoundError:  # its writer took it back
            continue
        except _UNREADABLE as error:
            if not _may_be_half_written(file):
                refused += _put_away(file, [RefusedAck(-1, _first_line(error))], [])
            continue
        result = acknowledge(workspace, messages, f"file {file.name}", log)
        recorded, repeated = recorded + result.recorded, repeated + result.known
        refused += _put_away(claimed, result.refused, messages)
    return AckFilesResult(recorded, repeated, tuple(refused))


def waiting_files(folder: Path) -> list[Path]:
    """Return the files with acknowledgements that were not read yet, in order of name; hidden ones are not ready."""
    acks = folder / FOLDER
    files = [*sorted((acks / _READING).glob("*")), *sorted(acks.glob("*"))]
    ready = (file for file in files if file.suffix.lower() in {".json", ".csv"} and not file.name.startswith("."))
    return [file for file in ready if file.is_file() or file.is_symlink()]


def _claimed(file: Path) -> tuple[Path, list[Any]]:
    """Move a complete file to where nobody writes; return its new path and its messages, unchecked.

    A writer that uses the name again cannot overwrite an unread file.

    Raises
    ------
    FileNotFoundError
        When it is gone, or another file of its name is still to be read.
    OSError, ValueError, csv.Error, RecursionError
        When it cannot be read.
    """
    messages = _messages_in(file)
    if file.parent.name == _READING:
        return file, messages
    claimed = _folder(file, _READING) / file.name
    if claimed.exists():
        raise FileNotFoundError(claimed)
    file.rename(claimed)
    return claimed, _messages_in(claimed)  # another file may have taken its place meanwhile


def _messages_in(file: Path) -> list[Any]:
    """Return the messages of a file, unchecked; an empty cell of CSV is no field.

    Raises
    ------
    ValueError
        When it is too large, or not text.
    csv.Error, RecursionError
        When it is not CSV, or JSON that is nested too deeply.
    """
    if file.stat().st_size > _MOST_BYTES:
        raise ValueError(f"expected at most {_MOST_BYTES:,} bytes, found more; split the file")
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix.lower() == ".csv":
        rows = csv.DictReader(text.splitlines(), strict=True)
        messages = [
            {str(name).strip(): as_it_was(cell) for name, cell in row.items() if isinstance(cell, str) and cell}
            for row in islice(rows, MOST_AT_ONCE + 1)
        ]
    else:
        document = json.loads(text)
        messages = document if isinstance(document, list) else [document]
    if len(messages) > MOST_AT_ONCE:
        raise ValueError(f"expected at most {MOST_AT_ONCE:,} acknowledgements, found more; split the file")
    return messages


def _put_away(file: Path, refused: Sequence[RefusedAck], messages: Sequence[Any]) -> list[RefusedFileAck]:
    """Move a file to those that are done, after the refused messages are written down with their reasons."""
    of_file = [RefusedFileAck(file.name, None if ack.position < 0 else ack.position, ack.reason) for ack in refused]
    if of_file:
        reasons = [
            {**asdict(ack), "found": None if ack.position is None else messages[ack.position]} for ack in of_file
        ]
        name = file.name
        if len(os.fsencode(name)) > _LONGEST_NAME:
            name = f"{name[:40]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
        place = _folder(file, "refused") / f"{name}.reasons.json"
        write_durably(place, json.dumps(reasons, indent=1) + "\n")  # ASCII: what was found may be no text
    done = _folder(file, "done")
    file.replace(done / file.name)
    sync_folder(done)
    return of_file


def _may_be_half_written(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime <= _STILL_WRITTEN
    except FileNotFoundError:
        return True


def _folder(file: Path, name: str) -> Path:
    """Return a folder beside the waiting files."""
    acks = file.parent.parent if file.parent.name == _READING else file.parent
    folder = acks / name
    folder.mkdir(exist_ok=True)
    return folder


def _first_line(error: Exception) -> str:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return f"expected JSON or CSV in UTF-8, found a file that cannot be read ({reason})"
