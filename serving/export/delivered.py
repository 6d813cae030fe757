"""How far each target has been sent the batches of each store, as a note beside the lake's tables."""

import hashlib
import json
from collections.abc import Mapping

from catalog.errors import LakeError
from serving.export.batch import Batch
from warehouse.notes import Notes

_FOLDER = "exports"


class Delivered:
    """The number of the last batch of each store that one target has; batches are sent in order."""

    def __init__(self, notes: Notes, target: str) -> None:
        """Read what is written down.

        Raises
        ------
        LakeError
            When it cannot be read.
        """
        self._notes, self._target = notes, target
        self._name = f"{_FOLDER}/{hashlib.sha256(target.encode()).hexdigest()[:16]}.json"
        self._through = self._read()
        self._written = dict(self._through)

    def begin(self, begins: Mapping[str, int]) -> None:
        """Write down where the stores begin of which the target has nothing yet."""
        self._through = {**begins, **self._through}
        self.write_down()

    def has(self, batch: Batch) -> bool:
        """Tell whether the target has a batch."""
        return batch.number <= self._through.get(batch.store, 0)

    def add(self, batch: Batch) -> None:
        """Take a batch as delivered."""
        self._through[batch.store] = batch.number

    def write_down(self) -> None:
        """Keep what is delivered."""
        if self._through != self._written:
            self._notes.write(self._name, json.dumps({"to": self._target, "through": self._through}) + "\n")
            self._written = dict(self._through)

    def _read(self) -> dict[str, int]:
        text = self._notes.read(self._name)
        if text is None:
            return {}
        try:
            return {str(store): int(number) for store, number in json.loads(text)["through"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LakeError(
                f"{self._notes.where(self._name)}: expected how far {self._target} was sent, found something else; "
                "nothing was sent: remove this file, and what is not acknowledged is sent once more"
            ) from error
