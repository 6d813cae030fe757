"""Which lines the lake holds already, and which of them others void or correct: 64-bit hashes of ids in memory.

Parts of `receipt_lines` never change, so each is read once in a process, and a look at what is new lists a few folders.
A hash only says where to look: a line is known when the row that is read there has its id. What voids or corrects a
line is compared by hashes alone; with a million lines two ids of a store agree by chance once in ten million lakes.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.arrays import Flags
from catalog.tables.intake import RECEIPT_LINES
from warehouse.lake import Lake, Partition

Hashes = NDArray[np.uint64]
_APART = "\x1f"  # stands in no id
_IN_ORDER = ("sold_at", "receipt", "line", "event_id")


@dataclass(frozen=True)
class LineHashes:
    """Hashes of some lines, and of those that they void or correct; 0 where a line has none. Shape (n_lines,) each."""

    event: Hashes
    receipt: Hashes
    other_event: Hashes
    other_receipt: Hashes

    @cached_property
    def sorted_events(self) -> Hashes:
        """The ids of events, ascending."""
        return np.unique(self.event[self.event > 0])

    @cached_property
    def sorted_receipts(self) -> Hashes:
        """The numbers of receipts and lines, ascending."""
        return np.unique(self.receipt[self.receipt > 0])


@dataclass(frozen=True)
class _References:
    """What the lines of one date void or correct, ascending."""

    events: Hashes
    receipts: Hashes


class _HashSet:
    """Hashes in ascending runs, each at least twice as long as the next: adding some costs the same in a full set."""

    def __init__(self) -> None:
        self._runs: list[Hashes] = []

    def add(self, hashes: Hashes) -> None:
        self._runs.append(np.unique(hashes[hashes > 0]))
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            self._runs.append(np.union1d(self._runs.pop(), self._runs.pop()))

    def has(self, hashes: Hashes) -> Flags:
        flags = np.zeros(len(hashes), bool)
        for run in self._runs:
            flags |= _isin(hashes, run)
        return flags


class KnownLines:
    """The lines of a lake by business date; `look` brings it up to date."""

    def __init__(self, lake: Lake) -> None:
        self._lake, self._first = lake, dt.date.max
        self._parts: dict[Partition, LineHashes] = {}
        self._dates: dict[dt.date, tuple[Partition, ...]] = {}
        self._of_date: dict[dt.date, LineHashes] = {}
        self._sets: dict[dt.date, tuple[_HashSet, _HashSet]] = {}  # events, and receipts

    def look(self, first: dt.date | None = None) -> None:
        """Read the parts that came since, of business dates from a first one on, or as before; others are forgotten."""
        self._first = first or self._first
        dates: dict[dt.date, list[Partition]] = {}
        for part in self._lake.partitions(RECEIPT_LINES.name, lambda date: date >= self._first):
            if part.business_date is not None:
                dates.setdefault(part.business_date, []).append(part)
        parts = {part for of_date in dates.values() for part in of_date}
        self._parts = {part: hashes for part, hashes in self._parts.items() if part in parts}
        came = sorted(parts - self._parts.keys())
        for part in came:
            self._parts[part] = hashes_of(self._lake.read(part))
        gone = {date for date, own in self._dates.items() if not parts.issuperset(own)}
        self._sets = {date: own for date, own in self._sets.items() if date not in gone}
        for part in came:
            self._remember(part)
        now = {date: tuple(of_date) for date, of_date in dates.items()}
        self._of_date = {date: own for date, own in self._of_date.items() if self._dates.get(date) == now.get(date)}
        self._dates = now

    @property
    def dates(self) -> list[dt.date]:
        """The business dates with lines, ascending."""
        return sorted(self._dates)

    def parts_on(self, date: dt.date) -> tuple[Partition, ...]:
        """Return the parts of a date."""
        return self._dates.get(date, ())

    def lines(self, date: dt.date, parts: Sequence[Partition] | None = None) -> pa.Table:
        """Read the lines of a date, sorted by what they say; one that a fold has already copied is returned once.

        Parameters
        ----------
        parts
            Those of its parts whose lines are read; by default all.
        """
        tables = [self._lake.read(part) for part in (self.parts_on(date) if parts is None else parts)]
        rows = pa.concat_tables([RECEIPT_LINES.schema.empty_table(), *tables])
        hashes = hashes_of(rows)
        ids = np.stack([hashes.event, hashes.receipt], axis=1)
        chosen = np.unique(ids, axis=0, return_index=True)[1]
        rows = rows if len(chosen) == len(ids) else rows.take(np.sort(chosen))
        keys = pa.table({"store": rows["store_id"].cast(pa.string()), **{name: rows[name] for name in _IN_ORDER}})
        return rows.take(pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names]))

    def add(self, part: Partition, rows: pa.Table) -> None:
        """Take note of a part that was just published."""
        if part.business_date is not None:
            self._parts[part] = hashes_of(rows)
            self._remember(part)
            self._dates[part.business_date] = tuple(sorted({*self.parts_on(part.business_date), part}))
            self._of_date.pop(part.business_date, None)

    def has(self, hashes: LineHashes, date: dt.date) -> Flags:
        """Return which lines have an event id of the lake, or a receipt and number of a date, shape (n_lines,)."""
        flags = self._set(date)[1].has(hashes.receipt)
        for day in self._dates:
            flags |= self._set(day)[0].has(hashes.event)
        return flags

    def rows_like(self, rows: pa.Table, date: dt.date) -> pa.Table:
        """Return the rows of the lake that have an event id of some lines, or a receipt and number of this date's.

        A column `business_date` says of which date each is.
        """
        wanted, found = hashes_of(rows), list[pa.Table]()
        for day, parts in self._dates.items():
            is_like = bool(self._set(day)[0].has(wanted.sorted_events).any())
            is_like |= day == date and bool(self._set(day)[1].has(wanted.sorted_receipts).any())
            for part in parts if is_like else ():
                own = self._parts[part]
                chosen = _isin(own.event, wanted.sorted_events)
                if day == date:
                    chosen |= _isin(own.receipt, wanted.sorted_receipts)
                if chosen.any():
                    like = self._lake.read(part).filter(pa.array(chosen))
                    found.append(like.append_column("business_date", pa.repeat(pa.scalar(day), like.num_rows)))
        nothing = RECEIPT_LINES.schema.empty_table().append_column("business_date", pa.array([], pa.date32()))
        return pa.concat_tables([nothing, *found])

    def counted(self, date: dt.date, rows: pa.Table) -> Flags:
        """Flag those of a date's lines that no other line voids or corrects, shape (n_lines,).

        A receipt is looked for on the date of the line that names it, and else on the newest date before that has it.
        """
        own, events, receipts = hashes_of(rows), *self._against(date)
        return ~(_isin(own.event, events) | _isin(own.receipt, receipts))

    def told_elsewhere(self, date: dt.date) -> str:
        """Return what the lines of other dates void or correct on a date, as a text to compare."""
        own, (events, receipts) = self._on(date), self._against(date)
        at_home = self._references_on(date)
        hits = np.r_[
            np.setdiff1d(np.intersect1d(own.sorted_events, events), at_home.events),
            np.setdiff1d(np.intersect1d(own.sorted_receipts, receipts), at_home.receipts),
        ]
        return " ".join(map(str, hits.tolist()))

    def _against(self, date: dt.date) -> tuple[Hashes, Hashes]:
        """Return the ids of events, and the receipts, that count no more on a date."""
        events = [self._references_on(day).events for day in self._dates]
        receipts, between = [self._references_on(date).receipts], list[Hashes]()
        for day in self.dates:
            if day > date:
                between.append(self._on(day).sorted_receipts)
                wanted = self._references_on(day).receipts
                receipts.append(wanted[~_isin(wanted, np.unique(_joined(between)))] if len(wanted) else wanted)
        return np.unique(_joined(events)), np.unique(_joined(receipts))

    def _references_on(self, date: dt.date) -> _References:
        own = self._on(date)
        return _References(*(np.unique(other[other > 0]) for other in (own.other_event, own.other_receipt)))

    def _set(self, date: dt.date) -> tuple[_HashSet, _HashSet]:
        if date not in self._sets:
            self._sets[date] = _HashSet(), _HashSet()
            for part in self.parts_on(date):
                self._remember(part)
        return self._sets[date]

    def _remember(self, part: Partition) -> None:
        """Add the hashes of a part to those of its date, where these are in use."""
        if part.business_date in self._sets:
            events, receipts = self._sets[part.business_date]
            events.add(self._parts[part].event)
            receipts.add(self._parts[part].receipt)

    def _on(self, date: dt.date) -> LineHashes:
        if date not in self._of_date:
            parts = [self._parts[part] for part in self.parts_on(date)]
            columns = ("event", "receipt", "other_event", "other_receipt")
            self._of_date[date] = LineHashes(*(_joined([getattr(one, name) for one in parts]) for name in columns))
        return self._of_date[date]


def hashes_of(rows: pa.Table) -> LineHashes:
    """Return the hashes of lines in the columns of `receipt_lines`."""
    voids, corrects = (
        [_event(rows, f"{what}_event_id"), _receipt(rows, f"{what}_receipt", f"{what}_line")]
        for what in ("voids", "corrects")
    )
    others = [
        np.where(of_void > 0, of_void, of_correction) for of_void, of_correction in zip(voids, corrects, strict=True)
    ]
    return LineHashes(_event(rows, "event_id"), _receipt(rows, "receipt", "line"), *others)


def repeats(hashes: LineHashes) -> Flags:
    """Return which lines have an id that another one of them has, shape (n_lines,)."""
    flags = np.zeros(len(hashes.event), bool)
    for own in (hashes.event, hashes.receipt):
        values, counts = np.unique(own[own > 0], return_counts=True)
        flags |= _isin(own, values[counts > 1])
    return flags


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows in the columns of `receipt_lines`."""
    columns = {name: [row[name] for row in rows] for name in RECEIPT_LINES.schema.names}
    return pa.table(columns, schema=RECEIPT_LINES.schema)


