"""SQL for people: one answer, printed or kept as a file of their own, or a conversation.

A question can be about anything, so its time is bounded, and its memory: by DuckDB, and by the system for what DuckDB
does not count.
Nothing is spilled to the disk, which belongs to the flows. A Parquet file that is kept here is a person's, with no
contract and no receipt. The lake's are published by `warehouse.lake` alone.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.decisions.reasons import json_text
from catalog.errors import DataError, first_line
from catalog.settings import Settings
from flows.cli.command import refuse_unwritable
from flows.cli.console import emit, remark, show_table
from warehouse.files import sync_file
from warehouse.query.connection import read_only
from warehouse.query.questions import at_most, refuse_the_last_of_it, statements_that_read, write_csv

_SHOWN_ROWS = 1_000
_AT_ONCE = 2_048
_LONGEST_ERROR = 400
_MB = 1_000_000
_INTERRUPT_EVERY = 0.1  # seconds
_FOR_GOOD = (
    *(duckdb.ProgrammingError, duckdb.PermissionException, duckdb.OutOfMemoryException, duckdb.InterruptException),
    *(MemoryError, UnicodeError),
)
"""What asking again would not mend."""
Answer = TypeVar("Answer")


def answer(settings: Settings, query: str, form: Literal["table", "csv", "json"]) -> None:
    """Run one query read-only and print what it returns.

    Raises
    ------
    DataError
        When the query does more than read, or cannot be run; the message is DuckDB's.
    """
    if form == "csv":
        _ask(settings, query, partial(_write_rows, settings))
        return
    most = None if form != "table" else _SHOWN_ROWS + 1

    def fetch(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> tuple[list[str], list[Any]]:
        result = connection.execute(statement)
        return _columns_of(result), _every_row(result) if most is None else result.fetchmany(most)

    columns, rows = _ask(settings, query, fetch)
    if form == "json":
        emit({"columns": columns, "rows": rows})
    else:
        caption = f"the first {_SHOWN_ROWS:,} rows; --csv gives all" if len(rows) > _SHOWN_ROWS else None
        show_table(f"{min(len(rows), _SHOWN_ROWS):,} rows", columns, rows[:_SHOWN_ROWS], caption)


def keep(settings: Settings, query: str, place: Path) -> None:
    """Run one query read-only and write what it returns to a file, whole or not at all.

    Raises
    ------
    DataError
        When the query does more than read, or cannot be run; there is no file then.
    """
    rows = _ask(settings, query, lambda connection, statement: connection.sql(statement).to_arrow_table())
    _write(place, rows)
    remark(f"{place}: {rows.num_rows:,} rows")


def _write_rows(settings: Settings, connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> None:
    """Write an answer row by row; what goes wrong once some are out is not asked again."""
    result = connection.execute(statement)
    first = result.fetchmany(_AT_ONCE)
    rest = chain.from_iterable(iter(lambda: result.fetchmany(_AT_ONCE), []))
    try:
        write_csv(sys.stdout, _columns_of(result), chain(first, rest))
    except (duckdb.Error, MemoryError) as error:
        raise _unanswered(settings, error) from error


def _every_row(result: duckdb.DuckDBPyConnection) -> list[Any]:
    rows = list[Any]()
    while some := result.fetchmany(_AT_ONCE):
        rows += some
        refuse_the_last_of_it()
    return rows


def _columns_of(result: duckdb.DuckDBPyConnection) -> list[str]:
    return [column[0] for column in result.description or []]


def _ask(
    settings: Settings, query: str, fetch: Callable[[duckdb.DuckDBPyConnection, duckdb.Statement], Answer]
) -> Answer:
    """Return what is fetched of the last statement's answer.

    A partition may be replaced between DuckDB's look at its size and its look at its bytes: then ask again.
    """
    for last_try in (False, False, True):
        with _opened(settings) as connection:
            statements = statements_that_read(connection, query)
            try:
                with _ended_after(settings.sql_seconds, connection):
                    for statement in statements[:-1]:
                        connection.execute(statement).fetchall()
                    return fetch(connection, statements[-1])
            except (duckdb.Error, MemoryError, UnicodeError) as error:
                if last_try or isinstance(error, _FOR_GOOD):
                    raise _unanswered(settings, error) from error
    raise AssertionError("the last try returns or raises")


@contextmanager
def _ended_after(seconds: float, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """End what a connection does within the block after some seconds, and each query of the block that comes later."""
    done = Event()

    def end() -> None:
        done.wait(seconds)
        while not done.wait(_INTERRUPT_EVERY):  # one between two queries would be lost
            connection.interrupt()

    thread = Thread(target=end, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _unanswered(settings: Settings, error: Exception) -> DataError:
    if isinstance(error, duckdb.InterruptException):
        return DataError(
            f"expected a query that takes at most {settings.sql_seconds:,} seconds, found one that takes longer; it "
            "was ended, and nothing else was changed: ask about fewer dates or products at a time, or set "
            "SHELFPRICE_SQL_SECONDS to more"
        )
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return DataError(
            f"expected a query that needs at most {settings.sql_memory:,} MB of memory, found one that needs more; it "
            "was ended, and nothing else was changed: ask for fewer rows or columns at a time, or set "
            "SHELFPRICE_SQL_MEMORY to more"
        )
    said = " ".join(str(error).split())
    shown = said if len(said) <= _LONGEST_ERROR else f"{said[:_LONGEST_ERROR]} ..."
    return DataError(f"the query cannot be answered: {shown}")


@contextmanager
def _opened(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse from inside the home: the lake that views name is then no other folder of that name."""
    with (
        chdir(settings.home if settings.warehouse_file.exists() else Path.cwd()),
        at_most(settings.sql_memory * _MB),
        read_only(settings, f"{settings.sql_memory}MB") as connection,
    ):
        yield connection


