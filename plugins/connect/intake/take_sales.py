"""Take in lines of receipts: each line is checked, compared with the lake, and published once or refused with a reason.

What must hold: a process that publishes lines holds the lock from its look at what is known until they are in force. So
when several processes get the same lines, one of them takes them in, and a sender who is unsure can send them again.

Parts of `receipt_lines` never change, so the ids of each are read once in a process, and DuckDB compares them.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags
from catalog.load import Catalog
from catalog.names import INTAKE_GROUP
from catalog.tables.contracts import TABLES
from plugins.connect.intake.sale_lines import (
    ACCEPTED_DAYS,
    IntakeResult,
    Key,
    LineCheck,
    LineReference,
    LineRefusal,
    RefusedLine,
    Row,
    SaleLine,
    checked,
    new_among,
)
from plugins.connect.intake.sales_files import objects_of
from warehouse.commits.locks import waited_for
from warehouse.lake import Lake, Partition
from warehouse.query.connection import queries_beside
from warehouse.workspace import Workspace

LOCK = "intake"
"""Held while lines are held against the lake and published."""

_SAID = (
    "sku",
    "sold_at",
    "units",
    "price",
    "offer",
    "voids_event_id",
    "voids_receipt",
    "voids_line",
    "corrects_event_id",
    "corrects_receipt",
    "corrects_line",
)
"""What a line that is sent again has to say as it did."""
_AS_SAID = ("store_id", "event_id", "receipt", "line", "sku", "units", "price", "offer")
_AT_ONCE = 50_000  # lines that are held as objects
_IDS = ["store_id", "event_id", "receipt", "line"]
_IN_ORDER = ("store_id", "sold_at", "receipt", "line", "event_id")
_query = queries_beside(__file__)


class KnownLines:
    """The lines of a lake by business date; `look` brings it up to date."""

    def __init__(self, lake: Lake) -> None:
        self._lake, self._first = lake, dt.date.max
        self._ids: dict[Partition, pa.Table] = {}
        self._gone: pd.DataFrame | None = None  # what lines void or correct

    def look(self, first: dt.date | None = None) -> None:
        """Read the parts that came since, of business dates from a first one on, or as before; others are forgotten."""
        self._first = first or self._first
        parts = set(self._lake.partitions("receipt_lines", lambda date: date >= self._first))
        if parts != self._ids.keys():
            kept = {part: ids for part, ids in self._ids.items() if part in parts}
            self._ids = kept | {part: _keys_of(self._lake.read(part)) for part in sorted(parts - kept.keys())}
            self._gone = None

    @property
    def dates(self) -> list[dt.date]:
        """The business dates with lines, ascending."""
        return sorted({part.business_date for part in self._ids if part.business_date is not None})

    def parts_on(self, date: dt.date) -> tuple[Partition, ...]:
        """Return the parts of a date."""
        return tuple(sorted(part for part in self._ids if part.business_date == date))

    def stores_on(self, date: dt.date) -> set[str]:
        """Return the stores with lines of a date."""
        return {store for part in self.parts_on(date) for store in self._ids[part]["store_id"].unique().to_pylist()}

    def lines(self, date: dt.date, parts: Sequence[Partition] | None = None) -> pa.Table:
        """Read the lines of a date, sorted by what they say; one that a fold has already copied is returned once.

        Parameters
        ----------
        parts
            Those of its parts whose lines are read; by default all.
        """
        tables = [self._lake.read(part) for part in (self.parts_on(date) if parts is None else parts)]
        rows = pa.concat_tables([TABLES["receipt_lines"].schema.empty_table(), *tables]).unify_dictionaries()
        rows = rows.filter(pa.array(~_keys_of(rows).select(_IDS).to_pandas().duplicated().to_numpy()))
        keys = pa.table({name: _text(rows[name]) for name in _IN_ORDER})
        return rows.take(pc.sort_indices(keys, [(name, "ascending") for name in _IN_ORDER]))

    def add(self, part: Partition, rows: pa.Table) -> None:
        """Take note of a part that was just published."""
        self._ids[part], self._gone = _keys_of(rows), None

    def rows_like(self, rows: pa.Table, date: dt.date) -> Iterator[tuple[dict[str, Any], bool]]:
        """Yield the rows of the lake that have an event id of some lines, or a receipt and number of this date's.

        Beside each stands whether it is of this date.
        """
        parts = list(self._ids)
        places = self._asked("lines_like", parts, arrived=_keys_of(rows), date=date)
        for number in places["part"].unique().tolist():
            places_of_part = places.loc[places["part"] == number, "place"].to_numpy()
            for row in self._lake.read(parts[number]).take(places_of_part).to_pylist():
                yield row, parts[number].business_date == date

    def counted(self, date: dt.date, rows: pa.Table) -> Flags:
        """Flag those of a date's lines that no other line voids or corrects, shape (n_lines,).

        A receipt is looked for on the date of the line that names it, and else on the newest date before that has it.
        """
        gone = self._gone_on(date)
        ids, flags = _keys_of(rows).to_pandas(), np.ones(rows.num_rows, dtype=bool)
        for names in (["store_id", "event_id"], ["store_id", "receipt", "line"]):
            named = pd.MultiIndex.from_frame(gone[names].dropna())
            flags &= ~pd.MultiIndex.from_frame(ids[names]).isin(named)
        return flags

    def told_elsewhere(self, date: dt.date) -> str:
        """Return what the lines of other dates void or correct on a date, as a text to compare."""
        gone = self._gone_on(date)
        return str(gone[gone["named_on"].dt.date != date].to_csv(index=False))

    def _gone_on(self, date: dt.date) -> pd.DataFrame:
        """Return the ids of a date's lines that do not count, with the date of the line that says so."""
        if self._gone is None:
            self._gone = self._asked("voided", list(self._ids))
        return self._gone[self._gone["business_date"].dt.date == date]

    def _asked(self, query: str, parts: Sequence[Partition], **given: Any) -> pd.DataFrame:
        """Ask about the ids of parts; tables are relations, everything else is a parameter."""
        ids = [
            part_ids.append_column("part", pa.repeat(pa.scalar(number), len(part_ids)))
            .append_column("place", pa.array(np.arange(len(part_ids))))
            .append_column("business_date", pa.repeat(pa.scalar(part.business_date, pa.date32()), len(part_ids)))
            for number, (part, part_ids) in enumerate((part, self._ids[part]) for part in parts)
        ]
        nothing = _keys_of(TABLES["receipt_lines"].schema.empty_table())
        for name, kind in (("part", pa.int64()), ("place", pa.int64()), ("business_date", pa.date32())):
            nothing = nothing.append_column(name, pa.array([], kind))
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.register("stored", pa.concat_tables([nothing, *ids]))
            for name, table in given.items():
                if isinstance(table, pa.Table):
                    connection.register(name, table)
            values = {name: value for name, value in given.items() if not isinstance(value, pa.Table)}
            return connection.execute(_query(query), values or None).df()


