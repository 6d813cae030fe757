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
from catalog.table import Table
from warehouse.commit_record import CommittedPart
from warehouse.delta.look import Look, is_due
from warehouse.delta.naming import Standing, of_pointer, pointer_name, short
from warehouse.delta.objects import Objects, ObjectState
from warehouse.partition import Partition
from warehouse.receipts import sealed_text, unsealed
from warehouse.within import Within

_AT_ONCE = 8
_PATIENCE = 60.0  # s

_Pointed = Standing | None


class TablePointers:
    """One table: what its pointers name."""

    def __init__(self, objects: Objects, table: Table) -> None:
        """Open nothing yet."""
        self._objects, self._contract = objects, table
        self._read: dict[str, tuple[str, _Pointed]] = {}  # by name: the version that was read, and what it names
        self._locking = Lock()

    def ensure(self) -> None:
        """Do nothing: a pointer needs no table."""

    def look(self, within: Within | None = None) -> Look:
        """Return what is in force right now; pointers that have not changed since the last look are not read again."""
        found = [one for one in self._pointers(within) if of_pointer(one.name)]
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            named = list(readers.map(self._named, found))
        dates: dict[dt.date | None, dict[Partition, Standing]] = {}
        for pointer, standing in zip(found, named, strict=True):
            if (partition := of_pointer(pointer.name)) and standing:
                dates.setdefault(partition.business_date, {})[partition] = standing
        return Look(zlib.crc32("\n".join(sorted(f"{one.name} {one.version}" for one in found)).encode()), dates)

    def standing(self, partition: Partition) -> Standing | None:
        """Return what stands in force of a partition right now."""
        return self._stands(partition)[0]

    def commit(self, parts: list[CommittedPart], commit: str) -> None:
        """Put staged parts in force, one by one; what is in force already is left as it is.

        Raises
        ------
        Declined
            When something else is in force than there was when a part was staged.
        LakeError
            When others change the partition all the time, or the store refuses; run again then.
        """
        for part in parts:
            until = time.monotonic() + _PATIENCE
            while not self._has_replaced(part):
                if time.monotonic() > until:
                    raise LakeError(f"{pointer_name(part.partition)}: others changed it each time; run {commit} again")

    def _has_replaced(self, part: CommittedPart) -> bool:
        """Replace a pointer where that is due, and tell whether nothing came in between."""
        found, version = self._stands(part.partition)
        if not is_due(part, found):
            return True
        named: _Pointed = None
        now = max(time.time_ns() // 1_000_000, found.since + 1 if found else 0)
        if part.receipt is not None:
            named = Standing(short(part.receipt), part.receipt.rows, part.receipt.bytes, now)
        content, name = sealed_text(asdict(named) if named else {}).encode(), pointer_name(part.partition)
        if version is None:
            return self._objects.create(name, content)
        return self._objects.replace(name, content, version)

    def _stands(self, partition: Partition) -> tuple[_Pointed, str | None]:
        """Return what a pointer names, and its version; no version where there is no pointer."""
        name = pointer_name(partition)
        found = self._objects.read_with_state(name)
        return (_pointed(name, found[0]), found[1].version) if found else (None, None)

    def _pointers(self, within: Within | None) -> Iterable[ObjectState]:
        folder = f"pointers/{self._contract.name}"
        if within is None:
            return list(self._objects.under(folder))
        _, dates = self._objects.directly_in(folder)
        asked = [one for one in dates if within(dt.date.fromisoformat(one.rpartition("=")[2].rstrip("/")))]
        return [pointer for one in asked for pointer in self._objects.under(one.rstrip("/"))]

    def _named(self, pointer: ObjectState) -> _Pointed:
        with self._locking:
            version, named = self._read.get(pointer.name, ("", None))
        if version == pointer.version:
            return named
        found = self._objects.read_with_state(pointer.name)
        named = _pointed(pointer.name, found[0]) if found else None
        if found:
            with self._locking:
                self._read[pointer.name] = (found[1].version, named)
        return named


def _pointed(name: str, content: bytes) -> _Pointed:
    try:
        said = unsealed(content.decode())
        return Standing(**said) if said else None
    except (ValueError, TypeError) as error:
        raise LakeError(f"{name}: expected a pointer as it was written, found something else ({error})") from error
