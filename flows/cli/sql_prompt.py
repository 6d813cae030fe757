"""SQL for people: one answer, or a conversation."""

import csv
import sys
from typing import Any, Literal

import duckdb

from catalog.errors import DataError
from catalog.settings import Settings
from flows.cli.console import emit, remark, show_table
from warehouse.connection import read_only

_SHOWN_ROWS = 1_000


def answer(settings: Settings, query: str, form: Literal["table", "csv", "json"]) -> None:
    """Run one query read-only and print what it returns.

    Raises
    ------
    DataError
        When the query cannot be run; the message is DuckDB's first line.
    """
    columns, rows = _ask(settings, query, None if form != "table" else _SHOWN_ROWS + 1)
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    elif form == "json":
        emit({"columns": columns, "rows": rows})
    else:
        caption = f"the first {_SHOWN_ROWS:,} rows; --csv gives all" if len(rows) > _SHOWN_ROWS else None
        show_table(f"{min(len(rows), _SHOWN_ROWS):,} rows", columns, rows[:_SHOWN_ROWS], caption)


def _ask(settings: Settings, query: str, most: int | None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return columns and rows.

    A partition may be replaced between DuckDB's look at its size and its look at its bytes: then ask again.
    """
    for last_try in (False, False, True):
        with read_only(settings) as connection:
            try:
                result = connection.execute(query)
                columns = [column[0] for column in result.description or []]
                return columns, result.fetchall() if most is None else result.fetchmany(most)
            except duckdb.Error as error:
                if last_try or isinstance(error, duckdb.ProgrammingError):
                    raise DataError(f"the query cannot be answered: {' '.join(str(error).split())}") from error
    raise AssertionError("the last try returns or raises")


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
