"""Reads a sheet of a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods): cells keep their types, rows their numbers."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import DataError
from plugins.desk.price_sheets.large_workbooks import unpacked_of_workbook
from plugins.own_store.files.block import EMPTY, Block, without_blank_rows
from plugins.own_store.files.bounds import MOST_OF_WORKBOOK, MOST_RATIO, most_unpacked
from plugins.own_store.history.rows import as_text
from plugins.own_store.history.sheet_reader import MEMORY, REFUSED, without_values

_MOST_BYTES = 2 << 30
_READER = """
import sys
sys.modules["numpy"] = None # PyArrow does without it, and is imported in a fifth of the time
from plugins.own_store.history.sheet_reader import main
sys.exit(main())
"""
_COMMAND = (sys.executable, "-P", "-c", _READER)


@dataclass(frozen=True)
class WorkbookSheet:
    """The beginning of a sheet.

    Attributes
    ----------
    others
        How many other sheets of the workbook are shown.
    first_row
        The number of its first row with a cell, from 1.
    first
        The cells of that row as text, "" for none.
    """

    name: str
    others: int
    first_row: int
    first: tuple[str, ...]


def sheet_of(path: Path, where: str, named: str | None) -> WorkbookSheet:
    """Return the beginning of the sheet that was named, or of the first one that is shown.

    Raises
    ------
    DataError
        When the workbook cannot be read, is too large, or has no such sheet.
    """
    with _read(path, where, named) as (facts, batches):
        first = next(batches)
        cells = [_as_text(first, at)[0].as_py() or "" for at in range(facts["width"])]
        while cells and not cells[-1]:
            cells.pop()
        return WorkbookSheet(facts["sheet"], facts["others"], first["row"][0].as_py(), tuple(cells))


def sheet_blocks(
    path: Path, where: str, sheet: str, names: Sequence[str], theirs: Mapping[str, str], *, has_header: bool
) -> Iterator[Block]:
    """Yield the rows of the columns that are used, in order.

    Parameters
    ----------
    names
        The names of the sheet's columns, in order.
    theirs
        The name of each used column, by ours.
    has_header
        Whether the sheet's first row with a cell holds the names.

    Raises
    ------
    DataError
        When the workbook cannot be read to its end, or formulas in one of these columns carry no value.
    """
    with _read(path, where, sheet) as (facts, batches):
        _refuse_formulas(facts["formulas"], names, theirs, where)
        if has_header:
            next(batches)
        for batch in batches:
            columns = [_column(batch, names.index(name)) for name in theirs.values()]
            lines = batch["row"].to_numpy()
            yield without_blank_rows(
                Block(pa.table(columns, names=list(theirs.values())), lines, (), float(lines[-1]) / facts["rows"])
            )


def _refuse_formulas(
    formulas: Mapping[str, Sequence[Any]], names: Sequence[str], theirs: Mapping[str, str], where: str
) -> None:
    """Refuse a sheet in which a column that is used has formulas without values."""
    for name in theirs.values():
        found = formulas.get(str(names.index(name)))
        if found is not None:
            raise DataError(f"{where}: {name!r}: {without_values(*found)}")


def _column(batch: pa.Table, at: int) -> pa.ChunkedArray:
    """Return a column by its type where all its cells have one, else as text."""
    text, number, moment = (batch[f"{kind}{at}"] for kind in ("text", "number", "moment"))
    if text.null_count == batch.num_rows:
        if moment.null_count == batch.num_rows:
            return number
        if number.null_count == batch.num_rows:
            return moment
    return _as_text(batch, at)


def _as_text(batch: pa.Table, at: int) -> pa.ChunkedArray:
    text, number, moment = (batch[f"{kind}{at}"] for kind in ("text", "number", "moment"))
    said = pc.if_else(pc.is_in(text, value_set=pa.array(EMPTY)), None, text)
    return pc.coalesce(said, as_text("sku", number.combine_chunks()), pc.strftime(moment, "%Y-%m-%d %H:%M:%S"))


@contextmanager
def _read(path: Path, where: str, sheet: str | None) -> Iterator[tuple[dict[str, Any], Iterator[pa.Table]]]:
    """Read a sheet in a process of its own, which ends with the block: what was found, and the rows batch by batch."""
    _refuse_large(path, where)
    command = [*_COMMAND, str(path.absolute()), *([sheet] if sheet is not None else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603 - our own module
    try:
        try:
            stream = pa.ipc.open_stream(process.stdout)
        except pa.ArrowInvalid as error:  # it ended before its first byte
            raise _refusal(process, where) from error
        yield json.loads(stream.schema.metadata[b"sheet"]), _tables(stream, process, where)
    finally:
        process.kill()
        process.communicate()


def _tables(
    stream: pa.ipc.RecordBatchStreamReader, process: "subprocess.Popen[bytes]", where: str
) -> Iterator[pa.Table]:
    try:
        for batch in stream:
            yield pa.Table.from_batches([batch])
    except (pa.ArrowInvalid, OSError) as error:
        raise _refusal(process, where) from error
    if process.wait():
        raise _refusal(process, where)


def _refusal(process: "subprocess.Popen[bytes]", where: str) -> DataError:
    _, said = process.communicate()
    if process.returncode == REFUSED:
        return DataError(f"{where}: {said.decode()}")
    return DataError(
        f"{where}: the workbook is damaged, or needs more than {MEMORY >> 30} GB of memory; nothing was published: "
        "save the sheet as CSV"
    )


def _refuse_large(path: Path, where: str) -> None:
    """Refuse a workbook that says that it holds too much, before anything of it is decompressed."""
    size = path.stat().st_size
    unpacked = max(size, unpacked_of_workbook(path))
    if unpacked > _MOST_BYTES:
        raise DataError(
            f"{where}: expected a workbook of at most {_MOST_BYTES >> 30} GB unpacked, found {unpacked / 2**30:.1f} "
            "GB; nothing was read: save the sheet as CSV"
        )
    if unpacked > most_unpacked(size, MOST_OF_WORKBOOK):
        raise DataError(
            f"{where}: expected a workbook of {size:,} bytes to unpack to at most {MOST_RATIO} times its size, or "
            f"{MOST_OF_WORKBOOK >> 20} MB, found {unpacked >> 20:,} MB; nothing was read: save the sheet as CSV"
        )
