"""Small texts that a lake keeps beside its tables: the records of commits, whose decisions it holds, what was asked."""

from typing import Protocol


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
