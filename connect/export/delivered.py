"""How far each target has been sent the batches of each store, as a note beside the lake's tables."""

import hashlib
from collections.abc import Iterable, Mapping

from connect.export.batch import PriceBatch
from warehouse.notes import Notes
from warehouse.sealed_notes import EXPORTS, read_sealed, write_sealed


class DeliveryProgress:
    """The number of the last batch of each store that one target has; batches are sent in order.

    A note that is not as it was written proves no delivery: what is recorded is sent once more then, under the same
    ids, of which a receiver takes each once.

    Attributes
    ----------
    unproven
        What is wrong with the note; None when it is as it was written, or there is none.
    """

    def __init__(self, notes: Notes, target: str) -> None:
        self._notes, self._target = notes, target
        self._name = f"{EXPORTS}/{hashlib.sha256(target.encode()).hexdigest()[:16]}.json"
        self.unproven: str | None = None
        self._through = self._read()
        self._written = dict(self._through)

    def begin(self, begins: Mapping[str, int], recorded: Iterable[str]) -> None:
        """Write down where the stores begin of which the target has nothing yet.

        Parameters
        ----------
        recorded
            The stores of which batches are recorded: while nothing is proven, each of them begins with its first.
        """
        anew = {} if self.unproven is None else dict.fromkeys(recorded, 0)
        self._through = {**begins, **anew, **self._through}
        self.write_down()

    def has(self, batch: PriceBatch) -> bool:
        """Tell whether the target has a batch."""
        return batch.number <= self._through.get(batch.store, 0)

    def add(self, batch: PriceBatch) -> None:
        """Take a batch as delivered."""
        self._through[batch.store] = batch.number

    def write_down(self) -> None:
        """Keep what is delivered."""
        if self._through != self._written:
            write_sealed(self._notes, self._name, {"to": self._target, "through": self._through})
            self._written = dict(self._through)

    def _read(self) -> dict[str, int]:
        try:
            said = read_sealed(self._notes, self._name)
            return {} if said is None else {str(store): int(number) for store, number in said["through"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.unproven = _sentence(self._notes, self._name, str(error))
            return {}


def unproven_deliveries(notes: Notes) -> list[str]:
    """Say of each target's note that is not as it was written what is wrong, and what becomes of it."""
    found = []
    for name in notes.names(EXPORTS):
        try:
            read_sealed(notes, name)
        except ValueError as error:
            found.append(_sentence(notes, name, str(error)))
    return found


def _sentence(notes: Notes, name: str, why: str) -> str:
    return (
        f"{notes.where(name)}: expected how far a target was sent as it was written, found something else ({why}); "
        "what it was sent cannot be proven, so an export to it sends all batches once more under the same ids"
    )
