"""Take in what is announced for dates to come: events and the weather, from a CSV file with a line for each.

Columns are `date`, `store` (empty for all stores) and `event` or `temperature`, or both. A file says all there is of
its dates: a corrected file takes the place of what was said of them before, and a line without an event takes one away.
"""

import csv
import datetime as dt
import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.tables.contracts import TABLES
from catalog.tables.table import Table
from etl.load import ANNOUNCED, ANNOUNCING
from warehouse.commits.locks import held
from warehouse.lake import Lake, Partition

_COLUMNS = frozenset({"date", "store", "event", "temperature"})
_TABLES = {"event": TABLES["events"], "temperature": TABLES["weather"]}
_EVENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31})?")
_COLDEST, _HOTTEST = -90.0, 60.0
_MOST_BYTES, _MOST_ROWS = 10_000_000, 200_000
_Line = Mapping[str | None, Any]


@dataclass(frozen=True)
class Announced:
    """How many dates a file tells of, and the rows of each table that stand for them now."""

    dates: int
    events: int
    weather: int


@dataclass(frozen=True)
class _Said:
    """What one line says of a date: a value by the column that it stands in."""

    date: dt.date
    store: str | None
    values: Mapping[str, Any]


def take_in(lake: Lake, catalog: Catalog, file: Path) -> Announced:
    """Publish what a file says in the place of what was known of its dates.

    Raises
    ------
    DataError
        When it is not such a file, with the first line that is wrong; nothing was taken in.
    Declined
        When another process takes one in.
    """
    columns, said = _read(file, catalog)
    dates = {one.date for one in said}
    with held(lake.locks, ANNOUNCING):
        rows = {name: _rows(lake, _TABLES[name], name, said, dates) for name in columns}
        inputs = hashlib.sha256(repr(sorted((name, rows[name].to_pylist()) for name in rows)).encode()).hexdigest()
        with lake.commit(ANNOUNCED, inputs=inputs) as commit:
            for name, own in rows.items():
                commit.publish(Partition(_TABLES[name].name, None, "all"), own)
    events, weather = (sum(name in one.values for one in said) for name in _TABLES)
    return Announced(len(dates), events, weather)


def _rows(lake: Lake, table: Table, column: str, said: list[_Said], dates: Collection[dt.date]) -> pa.Table:
    """Return all rows of a table: of other dates as they are, of these dates as they are said now."""
    part, value = Partition(table.name, None, "all"), table.columns[-1].name
    known = lake.read(part).to_pylist() if lake.receipt(part) else []
    rows = [row for row in known if row["date"] not in dates]
    rows += [
        {"date": one.date, "store_id": one.store, value: one.values[column]} for one in said if column in one.values
    ]
    unique = {tuple(row[name] for name in table.key): row for row in rows}
    ordered = sorted(unique.values(), key=lambda row: (row["date"], row["store_id"] or "", str(row[value])))
    return pa.Table.from_pylist(ordered, schema=table.schema)


def _read(file: Path, catalog: Catalog) -> tuple[list[str], list[_Said]]:
    """Return the columns of values, and what each line says."""
    try:
        lines = csv.DictReader(io.StringIO(_text_of(file), newline=""), strict=True)
        columns = _columns_of(list(lines.fieldnames or []))
        rows = _bounded(lines)
        said = [_said_in(line, f"{file}, line {number}", catalog) for number, line in enumerate(rows, start=2)]
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(
            f"{file}: expected CSV in UTF-8 with the columns date, store, and event or temperature, found "
            f"{getattr(error, 'strerror', None) or error}; nothing was taken in: correct the file"
        ) from error
    _refuse_two_temperatures(said, file)
    return columns, said


def _bounded(lines: Iterator[_Line]) -> list[_Line]:
    rows = list(islice(lines, _MOST_ROWS + 1))
    if len(rows) > _MOST_ROWS:
        raise ValueError(f"more than {_MOST_ROWS:,} lines")
    return rows


def _text_of(file: Path) -> str:
    with file.open("rb") as opened:
        content = opened.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"more than {_MOST_BYTES:,} bytes")
    return content.decode("utf-8-sig")


def _columns_of(names: list[str]) -> list[str]:
    columns = [name for name in _TABLES if name in names]
    if "date" not in names or not columns or set(names) - _COLUMNS or len(set(names)) != len(names):
        raise ValueError(f"the columns {', '.join(names) or 'none'}")
    return columns


def _said_in(line: _Line, where: str, catalog: Catalog) -> _Said:
    said = {name: (line.get(name) or "").strip() for name in _COLUMNS}
    stores, degrees = catalog.store.stores, _degrees(said["temperature"])
    expected = {
        f"a date such as 2026-12-24, found {said['date']!r}": _date_of(said["date"]) is not None,
        f"a store of the catalog or none, found {said['store']!r}": said["store"] in {"", *stores},
        f"an event of 32 letters, digits, _ . or - at most, found {said['event']!r}": _is_event(said["event"]),
        f"{_COLDEST:g} to {_HOTTEST:g} degrees Celsius, found {said['temperature']!r}": degrees is not None,
        "as many values as columns, found more": None not in line,
    }
    if wrong := next((what for what, is_met in expected.items() if not is_met), None):
        raise DataError(f"{where}: expected {wrong}; nothing was taken in: correct the line")
    values = {"event": said["event"], "temperature": degrees}
    kept = {name: value for name, value in values.items() if said[name]}
    return _Said(dt.date.fromisoformat(said["date"]), said["store"] or None, kept)


def _is_event(text: str) -> bool:
    return _EVENT.fullmatch(text) is not None


def _date_of(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _degrees(text: str) -> float | None:
    """Return a temperature, 0 where none is said; None where the text is none."""
    try:
        degrees = float(text or 0)
    except ValueError:
        return None
    return degrees if _COLDEST <= degrees <= _HOTTEST else None


def _refuse_two_temperatures(said: list[_Said], file: Path) -> None:
    known: dict[tuple[dt.date, str | None], float] = {}
    for one in said:
        degrees = one.values.get("temperature")
        if degrees is not None and known.setdefault((one.date, one.store), degrees) != degrees:
            raise DataError(
                f"{file}: expected one temperature of {one.date} in {one.store or 'all stores'}, found several; "
                "nothing was taken in: keep one"
            )
