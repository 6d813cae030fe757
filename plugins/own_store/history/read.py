"""Open a retailer's export, whatever it is: CSV, CSV.gz, Parquet or a workbook.

The file is read block by block, in bounded memory, and each row keeps its line. What cannot be read is refused with
what it is and what to do about it.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import DataError
from catalog.settings import LockPlace
from plugins.own_store.files.block import Block, without_blank_rows
from plugins.own_store.files.bounds import bounded_batches, opened, refuse_large_parquet
from plugins.own_store.files.csv_file import CsvFile, first_record
from plugins.own_store.files.kinds import ExportKind, kind_of
from plugins.own_store.history.columns import Columns, Reading, columns_of, header_of
from plugins.own_store.history.workbook_file import WorkbookSheet, sheet_blocks, sheet_of
from warehouse.commits.locks import held

STANDARD_INPUT = "standard input"
"""The name of the file that standard input is kept in."""
_CHUNK = 1 << 23
_KEPT_FREE = 1 << 30  # bytes of the disk, for everything else that writes
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+([^/@]*@)?([^/?#]*)", re.IGNORECASE)
_OF_TEXT = ("encoding", "delimiter")
_YES_OR_NO = frozenset({"purchased", "promotion", "display", "leaflet"})
_REMEDIES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_nested, "write its parts as columns of their own"),
    (pa.types.is_time, "write date and time as one column of timestamps"),
    (pa.types.is_integer, "write timestamps: a number does not say what it counts"),
    (pa.types.is_floating, "write timestamps: a number does not say what it counts"),
)


@dataclass(frozen=True)
class Export:
    """A file, how it is to be read, and what its columns mean.

    Attributes
    ----------
    header
        The names of all its columns.
    delimiter
        The separator of a CSV, "" for others.
    sheet
        The sheet of a workbook, None for others.
    """

    path: Path
    reading: Reading
    columns: Columns
    header: tuple[str, ...]
    delimiter: str
    kind: ExportKind
    sheet: WorkbookSheet | None = None

    @property
    def where(self) -> str:
        """Its name in messages."""
        return _named(self.path)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows of the columns that are used, in order.

        Raises
        ------
        DataError
            When the file cannot be read to its end.
        """
        theirs, has_header = self.columns.theirs, self.reading.header is None
        if self.kind is ExportKind.PARQUET:
            return _parquet_blocks(self.path, self.where, list(theirs.values()))
        if self.sheet is not None:
            return sheet_blocks(self.path, self.where, self.sheet.name, self.header, theirs, has_header=has_header)
        file = CsvFile(self.path, self.where, self.reading.encoding, self.delimiter, self.header, has_header)
        return file.blocks(list(theirs.values()))


def open_export(path: Path, reading: Reading) -> Export:
    """Read the head of a file and find out what its columns mean.

    Raises
    ------
    DataError
        When the file is empty or of a kind that is not read, or its columns are ambiguous.
    """
    where = _named(path)
    _refuse_no_file(path, where)
    try:
        kind = kind_of(path, where)
        _refuse_options(kind, reading, where)
        if kind is ExportKind.PARQUET:
            with _parquet(path, where) as file:
                names = tuple(file.schema_arrow.names)
                columns = columns_of(reading, names, where)
                _refuse_types(file.schema_arrow, where, columns.theirs)
            return Export(path, reading, columns, names, "", kind)
        if kind is ExportKind.WORKBOOK:
            sheet = sheet_of(path, where, reading.sheet)
            line = f"{where} sheet {sheet.name[:40]!r} row {sheet.first_row}"
            names = header_of(sheet.first, reading, line)
            return Export(path, reading, columns_of(reading, names, line), names, "", kind, sheet)
        delimiter, first = first_record(path, where, reading.encoding, reading.delimiter)
    except OSError as error:
        raise DataError(
            f"{where}: cannot be read ({error.strerror or error}); nothing was read: see that you may read the file"
        ) from error
    names = header_of(first, reading, f"{where} line 1")
    return Export(path, reading, columns_of(reading, names, f"{where} line 1"), names, delimiter, kind)


