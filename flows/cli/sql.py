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
from typing import Annotated, Any, Literal, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from catalog.decisions.reasons import json_text
from catalog.errors import DataError, first_line
from catalog.settings import Settings, read_settings
from flows.cli.command import Json, command, refuse_unwritable
from flows.cli.console import emit, remark, show_table
from warehouse.files import sync_file
from warehouse.query.connection import read_only
from warehouse.query.questions import at_most, refuse_the_last_of_it, statements_that_read, write_csv

_ENDINGS = (".csv", ".json", ".parquet")
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
    columns, rows = _ask(settings, query, partial(_rows_of, all_rows=form == "json"))
    if form == "json":
        emit({"columns": columns, "rows": rows})
    else:
        caption = f"the first {_SHOWN_ROWS:,} rows; --csv gives all" if len(rows) > _SHOWN_ROWS else None
        show_table(f"{min(len(rows), _SHOWN_ROWS):,} rows", columns, rows[:_SHOWN_ROWS], caption)


def keep(settings: Settings, query: str, place: Path) -> None:
    """Run one query read-only and write what it returns to a file in the form of its ending, whole or not at all.

    Raises
    ------
    DataError
        When the query does more than read, or cannot be run, or when the form cannot hold a column of the answer; there
        is no file then, or the one that was there.
    """
    table = _ask(settings, query, lambda connection, statement: connection.sql(statement).to_arrow_table())
    rows = (row for batch in table.to_batches() for row in zip(*map(pa.Array.to_pylist, batch.columns), strict=True))
    draft = place.with_name(f".{place.name}.{os.getpid()}.new")
    try:
        if place.suffix.lower() == ".parquet":
            pq.write_table(table, draft, compression="zstd")
        else:
            with draft.open("w", encoding="utf-8", newline="") as file:
                if place.suffix.lower() == ".csv":
                    write_csv(file, table.column_names, rows)
                else:
                    file.write(json_text({"columns": table.column_names, "rows": list(rows)}) + "\n")
        sync_file(draft)
        draft.replace(place)
    except pa.ArrowException as error:
        raise DataError(
            f"--out {place}: the answer cannot be written in this form ({first_line(error)}); nothing was written: "
            "cast the column to text, or choose another ending"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    remark(f"{place}: {table.num_rows:,} rows")


def _write_rows(settings: Settings, connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> None:
    """Write an answer row by row; what goes wrong once some are out is not asked again."""
    result = connection.execute(statement)
    first = result.fetchmany(_AT_ONCE)
    rest = chain.from_iterable(iter(lambda: result.fetchmany(_AT_ONCE), []))
    try:
        write_csv(sys.stdout, _columns_of(result), chain(first, rest))
    except (duckdb.Error, MemoryError) as error:
        raise _unanswered(settings, error) from error


def _rows_of(
    connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement, *, all_rows: bool
) -> tuple[list[str], list[Any]]:
    """Return columns and rows of an answer: all of them, or one more than a table shows."""
    result = connection.execute(statement)
    if not all_rows:
        return _columns_of(result), result.fetchmany(_SHOWN_ROWS + 1)
    rows = list[Any]()
    while some := result.fetchmany(_AT_ONCE):
        rows += some
        refuse_the_last_of_it()
    return _columns_of(result), rows


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
    bound = None
    if isinstance(error, duckdb.InterruptException):
        bound = (f"takes at most {settings.sql_seconds:,} seconds", "takes longer", "dates or products", "SECONDS")
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        bound = (f"needs at most {settings.sql_memory:,} MB of memory", "needs more", "rows or columns", "MEMORY")
    if bound is not None:
        allowed, took, fewer, setting = bound
        return DataError(
            f"expected a query that {allowed}, found one that {took}; it was ended, and nothing else was changed: ask "
            f"for fewer {fewer} at a time, or set SHELFPRICE_SQL_{setting} to more"
        )
    text = " ".join(str(error).split())
    shown = text if len(text) <= _LONGEST_ERROR else f"{text[:_LONGEST_ERROR]} ..."
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


Query = Annotated[str | None, typer.Argument(help="A SQL query; without one, from standard input or a prompt.")]
Csv = Annotated[bool, typer.Option("--csv", help="Comma-separated values on stdout.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the answer to a file that ends in .csv, .json or .parquet."),
]
Force = Annotated[bool, typer.Option("--force", help="Let --out replace a file.")]


@command()
def sql(query: Query = None, csv: Csv = False, as_json: Json = False, out: Out = None, force: Force = False) -> None:
    """Query the warehouse in SQL, read-only, even while flows write.

    A query reads the lake and no other file, address or extension, and writes nothing; --out keeps its answer.

    Views for analysts: daily_sales, hourly_sales, daily_prices, daily_profit, daily_waste, daily_markdowns,
    days_of_cover, stock_by_expiry, stock_outs, demand_by_price, budget_groups, champion_history, past_days,
    price_history, newest_rival_prices, price_index, audit.
    Tables as stored, among others: interactions, substitutions, repricings, unit_sales, stock_movements, markdowns,
    promotions, demand_cells, visit_counts, store_visits, context_counts, events, weather, training_rows, price_book,
    demand_curves, beliefs, belief_updates, nights, model_versions, champions, drift_checks, days_in_force, catalogs,
    ingested_files, rejected, products, stores, shoppers, regret_by_day,
    price_changes, alerts, notifications, export_batches, label_states,
    receipt_lines, stock_events, traffic, product_visits, competitor_prices, exposures, price_draws, hourly_draws,
    experiments, earned.
    `from dictionary` names every table and column; docs/sql-cookbook.md has questions with their answers.

    For example:
      shelfprice sql "from daily_sales limit 5"
      shelfprice sql --csv "from dictionary"
    """
    if csv + as_json + (out is not None) > 1:
        raise typer.BadParameter("expected one of --csv, --json and --out, found more; nothing was run: choose one")
    if force and out is None:
        raise typer.BadParameter("--force lets --out replace a file, and there is no --out; nothing was run: add one")
    if out is not None and out.suffix.lower() not in _ENDINGS:
        raise typer.BadParameter(f"--out {out}: expected an ending of {', '.join(_ENDINGS)}; nothing was run: add one")
    settings = read_settings()
    if query is None and out is None and sys.stdin.isatty():
        converse(settings)
        return
    place = None if out is None else refuse_place(settings, out, force=force)
    text = query if query is not None else sys.stdin.read()
    if place is not None:
        keep(settings, text, place)
    else:
        answer(settings, text, "csv" if csv else "json" if as_json else "table")
