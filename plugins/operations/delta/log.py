"""A table whose changes are kept in the log of Delta Lake, so that any engine that reads Delta reads the table.

What must hold: each change is compare-and-swap. It is decided on one version of the table, and committed as the next
one or not at all; a writer that finds the next version taken looks again. delta-rs writes the log and its checkpoints.
The files are ours, and are written before. Now and then the last entry known is read again: `reset` may have removed
the table, and others begun it anew.
"""

import datetime as dt
import json
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import RLock
from typing import Any, Protocol, TypeAlias

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from catalog.errors import Declined, LakeError
from catalog.tables.table import Table
from plugins.operations.delta.naming import PartInForce, in_table, object_name, of_object
from plugins.operations.delta.objects import Objects
from warehouse.commits.record import CommittedPart
from warehouse.partition import Partition, Within

CHECKPOINT_EVERY = 50
"""Entries of the log between two checkpoints: opening a table reads one checkpoint and less than these."""

_SAME_FOR = 1.0  # s for which a table is taken for the one it was; nobody removes and makes a lake anew any sooner
_PATIENCE = 60.0  # s
_LONGEST_PAUSE = 0.5  # s
_COARSE = dt.timedelta(seconds=2)  # the clock by which a server dates its objects
_AT_ONCE = 8
_MILLION = 1_000_000  # nanoseconds in a millisecond
_WRITER_VERSION = 2  # of Delta's protocol, with which tables are created

Action: TypeAlias = AddAction | RemoveAction


@dataclass(frozen=True)
class Look:
    """What is in force of a table, as of one look at it.

    Attributes
    ----------
    version
        Another one after each change of the table.
    dates
        What is in force on each business date; under None where the table has no dates.
    foreign
        Files that other programs have added, as the log names them: they have no receipt, and are read by nobody here.
    """

    version: int = -1
    dates: Mapping[dt.date | None, Mapping[Partition, PartInForce]] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()

    def standing(self, partition: Partition) -> PartInForce | None:
        """Return what stands in force of a partition; None when nothing does."""
        return self.dates.get(partition.business_date, {}).get(partition)

    def standings(self, within: Within | None = None) -> Iterator[tuple[Partition, PartInForce]]:
        """Yield what is in force, in order of date and group."""
        for date in sorted(self.dates, key=lambda day: day or dt.date.min):
            if date is None or within is None or within(date):
                yield from sorted(self.dates[date].items())

    def changed_at(self, date: dt.date | None = None) -> int:
        """Return a number that grows when a part is added, and is another one when a part is taken away; 0 for never.

        It is the time of the newest part in nanoseconds; below the millisecond stands what tells two sets of parts
        apart that have the same newest one.
        """
        if date is None:
            return self._changed_at
        if not (parts := self.dates.get(date)):
            return 0
        names = "\n".join(sorted(object_name(partition, part.fingerprint) for partition, part in parts.items()))
        return self.newest_since(date) * _MILLION + zlib.crc32(names.encode()) % _MILLION

    @cached_property
    def _changed_at(self) -> int:
        newest = max(map(self.newest_since, self.dates), default=0)
        return newest * _MILLION + self.version % _MILLION if newest else 0

    def newest_since(self, date: dt.date | None) -> int:
        """Return when the newest part of a date was put in force, milliseconds since 1970; 0 when there is none."""
        return max((part.since for part in self.dates.get(date, {}).values()), default=0)


class TableState(Protocol):
    """What is in force of one table, and how it is changed."""

    def ensure(self) -> None:
        """Make sure that the table is there, in the columns of its contract."""

    def look(self, within: Within | None = None) -> Look:
        """Return what is in force right now; of some business dates, if asked."""

    def standing(self, partition: Partition) -> PartInForce | None:
        """Return what stands in force of a partition right now."""

    def commit(self, parts: list[CommittedPart], commit: str | None) -> None:
        """Put staged parts in force together; what is in force already is left as it is.

        Parameters
        ----------
        commit
            The commit they are parts of; None where they are of none.

        Raises
        ------
        Declined
            When something else is in force than there was when a part was staged.
        LakeError
            When others change the table all the time, or the store refuses; run again then.
        """


