"""What people may ask of the warehouse: questions that read, and nothing else.

DuckDB's own lock (`warehouse.query.connection.read_only`) keeps every file outside the lake away, but a folder that
may be read may be written, too, and a statement that selects can hold one that writes: `with x as (copy ... to ...)
from x`. So each statement is looked at as DuckDB itself parses it, before any of them runs. What is not known to read
is refused: kinds of statements, parts of a query, and functions that bring rows.

The memory of the process is bounded, for somebody else decides the size of the work. DuckDB counts its tables and
sorts, and neither a text that one function makes nor the rows that Python is handed. So the system is asked to refuse
as well: an allocation fails then, which DuckDB and Python both report as an error.

Answers may be written as comma-separated values that a spreadsheet shows and never runs.
"""

import csv
import datetime as dt
import json
import re
import resource
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import duckdb

from catalog.errors import DataError, LakeError, first_line
from catalog.settings import Settings
from warehouse.lake import Lake
from warehouse.query.advice import remedy
from warehouse.query.connection import queries_beside, workbench_with_marts

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the start of a formula; the last four are the wide forms of the first four."""


def write_csv(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a header and rows."""
    writer = csv.writer(_Lines(file))
    writer.writerow([_harmless(name) for name in columns])
    writer.writerows([_harmless(cell) for cell in row] for row in rows)


def as_it_was(cell: str) -> str:
    """Return what a cell that was read back held before it was written: without the apostrophe before a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_STARTS_FORMULA) else cell


class _Lines:
    """Ends each line as a person's programs do; the writer itself quotes both kinds of line ends inside a cell."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, line: str) -> None:
        """Write one row."""
        self._file.write(line.removesuffix("\r\n") + "\n")


def _harmless(cell: Any) -> Any:
    """Return a cell; text that a spreadsheet would run gets an apostrophe before it, and a number stays a number."""
    if not isinstance(cell, str) or not cell.startswith(_STARTS_FORMULA) or _is_number(cell):
        return cell
    return f"'{cell}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()


_OWN = 512 << 20  # bytes for everything else: threads, files that are read, what is shown
_LAST = 128 << 20  # bytes that rows made one by one may want
_STATUS = Path("/proc/self/status")
_DATA = re.compile(r"^VmData:\s+(\d+) kB", re.MULTILINE)


