"""What a command was asked for and has not ended: killed at any moment, the same command goes on with just that.

A command that chooses its date itself (the next night, the next day of a store) would choose another one after a kill
that came behind its last commit. So it writes down what it chose before it begins, and takes that away when it has
ended. What is older than some hours is no repetition any more, but the next turn of a schedule.
"""

import datetime as dt

from warehouse.notes import Notes
from warehouse.sealed_notes import ASKED, read_sealed, write_sealed

_FOLDER = ASKED
_IS_A_REPETITION_WITHIN = dt.timedelta(hours=6)


def write_down(notes: Notes, name: str, last: dt.date) -> None:
    """Write down the last business date that a command is to do in the lake of these notes."""
    write_sealed(notes, _note(name), {"last": last.isoformat(), "at": dt.datetime.now(dt.UTC).isoformat()})


def left_unended(notes: Notes, name: str) -> dt.date | None:
    """Return the last business date that a command was to do when it was killed; None when it ended, or long ago.

    A note that is not as it was written says nothing; `verify` names it.
    """
    try:
        said = read_sealed(notes, _note(name)) or {}
        last, at = dt.date.fromisoformat(said["last"]), dt.datetime.fromisoformat(said["at"])
        is_recent = abs(dt.datetime.now(dt.UTC) - at) <= _IS_A_REPETITION_WITHIN
    except (ValueError, KeyError, TypeError):
        return None
    return last if is_recent else None


def all_unended(notes: Notes) -> dict[str, dt.date]:
    """Return the last business date of every command that was killed recently, by its name."""
    names = [note.removeprefix(f"{_FOLDER}/").removesuffix(".json") for note in notes.names(_FOLDER)]
    found = {name: left_unended(notes, name) for name in names}
    return {name: last for name, last in found.items() if last is not None}


def strike_out(notes: Notes, name: str) -> None:
    """Take away what a command was asked for: it has ended."""
    notes.remove(_note(name))


def _note(name: str) -> str:
    return f"{_FOLDER}/{name}.json"
