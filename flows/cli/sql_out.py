"""Answers that a person keeps as a file of their own: whole or not at all, and never inside the data folder.

A Parquet file that is written here is a person's, with no contract and no receipt. The lake's are published by
`warehouse.lake` alone.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import DataError, first_line
from catalog.json_text import json_text
from catalog.settings import Settings
from flows.cli.options import refuse_unwritable
from warehouse.files import sync_file
from warehouse.spreadsheet import write_csv


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


def write_answer(place: Path, answer: pa.Table) -> None:
    """Write an answer in the form that the file's ending names: csv, json or parquet.

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


def _write_csv(answer: pa.Table, draft: Path) -> None:
    with draft.open("w", encoding="utf-8", newline="") as file:
        rows = (
            row for batch in answer.to_batches() for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)
        )
        write_csv(file, answer.column_names, rows)


def _write_json(answer: pa.Table, draft: Path) -> None:
    rows = [list(row) for row in zip(*(column.to_pylist() for column in answer.columns), strict=True)]
    draft.write_text(json_text({"columns": answer.column_names, "rows": rows}) + "\n", encoding="utf-8")


def _write_parquet(answer: pa.Table, draft: Path) -> None:
    pq.write_table(answer, draft, compression="zstd")


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".csv": _write_csv,
    ".json": _write_json,
    ".parquet": _write_parquet,
}
"""How an answer is written, by the ending of the file."""