@contextmanager
def at_most(more: int) -> Iterator[None]:
    """Let this process take no more than so many bytes beside what it holds, within the block.

    Only Linux says how much a process holds, and counts what it can still write to; elsewhere nothing is bounded here.
    """
    held = _held()
    if held is None:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = held + more + _OWN
    set_before = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([most, *set_before]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def refuse_the_last_of_it() -> None:
    """Refuse to take more while there is little room below the bound.

    A library that makes many small values one by one may not look whether each could be made: DuckDB does not, where it
    hands rows to Python, and the process would die of it.

    Raises
    ------
    MemoryError
        When less is left than such a library may want at once.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    held = None if soft == resource.RLIM_INFINITY else _held()
    if held is not None and soft - held < _LAST:
        raise MemoryError


def _held() -> int | None:
    """Return how many bytes this process holds and can write to; None where the system does not say."""
    line = _DATA.search(_STATUS.read_text(encoding="ascii", errors="replace")) if _STATUS.exists() else None
    return None if line is None else int(line[1]) * 1024


MOST_CHARACTERS = 250_000
"""Length of the longest question: DuckDB's own form of a question is a hundred times as long as the question."""

_READING_PARTS = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_PART = re.compile(r'"type":"(\w+_NODE)"')
_ROWS_FROM = re.compile(r'"type":"TABLE_FUNCTION".*?"function_name":("(?:[^"\\]|\\.)*")')
_EXPLAINED = re.compile(
    r"\bexplain\b(?:\s*(?:analyze\b|\(\s*(?:analyze\b)?[\s,]*(?:format\s+\w+)?\s*\)))?", re.IGNORECASE
)
_PRAGMAS = re.compile(
    r"\s*pragma\s+(?:show_tables|show_tables_expanded|database_list|database_size|version|platform|functions|collations"
    r"|(?:table_info|show|storage_info)\s*\(\s*'[^']*'\s*\))[\s;]*",
    re.IGNORECASE,
)
_NOT_IN_PIVOTS = re.compile(
    r"\b(?:copy|insert|update|delete|merge|truncate|attach|create|set|prepare|execute|call|drop|alter|read_\w+"
    r"|query|json_execute_serialized_sql|\w*_scan|\w*external_resource"
    r"|\w*logging|\w*_function|\w*_extension|checkpoint)\b",
    re.IGNORECASE,
)
_FUNCTIONS = {
    *("range", "generate_series", "unnest", "repeat", "repeat_row", "glob", "summary", "histogram", "histogram_values"),
    *("read_parquet", "read_csv", "read_csv_auto", "sniff_csv", "read_text", "read_blob", "json_each", "json_tree"),
    *("read_json", "read_json_auto", "read_json_objects", "read_ndjson", "read_ndjson_auto", "read_ndjson_objects"),
    *("parquet_metadata", "parquet_schema", "parquet_file_metadata", "parquet_kv_metadata", "parquet_full_metadata"),
    *("query_table", "lake_by_day", "lake_by_key", "with_stock", "test_all_types"),
    *("pg_timezone_names", "icu_calendar_names", "pragma_table_info", "pragma_show", "pragma_version"),
    *("pragma_database_size", "pragma_storage_info", "pragma_collations", "pragma_platform"),
}
"""Functions that bring rows, and neither run a text as SQL nor change the engine; what is not here is refused."""
_ABOUT = "duckdb_"
"""How DuckDB's functions about itself begin: views, columns, types, settings."""


def statements_that_read(connection: duckdb.DuckDBPyConnection, text: str) -> list[duckdb.Statement]:
    """Return the statements of a text, each of which reads and does nothing else.

    Raises
    ------
    DataError
        When there is no statement, when the text is not SQL or too long, or when a statement does more than read.
    """
    if len(text) > MOST_CHARACTERS:
        raise DataError(
            f"expected a query of at most {MOST_CHARACTERS:,} characters, found {len(text):,}; nothing was run: "
            "ask for less at a time"
        )
    if "\0" in text or not _is_encodable(text):
        raise DataError("expected a query in text, found a byte that no text has; nothing was run: write it as text")
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise DataError(f"the query cannot be answered: {first_line(error)}") from error
    if not statements:
        raise DataError('expected a query, found none; nothing was run: try `shelfprice sql "from daily_sales"`')
    for statement in statements:
        _refuse_all_but_reading(connection, statement)
    return statements


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_all_but_reading(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> None:
    kinds, kind, query = duckdb.StatementType, _kind_of(statement), statement.query
    if kind == kinds.EXPLAIN:
        query = _what_is_explained(connection, query)
    elif kind == kinds.PRAGMA and _PRAGMAS.fullmatch(query):
        return
    elif kind == kinds.MULTI:  # a PIVOT that looks up its columns first, which DuckDB does not show as parsed
        word = _NOT_IN_PIVOTS.search(query)
        if word:
            raise _refused(f"{word.group()} beside PIVOT", "name the columns, PIVOT ... ON ... IN (...)")
        return
    elif kind != kinds.SELECT:
        raise _refused(kind.name.replace("_", " ") if kind != kinds.INVALID else "another kind of statement")
    parsed = _parsed(connection, query)
    for part in _PART.findall(parsed):
        if part not in _READING_PARTS:
            raise _refused(f"{part.removesuffix('_NODE').removesuffix('_QUERY')} inside a query")
    for name in map(json.loads, _ROWS_FROM.findall(parsed)):
        if name.lower() not in _FUNCTIONS and not name.lower().startswith(_ABOUT):
            raise _refused(f"{name[:40]}()", "ask the views, `show tables` lists them")


def _kind_of(statement: duckdb.Statement) -> duckdb.StatementType:
    try:
        return statement.type
    except ValueError:  # newer than DuckDB's own client
        return duckdb.StatementType.INVALID


def _what_is_explained(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """Return the query behind EXPLAIN; it must be one query."""
    word = _EXPLAINED.search(query)
    rest = query[word.end() :] if word else ""
    try:
        inner = connection.extract_statements(rest)
    except duckdb.Error:
        inner = []
    if [_kind_of(statement) for statement in inner] != [duckdb.StatementType.SELECT]:
        raise _refused("EXPLAIN of something else", "explain a SELECT")
    return rest


def _parsed(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """Return a query as DuckDB parses it, in its JSON: text from the query has its quotes escaped there."""
    rows = connection.execute("select json_serialize_sql($1)", [query]).fetchall()
    parsed = str(rows[0][0])
    if not parsed.startswith('{"error":false'):
        message = json.loads(parsed).get("error_message", "")
        raise DataError(f"the query cannot be answered: {message[:200] or 'it cannot be read'}; nothing was run")
    return parsed


def _refused(statement: str, remedy: str = "ask with SELECT, FROM, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN") -> DataError:
    return DataError(
        f"the warehouse is read-only: expected a query that reads, found {statement}; nothing was run: {remedy}"
    )


_query = queries_beside(__file__)


def past_day(settings: Settings, date: dt.date) -> list[dict[str, Any]]:
    """Return what was in force on a date, one record for each batch and change of its prices.

    Raises
    ------
    DataError
        When the date has no decisions.
    LakeError
        When there is no lake.
    """
    rows = _asked(settings, "past_day", {"business_date": date})
    if not rows:
        raise DataError(f"expected decisions of {date} in the lake, found none; name another date")
    return rows


def champion_history(settings: Settings) -> list[dict[str, Any]]:
    """Return every change of champion, the newest first, with what the version earned while it priced.

    Raises
    ------
    LakeError
        When there is no lake.
    """
    return _asked(settings, "champion_history", {})


def newest_effects(settings: Settings, most: int = 20) -> list[dict[str, Any]]:
    """Return what came of the newest prices that people set or approved, as `price_effects` has it.

    Raises
    ------
    LakeError
        When there is no lake.
    """
    return _asked(settings, "newest_effects", {"most": most})


def promotions(settings: Settings) -> list[dict[str, Any]]:
    """Return every promotion, those that begin last first, as `promotion_calendar` has it.

    Raises
    ------
    LakeError
        When there is no lake.
    """
    return _asked(settings, "promotions", {})


def _asked(settings: Settings, name: str, parameters: dict[str, object]) -> list[dict[str, Any]]:
    lake = Lake(settings)
    if not lake.exists():
        raise LakeError(f"{lake.address}: expected a lake, found none; nothing was read: {remedy(settings)}")
    with workbench_with_marts(settings) as connection:
        answer = connection.execute(_query(name), parameters)
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
