"""The key of each table is unique, as its contract says: checked from the contract, with no query for each table.

A table without dates may have a partition for each night. Where it has many, the hashes of the keys in each are kept in
a note, so that only partitions that were published since are read; where two hashes agree, all are read and whole keys
are compared. The note only saves work: without it, every partition is read.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from duckdb import ColumnExpression, Expression, FunctionExpression

from catalog.errors import LakeError
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from catalog.tables.table import Table
from warehouse.checks.proof import is_proven
from warehouse.commits.notes import KEYS, read_sealed, write_sealed
from warehouse.lake import Lake, Partition, empty_partition
from warehouse.origin import COUNTS, GROUPED, SOLD
from warehouse.query.connection import queries_beside, workbench

Row = tuple[object, ...]
_MANY = 20  # partitions of a table without dates
_query = queries_beside(__file__)
_SHOWN = 3
_ROWS_AT_ONCE = 2_000_000
_STOCK = "stock_movements"
_READ_BY_DAY = (*SOLD, "repricings", "substitutions", _STOCK, *GROUPED, "live_interactions", "live_repricings")


def _repeated_keys(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, dates: Collection[dt.date]
) -> Iterator[tuple[dt.date | None, Row]]:
    """Yield every key that more than one row of a table has, with its business date.

    Rows are told apart by a hash of the key first, which needs a fraction of the memory and time; whole keys are
    compared only where two hashes agree. Tables without dates are looked at whole, unless there are no dates at all.
    """
    partitions = list(lake.partitions(table.name, dates.__contains__)) if dates else []
    if table.by == "key" and len(partitions) > _MANY and not _may_repeat(connection, lake, table, partitions):
        return
    files = lake.places(partition for partition in partitions if is_proven(lake, partition))  # `health` names others
    if files:
        rows = connection.read_parquet(files, filename=True, hive_partitioning=table.by == "day")
        within = ["business_date"] if table.by == "day" else []
        if table.unique_in == "partition":
            within.append("filename")
        for row in _repeated_in(rows, [*within, *table.key]):
            date = row[0] if table.by == "day" and isinstance(row[0], dt.date) else None
            yield date, row[len(within) : -1]


def _repeated_in(rows: duckdb.DuckDBPyRelation, names: Sequence[str]) -> list[Row]:
    """Return every combination of some columns that more than one row has, in order, with how many have it."""
    columns = [ColumnExpression(name) for name in names]
    hashed = rows.select(_hash_of(columns))
    hashes = np.sort(hashed.to_arrow_table()["key_hash"].to_numpy())  # faster than to group them
    if not (hashes[1:] == hashes[:-1]).any():
        return []
    repeated_hashes = _repeated(hashed, ["key_hash"])
    suspects = rows.select(*columns, _hash_of(columns)).join(
        repeated_hashes.select(ColumnExpression("key_hash")).set_alias("repeated"), "key_hash", how="semi"
    )
    repeated: list[Row] = _repeated(suspects, names).sort(*columns).fetchall()
    return repeated


def _hash_of(columns: Sequence[Expression]) -> Expression:
    return FunctionExpression("hash", *columns).alias("key_hash")


def _repeated(rows: duckdb.DuckDBPyRelation, names: Sequence[str]) -> duckdb.DuckDBPyRelation:
    columns = [ColumnExpression(name) for name in names]
    counted = rows.aggregate([*columns, FunctionExpression("count").alias("count_rows")])
    return counted.filter(ColumnExpression("count_rows") > 1)


def _may_repeat(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, partitions: Sequence[Partition]
) -> bool:
    """Return whether two keys of a table without dates have the same hash; what is not proven is left out."""
    note, made_by = f"{KEYS}/{table.name}.json", f"{duckdb.__version__} {table.key}"
    before, now, columns = _kept_hashes(lake, note, made_by), dict[str, str](), list(map(ColumnExpression, table.key))
    for part in partitions:
        published = str(lake.published_at(part)).replace(" ", "T")
        if before.get(part.group, "").split(" ")[0] == published:
            now[part.group] = before[part.group]
        elif is_proven(lake, part):
            hashed = connection.read_parquet(lake.places([part])).select(_hash_of(columns)).fetchall()
            now[part.group] = " ".join([published, *(str(key_hash) for (key_hash,) in hashed)])
    if now != before:
        with suppress(OSError, LakeError):
            write_sealed(lake.notes, note, {"made_by": made_by, "keys": "\n".join(map(" ".join, now.items()))})
    is_apart = table.unique_in == "partition"
    hashes = [(group if is_apart else "", text) for group, line in now.items() for text in line.split(" ")[1:]]
    return len(set(hashes)) < len(hashes)


def _kept_hashes(lake: Lake, note: str, made_by: str) -> dict[str, str]:
    """Return when each partition was published whose keys were looked at, and their hashes, by its group."""
    try:
        kept = read_sealed(lake.notes, note) or {}
        lines = str(kept["keys"]).splitlines() if kept["made_by"] == made_by else []
        return dict(line.split(" ", 1) for line in lines)
    except (OSError, ValueError, KeyError):
        return {}


@dataclass(frozen=True)
class BrokenAssertion:
    """An assertion that does not hold: how many rows or keys of a date break it, and the first of them.

    `assertion` is a sentence with underscores; `business_date` is null for a table without dates.
    """

    assertion: str
    business_date: dt.date | None
    rows: int
    examples: tuple[Row, ...]

    def __str__(self) -> str:
        shown = "; ".join(", ".join(map(str, row)) for row in self.examples)
        where = self.business_date or "all dates"
        return f"{where}: not true that {self.assertion.replace('_', ' ')}: {self.rows} rows, such as {shown}"


def dates_to_check_at_once(rows_of: Mapping[dt.date, int]) -> Iterator[list[dt.date]]:
    """Cut dates into groups to check at once: as many dates, in order, as hold about two million rows."""
    dates: list[dt.date] = []
    rows_held = 0
    for date, rows in sorted(rows_of.items()):
        if dates and rows_held + rows > _ROWS_AT_ONCE:
            yield dates
            dates, rows_held = [], 0
        dates.append(date)
        rows_held += rows
    if dates:
        yield dates


def looked_at(lake: Lake, business_dates: Iterable[dt.date]) -> Iterator[Partition]:
    """Yield the partitions that the assertions read on some dates through the views: these must be proven before."""
    for date in business_dates:
        for table in _READ_BY_DAY:
            yield from lake.partitions_on(table, date)


def broken_assertions(settings: Settings, business_dates: Iterable[dt.date]) -> list[BrokenAssertion]:
    """Run every assertion once on all the dates and return those that do not hold, in order of assertion and date.

    The key of each table without dates is checked too, once there is any date to check.
    """
    dates, lake, broken = list(business_dates), Lake(settings), list[BrokenAssertion]()
    facts = {"business_dates": dates, **_incomplete_dates(lake, dates)}
    with workbench(settings, set(dates).__contains__) as connection:
        before = (part for date in dates for part in lake.partitions_on(_STOCK, date - dt.timedelta(days=1)))
        files = lake.places((empty_partition(_STOCK), *(part for part in before if is_proven(lake, part))))
        connection.table_function("lake_by_day", [files]).create_view(f"{_STOCK}_before")
        connection.execute(_query("decided"), {"business_dates": dates})
        for path in sorted((Path(__file__).parent / "facts").glob("*.sql")):
            query = path.read_text(encoding="utf-8")
            needed = {name: value for name, value in facts.items() if f"${name}" in query}
            rows = connection.execute(query, needed).fetchall()
            broken += _broken_by(path.stem, ((date, tuple(row)) for date, *row in rows))
        for name, table in TABLES.items():
            repeated = _repeated_keys(connection, lake, table, set(dates))
            broken += _broken_by(f"the_key_of_{name}_is_unique", repeated)
    return broken


def _incomplete_dates(lake: Lake, dates: Iterable[dt.date]) -> dict[str, list[dt.date]]:
    """Return the dates with cells or stock of a batch that was not sold, and those with decisions that are not counted.

    On the latter there are decisions without their counts, or counts without decisions.
    """
    without_decisions, without_counts = list[dt.date](), list[dt.date]()
    for date in dates:
        tables = (*SOLD, *GROUPED, _STOCK)
        groups = {table: {part.group for part in lake.partitions_on(table, date)} for table in tables}
        if not groups["demand_cells"] | groups[_STOCK] <= groups["interactions"] | groups["unit_sales"]:
            without_decisions.append(date)
        if any(groups[table] != groups["interactions"] for table in COUNTS):
            without_counts.append(date)
    return {"dates_without_decisions": without_decisions, "dates_without_counts": without_counts}


def _broken_by(assertion: str, broken: Iterable[tuple[dt.date | None, Row]]) -> Iterator[BrokenAssertion]:
    """Gather the rows that break an assertion by their business date."""
    rows_of: dict[dt.date | None, list[Row]] = {}
    for date, row in broken:
        rows_of.setdefault(date, []).append(row)
    for date, rows in sorted(rows_of.items(), key=lambda item: item[0] or dt.date.min):
        yield BrokenAssertion(assertion, date, len(rows), tuple(rows[:_SHOWN]))
