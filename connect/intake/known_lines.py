"""Which lines the lake holds already, and which of them others void or correct.

Parts of `receipt_lines` never change, so the ids of each are read once in a process, and a look at what is new lists a
few folders. DuckDB compares them.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from catalog.arrays import Flags
from catalog.tables.intake import RECEIPT_LINES
from warehouse.lake import Lake, Partition
from warehouse.sql_files import queries_beside

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
        parts = set(self._lake.partitions(RECEIPT_LINES.name, lambda date: date >= self._first))
        if parts != self._ids.keys():
            kept = {part: ids for part, ids in self._ids.items() if part in parts}
            self._ids = kept | {part: _ids_of(self._lake.read(part)) for part in sorted(parts - kept.keys())}
            self._gone = None

    @property
    def dates(self) -> list[dt.date]:
        """The business dates with lines, ascending."""
        return sorted({part.business_date for part in self._ids if part.business_date is not None})

    def parts_on(self, date: dt.date) -> tuple[Partition, ...]:
        """Return the parts of a date."""
        return tuple(sorted(part for part in self._ids if part.business_date == date))

    def lines(self, date: dt.date, parts: Sequence[Partition] | None = None) -> pa.Table:
        """Read the lines of a date, sorted by what they say; one that a fold has already copied is returned once.

        Parameters
        ----------
        parts
            Those of its parts whose lines are read; by default all.
        """
        tables = [self._lake.read(part) for part in (self.parts_on(date) if parts is None else parts)]
        rows = pa.concat_tables([RECEIPT_LINES.schema.empty_table(), *tables]).unify_dictionaries()
        rows = rows.filter(pa.array(~_ids_of(rows).select(_IDS).to_pandas().duplicated().to_numpy()))
        keys = pa.table({name: _text(rows[name]) for name in _IN_ORDER})
        return rows.take(pc.sort_indices(keys, [(name, "ascending") for name in _IN_ORDER]))

    def add(self, part: Partition, rows: pa.Table) -> None:
        """Take note of a part that was just published."""
        self._ids[part], self._gone = _ids_of(rows), None

    def rows_like(self, rows: pa.Table, date: dt.date) -> Iterator[tuple[dict[str, Any], bool]]:
        """Yield the rows of the lake that have an event id of some lines, or a receipt and number of this date's.

        Beside each stands whether it is of this date.
        """
        parts = list(self._ids)
        places = self._asked("lines_like", parts, arrived=_ids_of(rows), date=date)
        for number in places["part"].unique().tolist():
            own = places.loc[places["part"] == number, "place"].to_numpy()
            for row in self._lake.read(parts[number]).take(own).to_pylist():
                yield row, parts[number].business_date == date

    def counted(self, date: dt.date, rows: pa.Table) -> Flags:
        """Flag those of a date's lines that no other line voids or corrects, shape (n_lines,).

        A receipt is looked for on the date of the line that names it, and else on the newest date before that has it.
        """
        gone = self._gone_on(date)
        ids, flags = _ids_of(rows).to_pandas(), np.ones(rows.num_rows, dtype=bool)
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
            own.append_column("part", pa.repeat(pa.scalar(number), len(own)))
            .append_column("place", pa.array(np.arange(len(own))))
            .append_column("business_date", pa.repeat(pa.scalar(part.business_date, pa.date32()), len(own)))
            for number, (part, own) in enumerate((part, self._ids[part]) for part in parts)
        ]
        nothing = _ids_of(RECEIPT_LINES.schema.empty_table())
        for name, kind in (("part", pa.int64()), ("place", pa.int64()), ("business_date", pa.date32())):
            nothing = nothing.append_column(name, pa.array([], kind))
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.register("stored", pa.concat_tables([nothing, *ids]))
            for name, table in given.items():
                if isinstance(table, pa.Table):
                    connection.register(name, table)
            values = {name: value for name, value in given.items() if not isinstance(value, pa.Table)}
            return connection.execute(_query(query), values or None).df()


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows in the columns of `receipt_lines`."""
    columns = {name: [row[name] for row in rows] for name in RECEIPT_LINES.schema.names}
    return pa.table(columns, schema=RECEIPT_LINES.schema)


def _ids_of(rows: pa.Table) -> pa.Table:
    """Return the ids of lines, and what each voids or corrects."""
    ids = {name: _text(rows[name]) for name in _IDS}
    others = {f"other_{name}": _text(pc.coalesce(rows[f"voids_{name}"], rows[f"corrects_{name}"])) for name in _IDS[1:]}
    return pa.table(ids | others)


def _text(column: Any) -> Any:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
