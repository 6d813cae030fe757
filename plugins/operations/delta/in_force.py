"""What is in force in a Delta lake: which partitions, their receipts, their bytes, and what DuckDB opens."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from threading import Lock

import duckdb

from catalog.names import EMPTY_GROUP
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from plugins.operations.delta.address import log_options
from plugins.operations.delta.log import TableLog, TableState
from plugins.operations.delta.naming import PartInForce, in_table, object_name, receipt_name
from plugins.operations.delta.objects import ObjectNotes, Objects, open_objects
from plugins.operations.delta.pointers import TablePointers
from plugins.operations.delta.reading import duckdb_filesystem
from plugins.operations.delta.snapshot import Snapshot, snapshot
from warehouse.partition import Partition, Within, name_of, table_called
from warehouse.receipts import Receipt, receipt_from, unsealed

BY_POINTER = ("live_interactions", "live_repricings")
"""Tables whose partitions are replaced at every tick, too often for a log."""

AT_ONCE = 8
_RECEIPTS_KEPT = 100_000


class DeltaReading:
    """The part of a Delta store that reads."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self.objects: Objects = open_objects(settings)
        self.notes = ObjectNotes(self.objects)
        self._options = log_options(settings)
        self._locking = Lock()
        self._receipts: dict[str, Receipt] = {}  # by name of the object; objects never change, so neither do they
        self._hashes: dict[tuple[str, str], str] = {}
        self._files = duckdb_filesystem(settings)

    @property
    def address(self) -> str:
        """Where the store is, for messages."""
        return self.objects.address.text

    @property
    def is_shared(self) -> bool:
        """Yes: what is in force is compared before it is replaced."""
        return True

    @property
    def views(self) -> Path:
        """The views over objects by name."""
        return Path(__file__).parent / "views"

    @cached_property
    def tables(self) -> dict[str, TableState]:
        """What says what is in force, by the name of each table."""
        return {
            table.name: TablePointers(self.objects, table)
            if table.name in BY_POINTER
            else TableLog(self.objects, self._options, table)
            for table in TABLES.values()
        }

    def exists(self) -> bool:
        """Return whether anything was ever kept here."""
        objects, folders = self.objects.directly_in("")
        return bool(objects or folders)

    def partitions(self, table: str, within: Within | None = None) -> Iterator[Partition]:
        """Yield the partitions of a table that are in force, in order of date and group, the empty one among them."""
        for partition, _ in self._state(table).look(within).standings(within):
            yield partition

    def partitions_on(self, table: str, date: dt.date | None) -> Iterator[Partition]:
        """Yield the partitions of one business date, or of a table without dates, in order of group."""
        yield from self.partitions(table, None if date is None else date.__eq__)

    def traces(self, table: str) -> Iterator[Partition]:
        """Yield the partitions of a table but the empty one: nothing is in force without its receipt."""
        return (partition for partition in self.partitions(table) if partition.group != EMPTY_GROUP)

    def dates(self, table: str) -> list[dt.date]:
        """Return the business dates of a table by day that have partitions, ascending."""
        return sorted(date for date in self._state(table).look().dates if date is not None)

    def standing(self, partition: Partition) -> PartInForce | None:
        """Return what stands in force of a partition right now."""
        return self._state(partition.table).standing(partition)

    def receipt(self, partition: Partition) -> Receipt | None:
        """Return the receipt in force; None when the partition is missing or its receipt is damaged."""
        standing = self.standing(partition)
        return self.receipt_of(partition, standing) if standing else None

    def receipt_of(self, partition: Partition, standing: PartInForce) -> Receipt | None:
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
        return self.remember(name, receipt)

    def holds(self, partition: Partition) -> bool:
        """Return whether a partition is in force, proven or not."""
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
        content = self.objects.read(name) if standing else None
        if content is None:
            raise FileNotFoundError(2, "no such object", self.objects.address.of(name))
        return content

    def where(self, partition: Partition) -> str:
        """Return where a partition is, for messages."""
        standing = self.standing(partition)
        return self.place_of(partition, standing) if standing else f"{self.address}/{name_of(partition)}"

    def sha256(self, partition: Partition) -> str:
        """Return the SHA-256 of the bytes in force; an object that stands as it did is read once in a process."""
        standing = self.standing(partition)
        name = object_name(partition, standing.fingerprint) if standing else ""
        state = self.objects.state(name) if standing else None
        key = (name, state.version if state else "")
        if key not in self._hashes:
            self._hashes[key] = self.sha256_anew(partition)
        return self._hashes[key]

    def sha256_anew(self, partition: Partition) -> str:
        """Return the SHA-256 of the bytes in force, every one of which is read."""
        return hashlib.sha256(self.content(partition)).hexdigest()

    def proves(self, partition: Partition, sha256: str) -> bool:
        """Return whether the receipt in force is of these bytes."""
        receipt = self.receipt(partition)
        return receipt is not None and receipt.sha256 == sha256

    def places(self, partitions: Iterable[Partition]) -> list[str]:
        """Return what DuckDB opens for partitions in force, in their order; those that are missing are left out."""
        return [self.place_of(partition, standing) for partition, standing in self._standings(partitions) if standing]

    def place_of(self, partition: Partition, standing: PartInForce) -> str:
        """Return what DuckDB opens for what stands in force of a partition."""
        return self.objects.address.of(object_name(partition, standing.fingerprint))

    def changes(self, table: str) -> dict[dt.date, int]:
        """Return a number for each business date of a table: another one whenever its partitions changed."""
        look = self._state(table).look()
        return {date: look.changed_at(date) for date in look.dates if date is not None}

    def changed_at(self, table: str, date: dt.date | None = None) -> int:
        """Return a number that is another one when a table changes, on one business date if given; 0 for never."""
        return self._state(table).look(None if date is None else lambda other: other == date).changed_at(date)

    def published_at(self, partition: Partition) -> dt.datetime | None:
        """Return when a partition was put in force (UTC); None without one."""
        standing = self.standing(partition)
        return dt.datetime.fromtimestamp(standing.since / 1000, dt.UTC) if standing else None

    def moment(self) -> Snapshot:
        """Return what is in force over all tables at one moment, with every commit in it whole or not at all."""
        return snapshot(self)

    def snapshot(self) -> dict[Partition, str]:
        """Return what DuckDB opens for all that is in force at one moment; of a commit, all parts or none."""
        return {partition: self.place_of(partition, standing) for partition, standing in self.moment().items()}

    def let_open(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let a connection read the objects of a bucket."""
        if self._files.protocol not in connection.list_filesystems():
            connection.register_filesystem(self._files)

    @property
    def folders(self) -> list[str]:
        """The address of the lake, with a slash at its end."""
        return [f"{self.objects.address.of('').rstrip('/')}/"]

    def foreign_names(self) -> list[str]:
        """Return the names of the files that other programs have put in force: nobody reads them here."""
        return [f"{name}/{path}" for name, table in self.tables.items() for path in table.look().foreign]

    def log_with_foreign(self, name: str) -> TableLog | None:
        """Return the log in which another program has put a file in force; None where none has."""
        table = self.tables.get(name.partition("/")[0])
        return table if isinstance(table, TableLog) and in_table(name) in table.look().foreign else None

    def _state(self, table: str) -> TableState:
        return self.tables[table_called(table).name]

    def _standings(self, partitions: Iterable[Partition]) -> list[tuple[Partition, PartInForce | None]]:
        """Return what stands in force of many partitions, by one look at each of their tables."""
        wanted = list(partitions)
        looks = {
            table: self._state(table).look(
                {partition.business_date for partition in wanted if partition.table == table}.__contains__
            )
            for table in dict.fromkeys(partition.table for partition in wanted)
        }
        return [(partition, looks[partition.table].standing(partition)) for partition in wanted]

    def remember(self, name: str, receipt: Receipt) -> Receipt:
        """Keep the receipt of an object, which never changes, and return it."""
        with self._locking:
            if len(self._receipts) >= _RECEIPTS_KEPT:
                self._receipts.clear()
            self._receipts[name] = receipt
        return receipt