def take_sales(
    workspace: Workspace,
    lines: pa.Table | Sequence[Any],
    by: str,
    now: dt.datetime,
    known: KnownLines | None = None,
) -> IntakeResult:
    """Take lines in; when it returns, those that were taken are durable.

    Parameters
    ----------
    lines
        Objects with the fields of `SaleLine`, or a table with a column for each field of a file.
    by
        Who sends them.
    now
        The time, UTC.
    known
        What the lake holds; one that was used before reads new parts alone.
    """
    known, refused = known or KnownLines(workspace.lake), list[RefusedLine]()
    check, taken, repeated = LineCheck(workspace.catalog, now), 0, 0

    def row_of(given: Any) -> Row:
        return _row_of(check.sale(given), workspace.catalog, (by, now))

    for begin in range(0, len(lines), _AT_ONCE):
        of_now = objects_of(lines.slice(begin, _AT_ONCE)) if isinstance(lines, pa.Table) else lines[begin:][:_AT_ONCE]
        by_date = dict[dt.date, list[tuple[int, Row]]]()
        for index, row in checked(of_now, row_of, refused, begin):
            date = workspace.catalog.store.clock_of(row["store_id"]).date_of(row["sold_at"])
            by_date.setdefault(date, []).append((index, row))
        if by_date:
            with waited_for(workspace.settings.locks, LOCK):
                workspace.lake.finish_interrupted()
                known.look(first_date(now))
                for date, rows in sorted(by_date.items()):
                    there = dict[Key, Row]()
                    for like, is_of_date in known.rows_like(table_of([row for _, row in rows]), date):
                        there |= dict.fromkeys(_ids(like if is_of_date else like | {"receipt": None}), like)
                    new, count = new_among(rows, there, _ids, _said, _contradiction, refused)
                    taken, repeated = taken + len(new), repeated + count
                    if new:
                        _publish(workspace, date, table_of(new), known)
    return IntakeResult(taken, repeated, tuple(sorted(refused, key=lambda line: line.index)))


