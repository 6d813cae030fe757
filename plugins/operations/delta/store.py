"""The store of a Delta lake: content-named objects, and for each table a log or pointers that say what is in force.

What must hold: an object never changes, since its name says what it holds. Staging only adds objects that nothing
names. Putting in force names them, under the condition that nothing else was put in force meanwhile. So readers never
wait and never see a part, and whatever is killed at any moment leaves at most objects that nothing names, which
`doctor --vacuum` takes away when they are a day old at least: nobody stages for so long.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

from catalog.errors import LakeError
from catalog.settings import Settings
from plugins.operations.checks.lake_files import Finding, about, contract_faults
from plugins.operations.checks.proving import Strays
from plugins.operations.delta.in_force import AT_ONCE, DeltaReading
from plugins.operations.delta.log import is_due
from plugins.operations.delta.naming import PartInForce, in_table, object_name, receipt_name, short
from plugins.operations.delta.objects import refuse_careless
from plugins.operations.delta.vacuum import strays
from warehouse.commits.record import CommittedPart
from warehouse.parquet import conform, write_parquet
from warehouse.partition import Partition, name_of, partition_named, table_called
from warehouse.receipts import RECEIPTS, Receipt

_SET_ASIDE = "set-aside"
_FOREIGN = (
    "another program added it; it has no receipt, and other engines read it where we do not: set it aside, and look in "
    "the history of the table for who it was"
)
_OWN = {
    *("asked", "commits", "exports", "keys", "pointers", "probes", RECEIPTS, "tokens", _SET_ASIDE),
    *("origin.json", "proven.json"),
}


class DeltaStore(DeltaReading):
    """Partitions with their receipts, and notes, on an object store; see `warehouse.stores.protocol.LakeStore`."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        super().__init__(settings)
        self._staged: set[str] = set()  # names of objects that were staged here and are not in force yet

    def prepare(self) -> None:
        """Try the store out, and make sure that every table is there.

        Raises
        ------
        LakeError
            When it is absent or refuses, or ignores conditional writes.
        """
        refuse_careless(self.objects)
        with ThreadPoolExecutor(AT_ONCE) as workers:
            list(workers.map(lambda table: table.ensure(), self.tables.values()))

    def stage(self, partition: Partition, rows: pa.Table, receipt_of: Callable[[int, str], Receipt]) -> Receipt:
        """Write a partition's object beside what is in force, and its receipt, and return the receipt."""
        sink = pa.BufferOutputStream()
        table = table_called(partition.table)
        rows = conform(rows, table)
        write_parquet(rows, sink, table.key, table.varied)
        content = memoryview(sink.getvalue()).cast("B")
        receipt = receipt_of(len(content), hashlib.sha256(content).hexdigest())
        name = object_name(partition, short(receipt))
        self._write_once(name, content)
        self._write_once(receipt_name(name), receipt.to_json().encode())
        with self._locking:
            self._staged.add(name)
        return self.remember(name, receipt)

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
            self._staged.difference_update(filter(None, map(_name_of, parts)))

    def unstage(self, parts: Iterable[Partition]) -> None:
        """Leave what was staged to `doctor --vacuum`.

        Another may have staged the same bytes, which have the same name, and may be about to put them in force.
        """

    def can_put_in_force(self, part: CommittedPart) -> bool:
        """Return whether a part is in force or staged whole; one that is only removed always is."""
        name = _name_of(part)
        return name is None or all(self.objects.state(name_) for name_ in (name, receipt_name(name)))

    def set_staged_aside(self, commit: str) -> list[str]:  # noqa: ARG002 - the protocol's
        """Leave what was staged to `doctor --vacuum`: nothing names it."""
        return []

    def strangers(self) -> list[str]:
        """Return what stands under the prefix of the lake and is none of its objects, by its first name."""
        objects, folders = self.objects.directly_in("")
        names = {entry.name for entry in objects} | {folder.rstrip("/").rpartition("/")[2] for folder in folders}
        return sorted(names - _OWN - self.tables.keys())

    def clear(self) -> None:
        """Remove every object of the lake: first what says what is in force, so that a kill leaves no half of it."""
        names = [entry.name for entry in self.objects.under("")]
        names.sort(key=lambda name: ("/_delta_log/" not in name and not name.startswith("pointers/"), name))
        self.objects.remove(names)
        with self._locking:
            self._staged.clear()
            self._receipts.clear()
        self.__dict__.pop("tables", None)  # a lake that is made anew has other tables

    def names(self, dates: Collection[dt.date | None] | None = None) -> list[str]:
        """Return the names of all partitions in force, ascending; of some dates, if asked, and all of others' files."""
        ours = (name_of(partition) for partition in self.moment() if dates is None or partition.business_date in dates)
        return sorted([*ours, *self.foreign_names()])

    def check(self, name: str) -> tuple[list[Finding], int]:
        """Hold the object in force of a name against its receipt and contract."""
        partition = partition_named(name)
        standing = self.standing(partition) if partition else None
        if partition is None or standing is None:
            return ([Finding(name, "orphaned", _FOREIGN)] if self.log_with_foreign(name) else []), 0
        receipt = self.receipt_of(partition, standing)
        if receipt is None:
            return [about(partition, "damaged", "its receipt is missing or damaged: make the partition again")], 0
        try:
            content = self.content(partition)
        except FileNotFoundError:
            sentence = "the log names it, the object is not there: make the partition again"
            return [about(partition, "missing", sentence)], 0
        if hashlib.sha256(content).hexdigest() != receipt.sha256:
            sentence = "its bytes differ from its receipt: set it aside and make the partition again"
            return [about(partition, "damaged", sentence)], 0
        faults = contract_faults(pa.BufferReader(content), partition.table, receipt.rows)
        return [about(partition, "damaged", fault) for fault in faults], receipt.rows

    def strays(self) -> Strays:
        """Count the objects of partitions that are not in force."""
        strays_now = strays(self)
        return Strays(len(strays_now), sum(stray.bytes for stray in strays_now))

    def set_aside(self, name: str) -> list[str]:
        """Take a damaged partition or note out of what is in force; return where each object went."""
        if log := self.log_with_foreign(name):
            moved = self._copy_aside([name])
            log.disown(in_table(name))
            return moved
        partition = partition_named(name)
        if partition is None:
            is_moved = self.notes.move(name, f"{_SET_ASIDE}/{name}")
            return [self.objects.address.of(f"{_SET_ASIDE}/{name}")] if is_moved else []
        return self._set_partition_aside(partition)

    def _set_partition_aside(self, partition: Partition) -> list[str]:
        standing = self.standing(partition)
        if standing is None:
            return []
        name = object_name(partition, standing.fingerprint)
        moved = self._copy_aside([name, receipt_name(name)])
        self._state(partition.table).commit([CommittedPart(partition, None, standing.fingerprint)], None)
        self._receipts.pop(name, None)
        return moved

    def _copy_aside(self, names: list[str]) -> list[str]:
        contents = {
            f"{_SET_ASIDE}/{name}": content for name in names if (content := self.objects.read(name)) is not None
        }
        for copy, content in contents.items():
            self.objects.write(copy, content)
        return [self.objects.address.of(copy) for copy in contents]

    def _with_standings(self, parts: Sequence[CommittedPart]) -> Iterator[tuple[CommittedPart, PartInForce | None]]:
        for part, (_, standing) in zip(parts, self._standings(part.partition for part in parts), strict=True):
            yield part, standing

    def _write_once(self, name: str, content: bytes | memoryview) -> None:
        """Write an object unless it is there; one that is there is written anew when its bytes were damaged.

        It is written anew as well when it is old and nothing names it, so that a vacuum takes it for a new one.
        """
        if self.objects.create(name, content):
            return
        found = self.objects.read_with_state(name)
        is_young = found and dt.datetime.now(dt.UTC) - found[1].changed_at < _YOUNG
        if not found or found[0] != content or not is_young:
            self.objects.write(name, content)

    def _refuse_unstaged(self, due: list[CommittedPart]) -> None:
        names = [name for part in due if (name := _name_of(part)) and name not in self._staged]
        with ThreadPoolExecutor(AT_ONCE) as lookers:
            states = list(lookers.map(self.objects.state, names))
        for name, state in zip(names, states, strict=True):
            if state is None:
                raise LakeError(
                    f"{self.objects.address.of(name)}: expected the bytes that were committed, found none; the commit "
                    "is unfinished, run `shelfprice doctor`"
                )


_YOUNG = dt.timedelta(hours=8)
"""A third of the youngest that a vacuum takes away: what is found young may count so much later, and clocks differ."""


def _name_of(part: CommittedPart) -> str | None:
    return object_name(part.partition, short(part.receipt)) if part.receipt else None