def converse(settings: Settings) -> None:
    """Read queries, each ended by a semicolon, until the end of input or `exit`."""
    import readline  # noqa: F401 - gives `input` a history, on a terminal only

    remark("End a query with ; and leave with exit or Ctrl-D. `show tables;` lists what there is.")
    lines: list[str] = []
    while True:
        try:
            line = input("......> " if lines else "shelfprice> ")
        except EOFError:
            return
        if not lines and line.strip().lower() in {"exit", "quit"}:
            return
        lines.append(line)
        if line.rstrip().endswith(";"):
            try:
                answer(settings, "\n".join(lines), "table")
            except DataError as error:
                remark(str(error))
            lines = []


def refuse_place(settings: Settings, file: Path, *, force: bool) -> Path:
    """Return where to write, with links followed.

    Raises
    ------
    DataError
        When the file is inside the data folder, when its folder is not there, or when there is a file already and
        `force` is not set.
    """
    place = file.resolve()
    if place.is_relative_to(settings.home):
        raise DataError(
            f"--out {file}: expected a file outside the data folder {settings.home}, which the flows keep; nothing was "
            "done: name another file"
        )
    refuse_unwritable(place)
    if place.exists() and not (force and place.is_file()):
        raise DataError(f"--out {file}: expected a new file, found one; it is unchanged: name another, or add --force")
    return place


def _write(place: Path, answer: pa.Table) -> None:
    """Write an answer in the form that the file's ending names, whole or not at all.

    Raises
    ------
    DataError
        When the form cannot hold a column of the answer; there is no file then, or the one that was there.
    """
    draft = place.with_name(f".{place.name}.{os.getpid()}.new")
    try:
        WRITERS[place.suffix.lower()](answer, draft)
        sync_file(draft)
        draft.replace(place)
    except pa.ArrowException as error:
        raise DataError(
            f"--out {place}: the answer cannot be written in this form ({first_line(error)}); nothing was written: "
            "cast the column to text, or choose another ending"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _rows_of(answer: pa.Table) -> Iterator[tuple[Any, ...]]:
    for batch in answer.to_batches():
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write_csv(answer: pa.Table, draft: Path) -> None:
    with draft.open("w", encoding="utf-8", newline="") as file:
        write_csv(file, answer.column_names, _rows_of(answer))


def _write_json(answer: pa.Table, draft: Path) -> None:
    rows = {"columns": answer.column_names, "rows": list(_rows_of(answer))}
    draft.write_text(json_text(rows) + "\n", encoding="utf-8")


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": lambda answer, draft: pq.write_table(answer, draft, compression="zstd"),
}
"""How an answer is written, by the ending of the file."""