@contextmanager
def spooled(stream: IO[bytes], folder: Path, locks: LockPlace) -> Iterator[Path]:
    """Write a stream to a file in a folder of its own, for its head is read before its rows; remove it at the end.

    What a killed run left there is removed first. One such run at a time: the folder belongs to it.

    Raises
    ------
    DataError
        When the disk would be full.
    Declined
        When another process reads its standard input.
    """
    with held(locks, "standard-input"):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
            file = folder / STANDARD_INPUT
            with file.open("wb") as out:
                while chunk := stream.read(_CHUNK):
                    if shutil.disk_usage(folder).free - len(chunk) < _KEPT_FREE:
                        raise DataError(
                            f"{STANDARD_INPUT}: more than the free space of {folder} allows came in, with "
                            f"{_KEPT_FREE >> 30} GB kept free; nothing was published: free space, or ingest a file"
                        )
                    out.write(chunk)
            yield file
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _named(path: Path) -> str:
    return STANDARD_INPUT if path.name == STANDARD_INPUT else str(path)


def _refuse_no_file(path: Path, where: str) -> None:
    address = _ADDRESS.match(str(path))
    if address and not path.exists():
        raise DataError(
            f"expected a file, found the address {address[1]}://{address[3]}; nothing was read: download it first"
        )
    if path.is_dir():
        raise DataError(f"{where}: expected a file, found a folder; nothing was read: name one file in it")
    if path.exists() and not path.is_file():
        raise DataError(
            f"{where}: expected a file, found a pipe or a device; nothing was read: pass it to standard input, "
            "and - as the file's name"
        )
    if not path.is_file():
        raise DataError(
            f"{where}: expected a file of type CSV, CSV.gz, Parquet or .xlsx, found none; nothing was read: see that "
            "the name is right"
        )
    if not path.stat().st_size:
        raise DataError(f"{where}: the file is empty; nothing was read: export it again")


def _refuse_options(kind: ExportKind, reading: Reading, where: str) -> None:
    """Refuse options that say nothing about such a file, so that nobody believes they were followed."""
    said = [name for name in _OF_TEXT if name in reading.model_fields_set and getattr(reading, name) is not None]
    if kind is not ExportKind.TEXT and said:
        raise DataError(
            f"{where}: --{said[0]} is for CSV, and the file is {kind.value}, which says this itself; nothing was read: "
            f"leave --{said[0]} away"
        )
    if kind is ExportKind.PARQUET and reading.header is not None:
        raise DataError(
            f"{where}: --header is for a file without names, and Parquet names its columns; nothing was read: say what "
            "they mean with --column"
        )
    if kind is not ExportKind.WORKBOOK and reading.sheet is not None:
        raise DataError(
            f"{where}: --sheet is for workbooks, and the file is {kind.value}; nothing was read: leave --sheet away"
        )


def _refuse_types(schema: pa.Schema, where: str, theirs: Mapping[str, str]) -> None:
    """Refuse a file in which a column that is used has a type that cannot be read as what it was taken for."""
    for ours, name in theirs.items():
        kind = schema.field(name).type
        if not _fits(ours, kind.value_type if pa.types.is_dictionary(kind) else kind):
            expected = "times or text" if ours == "seen_at" else "numbers or text"
            otherwise = "write timestamps" if ours == "seen_at" else "write it as text or numbers"
            todo = next((todo for is_kind, todo in _REMEDIES if is_kind(kind)), otherwise)
            raise DataError(
                f"{where}: expected {expected} in the column {name!r}, taken for {ours}, found the type {kind}; "
                f"nothing was read: {todo}, or say which column it is with --column {ours}=NAME"
            )


def _fits(ours: str, kind: pa.DataType) -> bool:
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if is_text or pa.types.is_null(kind):
        return True
    if ours == "seen_at":
        return pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    if ours == "time_of_day" and pa.types.is_time(kind):
        return True
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return is_number or (ours in _YES_OR_NO and pa.types.is_boolean(kind))


def _parquet_blocks(path: Path, where: str, names: list[str]) -> Iterator[Block]:
    with _parquet(path, where) as file:
        total, done = max(1, file.metadata.num_rows), 0
        for rows in bounded_batches(file, where, names):
            lines = np.arange(done + 1, done + 1 + rows.num_rows)
            done += rows.num_rows
            yield without_blank_rows(Block(rows.select(names), lines, (), done / total))


@contextmanager
def _parquet(path: Path, where: str) -> Iterator[pq.ParquetFile]:
    try:
        with opened(path) as file:
            refuse_large_parquet(file, path.stat().st_size, where)
            yield file
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{where}: cannot be read as Parquet ({reason}); nothing was published: write or download it again"
        ) from error