def is_due(part: CommittedPart, in_force: PartInForce | None) -> bool:
    """Return whether a part is not in force yet.

    Raises
    ------
    Declined
        When something else is in force than there was when it was staged.
    """
    if part.receipt is None and in_force is None:
        return False
    if part.receipt is not None and in_force is not None and in_force.is_of(part.receipt.fingerprint):
        return False
    is_as_before = part.before is None or (in_force.is_of(part.before) if in_force else not part.before)
    if not is_as_before:
        stands = _said(in_force.fingerprint if in_force else None)
        raise Declined(
            f"{part.partition.lock_name}: expected {_said(part.before)} in force, as when this part was made, found "
            f"{stands}: another has published it meanwhile; nothing was changed, run again"
        )
    return True


class TableLog:
    """One table: what is in force, kept up to date with its log."""

    def __init__(self, objects: Objects, options: dict[str, str], table: Table) -> None:
        """Open nothing yet."""
        self._objects, self._options, self._contract = objects, options, table
        self._partitioned_by = ["business_date"] if table.by == "day" else []
        self._locking = RLock()
        self._delta: DeltaTable | None = None
        self._known = Look()
        self._last_entry: bytes | None = None  # that of the version known; no other table has one of the same bytes
        self._same_at = -float("inf")

    def ensure(self) -> None:
        """Make sure that the table is there, in the columns of its contract; of many who create it, one does."""
        with self._locking:
            self._same_at = -float("inf")
            if self.look().version < 0:
                self._create()

    def look(self, _within: Within | None = None) -> Look:
        """Return what is in force right now."""
        with self._locking, self._told():
            if self._delta is not None and not self._is_another():
                self._delta.update_incremental()
            else:
                self._known = Look()
                try:
                    self._delta = DeltaTable(self._where, storage_options=self._options)
                except TableNotFoundError:
                    self._delta = None
                    return self._known
            return self._take_up(self._delta)

    def standing(self, partition: Partition) -> PartInForce | None:
        """Return what stands in force of a partition right now."""
        return self.look().standing(partition)

    def commit(self, parts: list[CommittedPart], commit: str | None) -> None:
        """Put staged parts in force together; see `TableState`. The log names the commit."""

        def due(look: Look) -> list[Action]:
            parts_due = [part for part in parts if is_due(part, look.standing(part.partition))]
            return [action for part in parts_due for action in _actions_of(part, look)]

        self._change(due, commit)

    def disown(self, path: str) -> None:
        """Take a file that another program has added out of what is in force."""
        removed: list[Action] = [RemoveAction(path, data_change=True, deletion_timestamp=_now())]
        self._change(lambda log: removed if path in log.foreign else [], None)

    def named_since(self, limit: dt.datetime) -> set[tuple[Partition, str]]:
        """Return what the entries of the log since a limit name: what they added, and what was in force before."""
        listed = self._objects.under(f"{self._contract.name}/_delta_log")
        recent = [
            entry.name for entry in listed if entry.name.endswith(".json") and entry.changed_at >= limit - _COARSE
        ]
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            texts = [text for text in readers.map(self._objects.read, recent) if text]
        actions = (json.loads(line) for text in texts for line in text.splitlines())
        paths = (entry["path"] for action in actions for entry in (action.get("add"), action.get("remove")) if entry)
        return {named for path in paths if (named := of_object(f"{self._contract.name}/{path}"))}

    def clean_up(self) -> None:
        """Write a checkpoint, and remove the entries before it that are older than a month."""
        with self._locking, self._told():
            if self.look().version > 0 and self._delta is not None:
                self._delta.create_checkpoint()
                self._delta.cleanup_metadata()

    @property
    def _where(self) -> str:
        return self._objects.address.of(self._contract.name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what delta-rs says of the store into one line; the table is opened anew then."""
        try:
            yield
        except (OSError, DeltaError) as error:
            self._delta = None
            raise self._objects.refused(error, self._contract.name) from error

    def _change(self, due: Callable[[Look], list[Action]], commit: str | None) -> None:
        """Do what is due for the table as it stands, and look again where another was first."""
        until, pause = time.monotonic() + _PATIENCE, 0.01
        while True:
            with self._locking:
                look = self.look()
                actions = due(look)
                if not actions or self._is_committed(look, actions, commit):
                    return
            if time.monotonic() > until:
                raise LakeError(
                    f"{self._where}: expected to commit {commit or 'a partition'} within {_PATIENCE:.0f} s, others "
                    "changed the table each time; what was staged stays, run again"
                )
            time.sleep(random.uniform(0, pause))  # noqa: S311 - only so that two who met do not meet again
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _is_committed(self, look: Look, due: list[Action], commit: str | None) -> bool:
        """Commit the next version of the table; return False where another writer was first."""
        if self._delta is None:
            raise LakeError(
                f"{self._where}: expected a table, found none; nothing was committed: run `shelfprice doctor`"
            )
        try:
            self._delta.create_write_transaction(
                due,
                mode="append",
                schema=self._delta.schema(),
                partition_by=self._partitioned_by,
                commit_properties=_once(commit),
            )
        except (OSError, DeltaError) as error:
            self._delta = None
            if self.look().version == look.version:
                raise self._objects.refused(error, self._contract.name) from error
            return False
        return True

    def _create(self) -> None:
        schema = self._contract.schema
        if self._partitioned_by:  # the date, which is in no file, is a column for other engines
            schema = schema.append(pa.field("business_date", pa.date32(), nullable=False))
        try:
            DeltaTable.create(
                self._where,
                schema=schema,
                partition_by=self._partitioned_by,
                configuration={"delta.checkpointInterval": str(CHECKPOINT_EVERY)},
                storage_options=self._options,
                commit_properties=_once(None),
            )
        except (OSError, DeltaError) as error:
            if self.look().version < 0:  # another may have created it first, which is as good
                raise self._objects.refused(error, self._contract.name) from error

    def _entry(self, version: int) -> str:
        return f"{self._contract.name}/_delta_log/{version:020d}.json"

    def _is_another(self) -> bool:
        """Return whether the table was removed since the last look, and perhaps made anew."""
        now = time.monotonic()
        if now - self._same_at <= _SAME_FOR:
            return False
        self._same_at = now
        return self._objects.read(self._entry(self._known.version)) != self._last_entry

    def _take_up(self, delta: DeltaTable) -> Look:
        """Note what a table says that has been brought up to date."""
        version = delta.version()
        if version == self._known.version:
            return self._known
        found = delta.protocol().min_writer_version
        if found > _WRITER_VERSION:
            raise LakeError(
                f"{self._where}: expected a table that writers of version {_WRITER_VERSION} may change, found version "
                f"{found}: another program has upgraded it; nothing was changed: let others only read the lake"
            )
        dates: dict[dt.date | None, dict[Partition, PartInForce]] = {}
        foreign = set()
        for row in pa.table(delta.get_add_actions(flatten=True)).select(_SAID).to_pylist():
            path, size, since, rows = (row[name] for name in _SAID)
            if named := of_object(f"{self._contract.name}/{path}"):
                partition, fingerprint = named
                dates.setdefault(partition.business_date, {})[partition] = PartInForce(fingerprint, rows, size, since)
            else:
                foreign.add(path)
        self._known = Look(version, dates, frozenset(foreign))
        self._last_entry, self._same_at = self._objects.read(self._entry(version)), time.monotonic()
        return self._known


_SAID = ["path", "size_bytes", "modification_time", "num_records"]


def _actions_of(part: CommittedPart, look: Look) -> Iterator[Action]:
    """Yield what the log says of a part: what is taken away, and what is added."""
    partition, before = part.partition, look.standing(part.partition)
    day = partition.business_date and partition.business_date.isoformat()
    values: dict[str, Any] = {"business_date": day} if day else {}
    now = max(_now(), look.newest_since(partition.business_date) + 1)
    if before is not None:
        path = in_table(object_name(partition, before.fingerprint))
        yield RemoveAction(
            path, data_change=True, deletion_timestamp=now, size=before.bytes, partition_values=values or None
        )
    if part.receipt is not None:
        path = in_table(object_name(partition, part.receipt.fingerprint))
        rows = json.dumps({"numRecords": part.receipt.rows})
        yield AddAction(path, part.receipt.bytes, values, now, data_change=True, stats=rows)


def _once(commit: str | None) -> CommitProperties:
    """Return properties of a commit: its name, and that the next version is tried once; others may have made it."""
    return CommitProperties(custom_metadata={"shelfprice": commit} if commit else None, max_commit_retries=0)


def _now() -> int:
    return time.time_ns() // _MILLION


def _said(fingerprint: str | None) -> str:
    return f"receipt {fingerprint[:12]}" if fingerprint else "nothing"
