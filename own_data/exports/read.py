"""Open a retailer's export, whatever it is: CSV, CSV.gz, Parquet or a workbook.

The file is read block by block, in bounded memory, and each row keeps its line. What cannot be read is refused with
what it is and what to do about it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import DataError
from etl.files.block import Block
from etl.files.csv_file import CsvFile, first_record
from etl.files.kinds import ExportKind, kind_of
from own_data.exports.columns import Columns, Reading, columns_of
from own_data.exports.header import header_of
from own_data.exports.parquet_file import names_of, parquet_blocks, refuse_types
from own_data.exports.standard_input import STANDARD_INPUT
from own_data.exports.times import with_times
from own_data.exports.workbook_file import WorkbookSheet, sheet_blocks, sheet_of

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+([^/@]*@)?([^/?#]*)", re.IGNORECASE)
_OF_TEXT = ("encoding", "delimiter")


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
        """Yield the file's rows in order.

        Raises
        ------
        DataError
            When the file cannot be read to its end.
        """
        return (with_times(block, self.columns.theirs) for block in self._blocks())

    def _blocks(self) -> Iterator[Block]:
        theirs, has_header = self.columns.theirs, self.reading.header is None
        if self.kind is ExportKind.PARQUET:
            return parquet_blocks(self.path, self.where, theirs)
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
            names = names_of(path, where)
            columns = columns_of(reading, names, where)
            refuse_types(path, where, columns.theirs)
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
