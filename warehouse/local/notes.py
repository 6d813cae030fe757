"""Notes as files of a folder."""

import os
import threading
from pathlib import Path

from warehouse.files import modified_at, sync_file, sync_folder, write_durably

_DRAFT = ".draft"


class FolderNotes:
    """Notes as files under a root; see `warehouse.notes.Notes`."""

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
                found = [entry.name for entry in entries if not entry.name.endswith(_DRAFT) and entry.is_file()]
        except FileNotFoundError:
            return []
        return [f"{folder}/{name}" for name in sorted(found)]

    def changed_at(self, name: str) -> int:
        """Return when a note was written last, nanoseconds since 1970; 0 when there is none."""
        return modified_at(self.path(name))
