"""Notes of a lake, kept as objects."""

from dataclasses import dataclass

from cluster.delta.objects import Objects


@dataclass(frozen=True)
class ObjectNotes:
    """Small texts by name, one object each; see `warehouse.store.Notes`."""

    objects: Objects

    def where(self, name: str) -> str:
        """Return the address of a note."""
        return self.objects.address.of(name)

    def read(self, name: str) -> str | None:
        """Return a note, or None when there is none."""
        found = self.objects.read(name)
        return None if found is None else found.decode()

    def write(self, name: str, text: str) -> None:
        """Write a note whole or not at all, over one that stands there."""
        self.objects.write(name, text.encode())

    def create(self, name: str, text: str) -> bool:
        """Write a note unless there is one, and tell whether we did: of many who try at once, one does."""
        return self.objects.create(name, text.encode())

    def move(self, name: str, to: str) -> bool:
        """Give a note another name; False when there is none of the first name.

        For an instant it has both names. A pending record of what is in force already asks for nothing to be done.
        """
        found = self.objects.read(name)
        if found is None:
            return False
        self.objects.write(to, found)
        self.objects.remove([name])
        return True

    def remove(self, name: str) -> None:
        """Remove a note; does nothing when there is none."""
        self.objects.remove([name])

    def names(self, folder: str) -> list[str]:
        """Return the whole names of the notes directly in a folder, ascending."""
        found, _ = self.objects.directly_in(folder)
        return sorted(one.name for one in found)

    def changed_at(self, name: str) -> int:
        """Return when a note was written last, nanoseconds since 1970; 0 when there is none."""
        found = self.objects.state(name)
        return round(found.changed_at.timestamp() * 1e6) * 1000 if found else 0
