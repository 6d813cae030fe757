"""A table whose changes are kept in the log of Delta Lake, so that any engine that reads Delta reads the table.

What must hold: an entry of the log is created once, under the next number, and never changed. So each change is
compare-and-swap: look at all entries, decide, create the next entry; who finds it taken looks again. Entries are read
one by one from the last one known: it costs one request to find out that nothing has changed, and one to change it.
Now and then the last one known is read again: `reset` may have removed the table, and others begun it anew.

delta-rs creates the tables, adds columns and writes checkpoints, and reads the log when a table is opened. Entries are
written here, in the form that Delta's protocol says. For each one, delta-rs makes ten requests and goes through all
files of the table, which takes half a second where there are 40,000.
"""

import datetime as dt
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import RLock

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError

from catalog.errors import LakeError
from catalog.table import Table
from cluster.delta.entries import ADD, INFO, REMOVE, Action, actions_of, after, entry_of, lines_of
from cluster.delta.look import Look, is_due
from cluster.delta.naming import PartInForce, object_name, of_object
from cluster.delta.objects import Objects, ObjectState
from cluster.delta.statistics import statistics_of
from warehouse.commit_record import CommittedPart
from warehouse.partition import Partition, Within

CHECKPOINT_EVERY = 50
"""Entries of the log between two checkpoints: opening a table reads one checkpoint and less than these."""

_TRUSTED_FOR = 600.0  # s; entries are cleaned up only when they are days old, so the next one cannot be gone by then
_SAME_FOR = 1.0  # s for which a table is taken for the one it was; nobody removes and makes a lake anew any sooner
_PATIENCE = 60.0  # s
_LONGEST_PAUSE = 0.5  # s
_COARSE = dt.timedelta(seconds=2)  # the clock by which a server dates its objects
_AT_ONCE = 8
_MILLION = 1_000_000  # nanoseconds in a millisecond
_WRITER_VERSION = 2  # of Delta's protocol, with which tables are created
_ENTRY = re.compile(r"\w+/_delta_log/\d{20}\.json")


