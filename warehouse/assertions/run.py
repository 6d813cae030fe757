"""Assertions about the data: queries that return the rows that break them, and the uniqueness of every table's key.

A batch is looked at while its rows are in memory, before anybody reads them back. What must hold: these are the same
queries as those on the lake, over tables of the same names, so that a batch for which nothing is found here would be
found good there. Whether several batches of a date share a key is not seen here, nor what stores kept the day before.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catalog.contracts import TABLES
from catalog.settings import Settings
from warehouse.assertions.keys import repeated_keys
from warehouse.connection import workbench
from warehouse.lake import Lake, Partition, empty_partition
from warehouse.proof import is_proven
from warehouse.sold import COUNTS, GROUPED, SOLD, sold_on
from warehouse.sql_files import queries_beside

_FOLDER = Path(__file__).parent
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