def _event(rows: pa.Table, name: str) -> Hashes:
    return _hashed(rows, [rows["store_id"].cast(pa.string()), rows[name]])


def _receipt(rows: pa.Table, receipt: str, line: str) -> Hashes:
    return _hashed(rows, [rows["store_id"].cast(pa.string()), rows[receipt], rows[line].cast(pa.string())])


def _hashed(rows: pa.Table, parts: Sequence[pa.ChunkedArray]) -> Hashes:
    """Return a hash for each row, never 0 where all parts are there, 0 where one is null."""
    if any(part.null_count == rows.num_rows for part in parts):
        return np.zeros(rows.num_rows, np.uint64)
    joined = pc.binary_join_element_wise(*parts, _APART)
    there = joined.is_valid().to_numpy(zero_copy_only=False)
    found = np.zeros(rows.num_rows, np.uint64)
    texts = joined.drop_null().to_numpy(zero_copy_only=False)
    found[there] = np.maximum(pd.util.hash_array(texts, categorize=False), 1)
    return found


def _isin(values: Hashes, ascending: Hashes) -> Flags:
    """Tell for each value whether it stands in an ascending array, shape (n_values,)."""
    if not len(ascending):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return np.asarray(ascending[at] == values)


def _joined(parts: Iterable[Hashes]) -> Hashes:
    return np.concatenate([np.array([], np.uint64), *parts])