def first_date(now: dt.datetime) -> dt.date:
    """Return the first business date that lines may be of, in any zone."""
    return (now - dt.timedelta(days=ACCEPTED_DAYS + 2)).date()


def _row_of(line: SaleLine, catalog: Catalog, sent: tuple[str, dt.datetime]) -> Row:
    return {
        **{name: getattr(line, name) for name in _AS_SAID},
        "sold_at": line.sold_at.astimezone(dt.UTC),
        "currency": catalog.store.currency,
        **_reference("voids", line.voids),
        **_reference("corrects", line.corrects),
        "taken_at": sent[1],
        "taken_from": sent[0],
    }


def _reference(what: str, other: str | LineReference | None) -> Row:
    event, receipt = (other, None) if other is None or isinstance(other, str) else (None, other)
    return {
        f"{what}_event_id": event,
        f"{what}_receipt": receipt and receipt.receipt,
        f"{what}_line": None if receipt is None else receipt.line,
    }


def _ids(row: Row) -> list[Key]:
    """Return what a line is told from others by: its event id, and its receipt and number."""
    ids = list[Key]()
    if row["event_id"] is not None:
        ids.append((row["store_id"], row["event_id"]))
    if row["receipt"] is not None and row["line"] is not None:
        ids.append((row["store_id"], row["receipt"], row["line"]))
    return ids


def _said(row: Row) -> Key:
    return tuple(row[name] for name in _SAID)


def _contradiction(before: Row, now: Row) -> LineRefusal:
    named = next(name for name in _SAID if before[name] != now[name])
    expected = f"{named}: {before[named]} as this line said before, or another id and `corrects`"
    return LineRefusal("says_otherwise", expected, now[named])


def _publish(workspace: Workspace, date: dt.date, rows: pa.Table, lines: KnownLines) -> None:
    ids = rows.select(["store_id", "event_id", "receipt", "line"])
    digest = hashlib.sha256(ids.to_pandas().to_csv(index=False).encode()).hexdigest()
    part = Partition("receipt_lines", date, f"{INTAKE_GROUP}-{digest[:20]}")
    workspace.lake.publish(part, rows, inputs=digest)
    lines.add(part, rows)


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows in the columns of `receipt_lines`."""
    columns = {name: [row[name] for row in rows] for name in TABLES["receipt_lines"].schema.names}
    return pa.table(columns, schema=TABLES["receipt_lines"].schema)


def _keys_of(rows: pa.Table) -> pa.Table:
    """Return the ids of lines, and what each voids or corrects."""
    ids = {name: _text(rows[name]) for name in _IDS}
    others = {f"other_{name}": _text(pc.coalesce(rows[f"voids_{name}"], rows[f"corrects_{name}"])) for name in _IDS[1:]}
    return pa.table(ids | others)


def _text(column: Any) -> Any:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
