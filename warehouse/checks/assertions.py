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
from warehouse.origin import COUNTS, GROUPED, SOLD, sold_on
from warehouse.query.connection import queries_beside, workbench

Row = tuple[object, ...]
_MANY = 20  # partitions of a table without dates


def repeated_keys(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, business_dates: Collection[dt.date]
) -> list[tuple[dt.date | None, Row]]:
    """Return every key that more than one row of a table has, with its business date.

    Rows are told apart by a hash of the key first, which needs a fraction of the memory and time; whole keys are
    compared only where two hashes agree.

    Parameters
    ----------
    business_dates
        Dates to look at. Tables without dates are looked at whole, unless there are no dates at all.
    """
    partitions = list(lake.partitions(table.name, set(business_dates).__contains__)) if business_dates else []
    if table.by == "key" and len(partitions) > _MANY and not _may_repeat(connection, lake, table, partitions):
        return []
    files = lake.places(partition for partition in partitions if is_proven(lake, partition))  # `health` names others
    if not files:
        return []
    rows = connection.read_parquet(files, filename=True, hive_partitioning=table.by == "day")
    within = ["business_date"] if table.by == "day" else []
    if table.unique_in == "partition":
        within.append("filename")
    found = repeated_in(rows, [*within, *table.key])
    return [(_date_of(row, table), row[len(within) : -1]) for row in found]


def repeated_in(rows: duckdb.DuckDBPyRelation, names: Sequence[str]) -> list[Row]:
    """Return every combination of some columns that more than one row has, in order, with how many have it.

    Columns of numbers and times are tried first: where no two rows agree in these, none agree in all.
    """
    types = dict(zip(rows.columns, map(str, rows.types), strict=True))
    narrow = [ColumnExpression(name) for name in names if types[name] != "VARCHAR"]
    if 1 < len(narrow) < len(names) and not _any_twice(rows.select(_hash_of(narrow))):
        return []
    columns = [ColumnExpression(name) for name in names]
    hashed = rows.select(_hash_of(columns))
    if not _any_twice(hashed):
        return []
    repeated_hashes = _repeated(hashed, ["key_hash"])
    suspects = rows.select(*columns, _hash_of(columns)).join(
        repeated_hashes.select(ColumnExpression("key_hash")).set_alias("repeated"), "key_hash", how="semi"
    )
    found: list[Row] = _repeated(suspects, names).sort(*columns).fetchall()
    return found


def _date_of(row: Row, table: Table) -> dt.date | None:
    return row[0] if table.by == "day" and isinstance(row[0], dt.date) else None


def _hash_of(columns: Sequence[Expression]) -> Expression:
    return FunctionExpression("hash", *columns).alias("key_hash")


def _any_twice(hashed: duckdb.DuckDBPyRelation) -> bool:
    """Tell whether a number stands in two rows; to sort numbers is faster than to group them."""
    hashes = np.sort(hashed.to_arrow_table()["key_hash"].to_numpy())
    return bool((hashes[1:] == hashes[:-1]).any())


def _repeated(rows: duckdb.DuckDBPyRelation, names: Sequence[str]) -> duckdb.DuckDBPyRelation:
    columns = [ColumnExpression(name) for name in names]
    counted = rows.aggregate([*columns, FunctionExpression("count").alias("count_rows")])
    return counted.filter(ColumnExpression("count_rows") > 1)


def _may_repeat(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: Table, partitions: Sequence[Partition]
) -> bool:
    """Tell whether two keys of a table without dates have the same hash; what is not proven is left out."""
    note, made_by = f"{KEYS}/{table.name}.json", f"{duckdb.__version__} {table.key}"
    before, now, columns = _kept(lake, note, made_by), dict[str, str](), list(map(ColumnExpression, table.key))
    for part in partitions:
        published = str(lake.published_at(part)).replace(" ", "T")
        if before.get(part.group, "").split(" ")[0] == published:
            now[part.group] = before[part.group]
        elif is_proven(lake, part):
            hashed = connection.read_parquet(lake.places([part])).select(_hash_of(columns)).fetchall()
            now[part.group] = " ".join([published, *(str(own) for (own,) in hashed)])
    if now != before:
        with suppress(OSError, LakeError):
            write_sealed(lake.notes, note, {"made_by": made_by, "keys": "\n".join(map(" ".join, now.items()))})
    is_apart = table.unique_in == "partition"
    hashes = [(group if is_apart else "", own) for group, line in now.items() for own in line.split(" ")[1:]]
    return len(set(hashes)) < len(hashes)