class TableLog:
    """One table: what is in force, kept up to date with its log."""

    def __init__(self, objects: Objects, options: dict[str, str], table: Table) -> None:
        """Open nothing yet."""
        self._objects, self._options, self._contract = objects, options, table
        self._locking = RLock()
        self._known = Look()
        self._last_entry: bytes | None = None  # that of the version known; no other table has one of the same bytes
        self._confirmed_at = self._same_at = -float("inf")
        self._delta: DeltaTable | None = None
        self._statistics: dict[str, str] = {}  # of objects that were staged here, by name

    def ensure(self) -> None:
        """Make sure that the table is there, in the columns of its contract; of many who create it, one does."""
        with self._locking:
            self._same_at = -float("inf")
            if self.look().version < 0:
                self._create()
            gained = self._gained()
            if gained:
                self._add_columns(gained)

    def look(self, _within: Within | None = None) -> Look:
        """Return what is in force right now."""
        with self._locking:
            if self._known.version < 0 or time.monotonic() - self._confirmed_at > _TRUSTED_FOR:
                self._load()
            elif time.monotonic() - self._same_at > _SAME_FOR:
                self._load_another()
            while (entry := self._objects.read(self._entry(self._known.version + 1))) is not None:
                actions = list(lines_of(entry))
                for action in actions:
                    _refuse_upgraded(action.get("protocol", {}).get("minWriterVersion", 0), self._where)
                self._note(entry, actions)
            self._confirmed_at = time.monotonic()
            return self._known

    def standing(self, partition: Partition) -> PartInForce | None:
        """Return what stands in force of a partition right now."""
        return self.look().standing(partition)

    def commit(self, parts: list[CommittedPart], commit: str | None) -> None:
        """Put staged parts in force together; what is in force already is left as it is.

        Parameters
        ----------
        commit
            The commit they are parts of, which the log names; None where they are of none.

        Raises
        ------
        Declined
            When something else is in force than there was when a part was staged.
        LakeError
            When others change the table all the time, or the store refuses; run again then.
        """

        def due(known: Look) -> list[Action]:
            parts_due = [part for part in parts if is_due(part, known.standing(part.partition))]
            return [action for part in parts_due for action in actions_of(part, known, self._statistics_of)]

        self._change(due, commit)
        for part in parts:
            if part.receipt is not None:
                self._statistics.pop(object_name(part.partition, part.receipt.fingerprint), None)

    def describe(self, name: str, content: memoryview, rows: pa.Table) -> None:
        """Keep what the log will say of an object that is being staged."""
        self._statistics[name] = statistics_of(content, rows)

    def disown(self, path: str) -> None:
        """Take a file that another program has added out of what is in force."""
        now = time.time_ns() // _MILLION
        removed = {"path": path, "deletionTimestamp": now, "dataChange": True}
        self._change(lambda known: [{REMOVE: removed}] if path in known.foreign else [], None)

    def addition_of(self, path: str) -> Action:
        """Return what the entry that added a file says of itself; nothing where it is gone, or says nothing."""
        for name in sorted((one.name for one in self._entries()), reverse=True):
            actions = list(lines_of(self._objects.read(name) or b""))
            if any(action.get(ADD, {}).get("path") == path for action in actions):
                return next((action[INFO] for action in actions if INFO in action), {})
        return {}

    def _change(self, due: Callable[[Look], list[Action]], commit: str | None) -> None:
        """Do what is due for the table as it stands, and look again where another was first."""
        until, pause = time.monotonic() + _PATIENCE, 0.01
        while True:
            with self._locking:
                known = self.look()
                actions = due(known)
                if not actions or self._create_next(known, actions, commit):
                    return
            if time.monotonic() > until:
                raise LakeError(
                    f"{self._where}: expected to commit {commit or 'a partition'} within {_PATIENCE:.0f} s, others "
                    "changed the table each time; what was staged stays, run again"
                )
            time.sleep(random.uniform(0, pause))  # noqa: S311 - only so that two who met do not meet again
            pause = min(2 * pause, _LONGEST_PAUSE)

    def named_since(self, limit: dt.datetime) -> set[tuple[Partition, str]]:
        """Return what the entries of the log since a limit name: what they added, and what was in force before."""
        recent = [one.name for one in self._entries() if one.changed_at >= limit - _COARSE]
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            texts = [text for text in readers.map(self._objects.read, recent) if text]
        said = (action.get(kind) for text in texts for action in lines_of(text) for kind in (ADD, REMOVE))
        return {found for one in said if one and (found := of_object(f"{self._contract.name}/{one['path']}"))}

    def clean_up(self) -> None:
        """Write a checkpoint, and remove the entries before it that are older than a month."""
        with self._locking:
            known = self.look()
            if known.version <= 0:
                return
            delta = self._delta_since(known.version)
            try:
                delta.create_checkpoint()
                delta.cleanup_metadata()
            except (OSError, DeltaError) as error:
                raise self._objects.refused(error, self._contract.name) from error

    @property
    def _where(self) -> str:
        return self._objects.address.of(self._contract.name)

    def _statistics_of(self, name: str) -> str:
        """Return what the log says of an object, which another process may have staged."""
        known = self._statistics.get(name)
        return known or statistics_of(self._objects.read(name) or b"")

    def _entries(self) -> Iterator[ObjectState]:
        found = self._objects.under(f"{self._contract.name}/_delta_log")
        return (one for one in found if _ENTRY.fullmatch(one.name))

    def _entry(self, version: int) -> str:
        return f"{self._contract.name}/_delta_log/{version:020d}.json"

    def _note(self, entry: bytes, actions: list[Action]) -> None:
        """Take up what the next entry of the log says."""
        self._known = after(self._known, self._contract.name, actions)
        self._last_entry, self._same_at = entry, time.monotonic()

    def _load_another(self) -> None:
        """Read the log anew where the table was removed since the last look, and perhaps made anew."""
        if self._objects.read(self._entry(self._known.version)) != self._last_entry:
            self._load()
        self._same_at = time.monotonic()

    def _load(self) -> None:
        """Read the log from its last checkpoint on; a table that is not there has version -1."""
        self._delta, self._last_entry = None, None
        try:
            self._delta = DeltaTable(self._where, storage_options=self._options)
            rows = pa.table(self._delta.get_add_actions(flatten=True)).select(
                ["path", "size_bytes", "modification_time", "num_records"]
            )
        except TableNotFoundError:
            self._known = Look()
            return
        except (OSError, DeltaError) as error:
            raise self._objects.refused(error, self._contract.name) from error
        columns = (rows[name].to_pylist() for name in rows.column_names)
        names = ("path", "size", "modificationTime", "rows")
        adds = [{ADD: dict(zip(names, row, strict=True))} for row in zip(*columns, strict=True)]
        _refuse_upgraded(self._delta.protocol().min_writer_version, self._where)
        version = self._delta.version()
        self._known = after(Look(version - 1, complete_since=version), self._contract.name, adds)
        self._last_entry, self._same_at = self._objects.read(self._entry(version)), time.monotonic()

    def _create(self) -> None:
        try:
            DeltaTable.create(
                self._where,
                schema=_schema(self._contract),
                partition_by=_partitioned_by(self._contract),
                configuration={"delta.checkpointInterval": str(CHECKPOINT_EVERY)},
                storage_options=self._options,
                commit_properties=CommitProperties(max_commit_retries=0),  # or it would create it once more, on top
            )
            self._objects.settle(self._entry(0))
        except (OSError, DeltaError) as error:
            if self.look().version < 0:  # another may have created it first, which is as good
                raise self._objects.refused(error, self._contract.name) from error

    def _gained(self) -> list[Field]:
        """Return the columns of the contract that came after the table was created."""
        known = {one.name for one in self._delta_since(self.look().version).schema().fields}
        return [one for one in Schema.from_arrow(_schema(self._contract)).fields if one.name not in known]

    def _add_columns(self, gained: list[Field]) -> None:
        try:
            self._delta_since(self.look().version).alter.add_columns(gained)
        except (OSError, DeltaError) as error:
            self._delta = None
            if self._gained():
                raise self._objects.refused(error, self._contract.name) from error

    def _create_next(self, known: Look, due: list[Action], commit: str | None) -> bool:
        """Create the next entry of the log, and tell whether we did: another may have been first."""
        if known.version < 0:
            raise LakeError(
                f"{self._where}: expected a table, found none; nothing was committed: run `shelfprice doctor`"
            )
        actions = entry_of(due, commit, _partitioned_by(self._contract))
        entry = "\n".join(map(json.dumps, actions)).encode()
        if not self._objects.create(self._entry(known.version + 1), entry):
            return False
        self._note(entry, actions)
        if self._known.version % CHECKPOINT_EVERY == 0:
            self._write_checkpoint()
        return True

    def _write_checkpoint(self) -> None:
        """Write a checkpoint; where that fails, the table is as good without it and opens more slowly."""
        with suppress(LakeError, OSError, DeltaError):
            self._delta_since(self._known.version).create_checkpoint()

    def _delta_since(self, version: int) -> DeltaTable:
        """Return the table as delta-rs knows it at a version, or at a newer one where others go on meanwhile."""
        try:
            if self._delta is None:
                self._delta = DeltaTable(self._where, storage_options=self._options)
            elif self._delta.version() < version:
                self._delta.update_incremental()
        except (OSError, DeltaError) as error:
            raise self._objects.refused(error, self._contract.name) from error
        return self._delta


def _refuse_upgraded(writer_version: int, where: str) -> None:
    """Refuse a table that another engine has put under rules that are not kept here."""
    if writer_version > _WRITER_VERSION:
        raise LakeError(
            f"{where}: expected a table that writers of version {_WRITER_VERSION} may change, found version "
            f"{writer_version}: another program has upgraded it; nothing was changed: let others only read the lake"
        )


def _schema(table: Table) -> pa.Schema:
    """Return the columns of a table as other engines see them: its date, which is in no file, is a column too."""
    if table.by == "day":
        return table.schema.append(pa.field("business_date", pa.date32(), nullable=False))
    return table.schema


def _partitioned_by(table: Table) -> list[str]:
    return ["business_date"] if table.by == "day" else []
