"""The store of a Delta lake: content-named objects, and for each table a log or pointers that say what is in force.

What must hold: an object never changes, since its name says what it holds. Staging only adds objects that nothing
names. Putting in force names them, under the condition that nothing else was put in force meanwhile. So readers never
wait and never see a part, and whatever is killed at any moment leaves at most objects that nothing names, which
`vacuum` takes away.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from threading import Lock

import pyarrow as pa

from catalog.contracts import TABLES
from catalog.errors import LakeError
from catalog.settings import Settings
from warehouse.commit_record import CommittedPart
from warehouse.delta.address import log_options
from warehouse.delta.log import TableLog
from warehouse.delta.look import TableState, is_due
from warehouse.delta.naming import Standing, object_name, receipt_name, short
from warehouse.delta.notes import ObjectNotes
from warehouse.delta.objects import Objects, open_objects
from warehouse.delta.pointers import TablePointers
from warehouse.delta.probe import probe
from warehouse.delta.snapshot import Snapshot, snapshot
from warehouse.parquet import conform, write_parquet
from warehouse.partition import Partition, table_called
from warehouse.receipts import Receipt, receipt_from, unsealed
from warehouse.within import Within

BY_POINTER = ("live_interactions", "live_repricings")
"""Tables whose partitions are replaced at every tick, too often for a log."""

_AT_ONCE = 8
_RECEIPTS_KEPT = 100_000
_SET_ASIDE = "set-aside"


class DeltaStore:
    """Partitions with their receipts, and notes, on an object store or in a folder; see `warehouse.store.Store`."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet but the folder, where it is one."""
        self.objects: Objects = open_objects(settings)
        self.notes = ObjectNotes(self.objects)
        self._options = log_options(settings)
        self._locking = Lock()
        self._receipts: dict[str, Receipt] = {}  # by name of the object; objects never change, so neither do they
        self._staged: set[str] = set()

    @property
    def address(self) -> str:
        """Where the store is, for messages."""
        return self.objects.address.text

    @cached_property
    def tables(self) -> dict[str, TableState]:
        """What says what is in force, by the name of each table."""
        return {
            table.name: TablePointers(self.objects, table)
            if table.name in BY_POINTER
            else TableLog(self.objects, self._options, table)
            for table in TABLES.values()
        }

    def prepare(self) -> None:
        """Try the store out, and make sure that every table is there.

        Raises
        ------
        LakeError
            When it is absent or refuses, or ignores conditional writes.
        """
        probe(self.objects)
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            list(workers.map(lambda table: table.ensure(), self.tables.values()))

    def partitions(self, table: str, within: Within | None = None) -> Iterator[Partition]:
        """Yield the partitions of a table that are in force, in order of date and group, the empty one among them."""
        for partition, _ in self._state(table).look(within).standings(within):
            yield partition

    def standing(self, partition: Partition) -> Standing | None:
        """Return what stands in force of a partition right now."""
        return self._state(partition.table).standing(partition)

    def receipt(self, partition: Partition) -> Receipt | None:
        """Return the receipt in force; None when the partition is missing or its receipt is damaged."""
        standing = self.standing(partition)
        return self.receipt_of(partition, standing) if standing else None

    def receipt_of(self, partition: Partition, standing: Standing) -> Receipt | None:
        """Return the receipt of what stands in force; None when it is damaged. Each is read once in a process."""
        name = object_name(partition, standing.fingerprint)
        known = self._receipts.get(name)
        if known is not None:
            return known
        content = self.objects.read(receipt_name(name))
        try:
            receipt = receipt_from(unsealed(content.decode())) if content else None
        except (ValueError, TypeError):
            return None
        if receipt is None or not standing.is_of(receipt.fingerprint):
            return None
        return self._remembered(name, receipt)

    def receipts(self, partitions: Iterable[Partition]) -> dict[Partition, Receipt]:
        """Return the receipts in force of many partitions, read at once; those that are missing are left out."""
        asked = [(one, standing) for one, standing in self._standings(partitions) if standing]
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            found = readers.map(lambda one: self.receipt_of(*one), asked)
            return {one: receipt for (one, _), receipt in zip(asked, found, strict=True) if receipt}

    def holds(self, partition: Partition) -> bool:
        """Tell whether a partition is in force, proven or not."""
        return self.standing(partition) is not None

    def content(self, partition: Partition) -> bytes:
        """Return the bytes in force, as they stand.

        Raises
        ------
        FileNotFoundError
            When there are none.
        LakeError
            When the store does not answer.
        """
        standing = self.standing(partition)
        name = object_name(partition, standing.fingerprint) if standing else partition.lock_name
        found = self.objects.read(name) if standing else None
        if found is None:
            raise FileNotFoundError(2, "no such object", self.objects.address.of(name))
        return found

    def places(self, partitions: Iterable[Partition]) -> list[str]:
        """Return what DuckDB opens for partitions in force, in their order; those that are missing are left out."""
        return [self.place_of(one, standing) for one, standing in self._standings(partitions) if standing]

    def place_of(self, partition: Partition, standing: Standing) -> str:
        """Return what DuckDB opens for what stands in force of a partition."""
        return self.objects.address.of(object_name(partition, standing.fingerprint))

    def changed_at(self, table: str, date: dt.date | None = None) -> int:
        """Return a number that is another one when a table changes, on one business date if given; 0 for never."""
        return self._state(table).look(None if date is None else lambda one: one == date).changed_at(date)

    def published_at(self, partition: Partition) -> dt.datetime | None:
        """Return when a partition was put in force (UTC); None without one."""
        standing = self.standing(partition)
        return dt.datetime.fromtimestamp(standing.since / 1000, dt.UTC) if standing else None

    def stage(self, partition: Partition, rows: pa.Table, receipt_of: Callable[[int, str], Receipt]) -> Receipt:
        """Write a partition's object and its receipt beside what is in force, and return the receipt."""
        sink = pa.BufferOutputStream()
        write_parquet(conform(rows, table_called(partition.table)), sink)
        content = memoryview(sink.getvalue()).cast("B")
        receipt = receipt_of(len(content), hashlib.sha256(content).hexdigest())
        name = object_name(partition, short(receipt))
        self._write_once(name, content)
        self._write_once(receipt_name(name), receipt.to_json().encode())
        with self._locking:
            self._staged.add(name)
        return self._remembered(name, receipt)

    def put_in_force(self, parts: Sequence[CommittedPart]) -> None:
        """Put staged parts in force, and take away those whose receipt is None, in order; twice does no harm.

        Parts of one table are put in force together. Nothing is, when one of them cannot be.

        Raises
        ------
        Declined
            When another has put something else in force since a part was staged.
        LakeError
            When a part is neither staged nor in force any more.
        """
        tables = dict.fromkeys(part.partition.table for part in parts)
        due = [part for part, standing in self._with_standings(parts) if is_due(part, standing)]
        self._refuse_unstaged(due)
        commit = next((part.receipt.commit for part in parts if part.receipt and part.receipt.commit), None)
        for table in tables:
            of_table = [part for part in due if part.partition.table == table]
            if of_table:
                self._state(table).commit(of_table, commit)
        with self._locking:
            self._staged -= {name for part in due if (name := _name_of(part))}

    def unstage(self, parts: Iterable[Partition]) -> None:
        """Leave what was staged to `vacuum`.

        Another may have staged the same bytes, which have the same name, and may be about to put them in force.
        """

    def set_aside(self, partition: Partition) -> list[str]:
        """Take a damaged partition out of what is in force without deleting a byte; return where each file went."""
        standing = self.standing(partition)
        if standing is None:
            return []
        name, moved = object_name(partition, standing.fingerprint), []
        for one in (name, receipt_name(name)):
            content = self.objects.read(one)
            if content is not None:
                self.objects.write(f"{_SET_ASIDE}/{one}", content)
                moved.append(self.objects.address.of(f"{_SET_ASIDE}/{one}"))
        self._state(partition.table).commit([CommittedPart(partition, None, standing.fingerprint)], None)
        self._receipts.pop(name, None)
        return moved

    def snapshot(self) -> Snapshot:
        """Return what is in force over all tables at one moment, with every commit in it whole or not at all."""
        return snapshot(self)

    def _state(self, table: str) -> TableState:
        return self.tables[table_called(table).name]

    def _standings(self, partitions: Iterable[Partition]) -> list[tuple[Partition, Standing | None]]:
        """Return what stands in force of many partitions, by one look at each of their tables."""
        asked = list(partitions)
        looks = {
            table: self._state(table).look({one.business_date for one in asked if one.table == table}.__contains__)
            for table in dict.fromkeys(one.table for one in asked)
        }
        return [(one, looks[one.table].standing(one)) for one in asked]

    def _with_standings(self, parts: Sequence[CommittedPart]) -> Iterator[tuple[CommittedPart, Standing | None]]:
        for part, (_, standing) in zip(parts, self._standings(part.partition for part in parts), strict=True):
            yield part, standing

    def _write_once(self, name: str, content: bytes | memoryview) -> None:
        """Write an object unless it is there; one that is there is written anew when its bytes were damaged.

        It is written anew as well when it is old and nothing names it, so that `vacuum` takes it for a new one.
        """
        if self.objects.create(name, content):
            return
        found = self.objects.read_with_state(name)
        is_young = found and dt.datetime.now(dt.UTC) - found[1].changed_at < _YOUNG
        if not found or found[0] != content or not is_young:
            self.objects.write(name, content)

    def _refuse_unstaged(self, due: list[CommittedPart]) -> None:
        asked = [name for part in due if (name := _name_of(part)) and name not in self._staged]
        with ThreadPoolExecutor(_AT_ONCE) as lookers:
            states = list(lookers.map(self.objects.state, asked))
        for name, state in zip(asked, states, strict=True):
            if state is None:
                raise LakeError(
                    f"{self.objects.address.of(name)}: expected the bytes that were committed, found none; the commit "
                    "is unfinished, run `shelfprice doctor`"
                )

    def _remembered(self, name: str, receipt: Receipt) -> Receipt:
        with self._locking:
            if len(self._receipts) >= _RECEIPTS_KEPT:
                self._receipts.clear()
            self._receipts[name] = receipt
        return receipt


_YOUNG = dt.timedelta(minutes=30)  # half of the youngest that `vacuum` takes away


def _name_of(part: CommittedPart) -> str | None:
    return object_name(part.partition, short(part.receipt)) if part.receipt else None