def _kept(lake: Lake, note: str, made_by: str) -> dict[str, str]:
    """Return when each partition was published whose keys were looked at, and their hashes, by its group."""
    try:
        said = read_sealed(lake.notes, note) or {}
        lines = str(said["keys"]).splitlines() if said["made_by"] == made_by else []
        return {group: line for group, _, line in (one.partition(" ") for one in lines)}
    except (OSError, ValueError, KeyError):
        return {}


_FOLDER = Path(__file__).parent / "facts"
_query = queries_beside(__file__)
_SHOWN = 3
_ROWS_AT_ONCE = 2_000_000
_STOCK, _STOCK_BEFORE = "stock_movements", "stock_movements_before"
_READ_BY_DAY = (*SOLD, "repricings", "substitutions", _STOCK, *GROUPED, "live_interactions", "live_repricings")
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class BrokenAssertion:
    """One assertion that does not hold, with the first rows that break it.

    Attributes
    ----------
    assertion
        Its name: a sentence with underscores.
    business_date
        The date of the rows; null for a table without dates.
    rows
        How many rows, or keys, break it.
    examples
        The first of them.
    """

    assertion: str
    business_date: dt.date | None
    rows: int
    examples: tuple[tuple[object, ...], ...]

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
    dates = list(business_dates)
    lake = Lake(settings)
    without = _dates_without_decisions(lake, dates), _dates_without_counts(lake, dates)
    with workbench(settings, set(dates).__contains__) as connection:
        _show_stock_before(connection, lake, dates)
        connection.execute(_query("decided"), {"business_dates": dates})
        broken = broken_on(connection, dates, *without)
        for name, table in TABLES.items():
            repeated = repeated_keys(connection, lake, table, dates)
            broken.extend(broken_by(f"the_key_of_{name}_is_unique", repeated))
    return broken


def _show_stock_before(connection: duckdb.DuckDBPyConnection, lake: Lake, dates: Iterable[dt.date]) -> None:
    """Show the stock movements of the day before each date, as far as their bytes are proven."""
    before = [own for date in dates for own in lake.partitions_on(_STOCK, date - _ONE_DAY) if is_proven(lake, own)]
    files = lake.places((empty_partition(_STOCK), *before))
    connection.table_function("lake_by_day", [files]).create_view(_STOCK_BEFORE)


def _dates_without_decisions(lake: Lake, dates: Iterable[dt.date]) -> list[dt.date]:
    """Return the dates that have cells or stock of a batch whose decisions, or unit sales, are not there."""
    incomplete = []
    for date in dates:
        sold = {own.group for own in sold_on(lake, date)}
        made = (own for table in ("demand_cells", _STOCK) for own in lake.partitions_on(table, date))
        if any(own.group not in sold for own in made):
            incomplete.append(date)
    return incomplete


def _dates_without_counts(lake: Lake, dates: Iterable[dt.date]) -> list[dt.date]:
    """Return the dates on which some batch has decisions and no counts, or counts and no decisions."""
    incomplete = []
    for date in dates:
        decided = {own.group for own in lake.partitions_on("interactions", date)}
        if any({own.group for own in lake.partitions_on(table, date)} != decided for table in COUNTS):
            incomplete.append(date)
    return incomplete


def broken_on(
    connection: duckdb.DuckDBPyConnection,
    business_dates: list[dt.date],
    incomplete: Collection[dt.date] = (),
    uncounted: Collection[dt.date] = (),
) -> list[BrokenAssertion]:
    """Run the assertions that are queries over `decided` and the views of a connection; those of keys are left out.

    Parameters
    ----------
    incomplete
        Dates that have cells or stock of a batch whose decisions are not there.
    uncounted
        Dates on which decisions and their counts are not all there.
    """
    known = {
        "business_dates": business_dates,
        "dates_without_decisions": list(incomplete),
        "dates_without_counts": list(uncounted),
    }
    broken: list[BrokenAssertion] = []
    for path in sorted(_FOLDER.glob("*.sql")):
        query = path.read_text(encoding="utf-8")
        asked = {name: value for name, value in known.items() if f"${name}" in query}
        found = connection.execute(query, asked).fetchall()
        broken.extend(broken_by(path.stem, ((date, tuple(row)) for date, *row in found)))
    return broken


def broken_by(assertion: str, found: Iterable[tuple[dt.date | None, tuple[object, ...]]]) -> Iterator[BrokenAssertion]:
    """Gather the rows that break an assertion by their business date."""
    rows_of: dict[dt.date | None, list[tuple[object, ...]]] = {}
    for date, row in found:
        rows_of.setdefault(date, []).append(row)
    for date, rows in sorted(rows_of.items(), key=lambda item: item[0] or dt.date.min):
        yield BrokenAssertion(assertion, date, len(rows), tuple(rows[:_SHOWN]))
