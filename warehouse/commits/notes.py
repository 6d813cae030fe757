"""Small texts that a lake keeps beside its tables: the records of commits, whose decisions it holds, what was asked.

A note proves itself: it is JSON that ends with the SHA-256 of all that it says, see `warehouse.receipts`. Nobody acts
on a note whose seal is missing or does not fit, and `health --files` names it. So a flipped bit costs work that is done
once more, and never a fact.

A command that was killed at any moment goes on with what it was asked for when it is run again. A command that chooses
its date itself (the next night, the next day of a store) would choose another one after a kill that came behind its
last commit. So it writes down what it chose before it begins, and takes that away when it has ended. What is older than
some hours is no repetition any more, but the next turn of a schedule.
"""

import datetime as dt
import os
import threading
from pathlib import Path
from typing import Any, Protocol

from warehouse.files import modified_at, sync_file, sync_folder, write_durably
from warehouse.receipts import sealed_text, unsealed

_DRAFT = ".draft"


class FolderNotes:
    """Notes as files under a root; see `warehouse.commits.notes.Notes`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, name: str) -> Path:
        """Return the file of a note."""
        return self._root / name

    def where(self, name: str) -> str:
        """Return the path of a note."""
        return str(self.path(name))

    def read(self, name: str) -> str | None:
        """Return a note, or None when there is none."""
        try:
            return self.path(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        """Write a note whole or not at all, over one that stands there, and wait until it is on the disk."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, text)
        sync_folder(path.parent)

    def create(self, name: str, text: str) -> bool:
        """Write a note unless there is one: a link is made whole or not at all, and never over another."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}{_DRAFT}")
        draft.unlink(missing_ok=True)  # one that a kill left may be a second name of a note
        try:
            draft.write_text(text, encoding="utf-8")
            sync_file(draft)
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
        return True

    def move(self, name: str, to: str) -> bool:
        """Rename a note, over one that stands there; this takes no space on the disk."""
        target = self.path(to)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.path(name).replace(target)
        except FileNotFoundError:
            return False
        sync_folder(target.parent)
        return True

    def remove(self, name: str) -> None:
        """Remove a note; does nothing when there is none."""
        path = self.path(name)
        if path.exists():
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def names(self, folder: str) -> list[str]:
        """Return the names of the notes directly in a folder, ascending."""
        try:
            with os.scandir(self._root / folder) as entries:
                names = [entry.name for entry in entries if not entry.name.endswith(_DRAFT) and entry.is_file()]
        except FileNotFoundError:
            return []
        return [f"{folder}/{name}" for name in sorted(names)]

    def changed_at(self, name: str) -> int:
        """Return when a note was written last, nanoseconds since 1970; 0 when there is none."""
        return modified_at(self.path(name))


class Notes(Protocol):
    """Small texts by name, a relative path with slashes such as `commits/batch-2026-01-05-g000.commit.json`."""

    def where(self, name: str) -> str:
        """Return where a note is, for messages."""

    def read(self, name: str) -> str | None:
        """Return a note, or None when there is none."""

    def write(self, name: str, text: str) -> None:
        """Write a note whole or not at all, over one that stands there, and wait until it is durable."""

    def create(self, name: str, text: str) -> bool:
        """Write a note unless there is one, and tell whether we did: of many who try at once, one does."""

    def move(self, name: str, to: str) -> bool:
        """Give a note another name, over one that stands there; False when there is none of the first name."""

    def remove(self, name: str) -> None:
        """Remove a note; does nothing when there is none."""

    def names(self, folder: str) -> list[str]:
        """Return the whole names of the notes directly in a folder, ascending."""

    def changed_at(self, name: str) -> int:
        """Return a number that is another one whenever a note was written since; 0 when there is none."""


ORIGIN, PROVEN = "origin.json", "proven.json"
UNSENT_ALERTS = "unsent-alerts.json"
EXPORTS, ASKED, KEYS = "exports", "asked", "keys"
"""The notes of a lake, and the folders of those of which there are many; the records of commits are checked apart."""


def write_sealed(notes: Notes, name: str, facts: dict[str, Any]) -> None:
    """Write a note over one that stands there."""
    notes.write(name, sealed_text(facts))


def read_sealed(notes: Notes, name: str) -> dict[str, Any] | None:
    """Return what a note says; None when there is none.

    Raises
    ------
    ValueError
        When it is not as it was written.
    """
    text = notes.read(name)
    return None if text is None else unsealed(text)


_FOLDER = ASKED
_IS_A_REPETITION_WITHIN = dt.timedelta(hours=6)


def write_down(notes: Notes, name: str, last: dt.date) -> None:
    """Write down the last business date that a command is to do in the lake of these notes."""
    write_sealed(notes, _note(name), {"last": last.isoformat(), "at": dt.datetime.now(dt.UTC).isoformat()})


def left_unended(notes: Notes, name: str) -> dt.date | None:
    """Return the last business date that a command was to do when it was killed; None when it ended, or long ago.

    A note that is not as it was written says nothing; `health --files` names it.
    """
    try:
        kept = read_sealed(notes, _note(name)) or {}
        last, written_at = dt.date.fromisoformat(kept["last"]), dt.datetime.fromisoformat(kept["at"])
        is_recent = abs(dt.datetime.now(dt.UTC) - written_at) <= _IS_A_REPETITION_WITHIN
    except (ValueError, KeyError, TypeError):
        return None
    return last if is_recent else None


def all_unended(notes: Notes) -> dict[str, dt.date]:
    """Return the last business date of every command that was killed recently, by its name."""
    names = [note.removeprefix(f"{_FOLDER}/").removesuffix(".json") for note in notes.names(_FOLDER)]
    dates = {name: left_unended(notes, name) for name in names}
    return {name: last for name, last in dates.items() if last is not None}


def strike_out(notes: Notes, name: str) -> None:
    """Take away what a command was asked for: it has ended."""
    notes.remove(_note(name))


def _note(name: str) -> str:
    return f"{_FOLDER}/{name}.json"
