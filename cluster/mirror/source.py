"""What a mirror is made of: the partitions that are in force at one moment, and their bytes."""

import random
import time
from pathlib import Path
from typing import Protocol

from catalog.contracts import TABLES
from catalog.errors import LakeError
from warehouse.commit_record import pending_names
from warehouse.notes import FolderNotes
from warehouse.partition import Partition, file_of, partition_of
from warehouse.receipts import Receipt, receipt_in_force

Moment = dict[Partition, str]
"""The fingerprint of the receipt in force of each partition; its first 24 digits at least."""

_PATIENCE = 60.0  # s
_PAUSE = 0.2  # s


class MirrorSource(Protocol):
    """A lake that can be mirrored."""

    def moment(self) -> Moment:
        """Return what is in force at one moment, with every commit in it whole or not at all.

        Raises
        ------
        LakeError
            When the lake changes all the time.
        """

    def fetch(self, partition: Partition, fingerprint: str) -> tuple[bytes, Receipt] | None:
        """Return the bytes that were in force at the moment, and their receipt; None when they are gone."""


class FolderSource:
    """A plain folder: a partition that is replaced is gone, so the mirror looks again then."""

    def __init__(self, root: Path) -> None:
        """Read nothing yet."""
        self._root = root

    def moment(self) -> Moment:
        """Return what is in force while no commit is pending, and two looks in a row found the same."""
        until = time.monotonic() + _PATIENCE
        found = self._look()
        while True:
            pending, again = pending_names(FolderNotes(self._root)), self._look()
            if not pending and again == found:
                return found
            if time.monotonic() > until:
                raise LakeError(
                    f"{self._root}: expected a moment without a commit within {_PATIENCE:.0f} s, found none; nothing "
                    "was written: run again when nobody publishes, or mirror a lake that is kept as Delta tables"
                )
            found = again
            time.sleep(random.uniform(0, _PAUSE))  # noqa: S311 - only so as not to keep step with a writer

    def fetch(self, partition: Partition, fingerprint: str) -> tuple[bytes, Receipt] | None:
        """Return the bytes that were in force at the moment, and their receipt; None when they are gone."""
        data = file_of(self._root, partition)
        receipt = receipt_in_force(data)
        if receipt is None or receipt.fingerprint != fingerprint:
            return None
        try:
            return data.read_bytes(), receipt
        except FileNotFoundError:
            return None

    def _look(self) -> Moment:
        found: Moment = {}
        for table in TABLES:
            for data in sorted((self._root / table).rglob("part-*.parquet")):
                partition, receipt = partition_of(self._root, data), receipt_in_force(data)
                if partition:  # one without a receipt that fits is fetched in vain, and so is told of
                    found[partition] = receipt.fingerprint if receipt else ""
        return found
