"""A table that changes too often for a log: each partition has one small object that names what is in force.

Days that are being sold are replaced at every tick. The pointer of a partition is replaced under the condition that it
still is the one that was looked at, so of two who replace it one is told. A pointer is never removed, since no server
removes under a condition: one that names nothing stays.
"""

import datetime as dt
import time
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from threading import Lock

from catalog.errors import LakeError
from catalog.tables.table import Table
from plugins.operations.delta.log import Look, is_due
from plugins.operations.delta.naming import PartInForce, of_pointer, pointer_name, short
from plugins.operations.delta.objects import Objects, ObjectState
from warehouse.commits.record import CommittedPart
from warehouse.partition import Partition, Within
from warehouse.receipts import sealed_text, unsealed

_AT_ONCE = 8
_PATIENCE = 60.0  # s


class TablePointers:
    """One table: what its pointers name."""

    def __init__(self, objects: Objects, table: Table) -> None:
        """Open nothing yet."""
        self._objects, self._contract = objects, table
        self._read: dict[str, tuple[str, PartInForce | None]] = {}  # by name: the version read, and what it names
        self._locking = Lock()

    def ensure(self) -> None:
        """Do nothing: a pointer needs no table."""

    def look(self, within: Within | None = None) -> Look:
        """Return what is in force right now; pointers that have not changed since the last look are not read again."""
        pointers = [pointer for pointer in self._pointers(within) if of_pointer(pointer.name)]
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            standings = list(readers.map(self._said, pointers))
        dates: dict[dt.date | None, dict[Partition, PartInForce]] = {}
        for pointer, standing in zip(pointers, standings, strict=True):
            if (partition := of_pointer(pointer.name)) and standing:
                dates.setdefault(partition.business_date, {})[partition] = standing
        version = zlib.crc32("\n".join(sorted(f"{pointer.name} {pointer.version}" for pointer in pointers)).encode())
        return Look(version, dates)

    def standing(self, partition: Partition) -> PartInForce | None:
        """Return what stands in force of a partition right now."""
        return self._stands(partition)[0]

    def commit(self, parts: list[CommittedPart], commit: str | None) -> None:
        """Put staged parts in force, one by one; see `TableState`."""
        for part in parts:
            until = time.monotonic() + _PATIENCE
            while not self._has_replaced(part, commit):
                if time.monotonic() > until:
                    raise LakeError(f"{pointer_name(part.partition)}: others changed it each time; run again")

    def _has_replaced(self, part: CommittedPart, commit: str | None) -> bool:
        """Replace a pointer where that is due, and tell whether nothing came in between."""
        standing, version = self._stands(part.partition)
        named = None
        if not is_due(part, standing):
            return True
        now = max(time.time_ns() // 1_000_000, standing.since + 1 if standing else 0)
        if part.receipt is not None:
            named = PartInForce(short(part.receipt), part.receipt.rows, part.receipt.bytes, now)
        record = {"standing": asdict(named) if named else None, "commit": commit, "at": now}
        content, name = sealed_text(record).encode(), pointer_name(part.partition)
        if version is None:
            return self._objects.create(name, content)
        return self._objects.replace(name, content, version)

    def _stands(self, partition: Partition) -> tuple[PartInForce | None, str | None]:
        """Return what a pointer names, and its version; no version where there is no pointer."""
        name = pointer_name(partition)
        content = self._objects.read_with_state(name)
        return (_named(name, content[0]), content[1].version) if content else (None, None)

    def _pointers(self, within: Within | None) -> Iterable[ObjectState]:
        folder = f"pointers/{self._contract.name}"
        if within is None:
            return list(self._objects.under(folder))
        _, dates = self._objects.directly_in(folder)
        folders = [date for date in dates if within(dt.date.fromisoformat(date.rpartition("=")[2].rstrip("/")))]
        return [pointer for folder in folders for pointer in self._objects.under(folder.rstrip("/"))]

    def _said(self, state: ObjectState) -> PartInForce | None:
        with self._locking:
            version, standing = self._read.get(state.name, ("", None))
        if version == state.version:
            return standing
        content = self._objects.read_with_state(state.name)
        if content is None:
            return None
        standing = _named(state.name, content[0])
        with self._locking:
            self._read[state.name] = (content[1].version, standing)
        return standing


def _named(name: str, content: bytes) -> PartInForce | None:
    """Return what a pointer names; None for nothing. It also says which commit wrote it, for people."""
    try:
        standings = unsealed(content.decode())["standing"]
        return PartInForce(**standings) if standings else None
    except (ValueError, TypeError, KeyError) as error:
        raise LakeError(f"{name}: expected a pointer as it was written, found something else ({error})") from error
