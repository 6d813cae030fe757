"""Read a retailer's export block by block, in bounded memory, and keep the line that each row came from.

A CSV is cut into blocks where a record ends, so that a block can be parsed on its own and its first line is known. A
fault that puts the whole file in doubt is an error with its line: another encoding, a quote that never closes, a line
without end. A record with too few or too many fields is only one bad row.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from catalog.arrays import Ints
from catalog.errors import DataError
from etl.exports.columns import Columns, Reading, columns_of
from etl.exports.decode import decoded_chunks, records

_DELIMITERS = (",", ";", "\t", "|")
_EMPTY = ["", "NA", "N/A", "NULL", "null", "None"]
_QUOTED = re.compile(r'"[^"]*"')
_ROWS = 131_072


@dataclass(frozen=True)
class Ragged:
    """A record that does not have the header's number of fields."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Block:
    """Some rows of an export.

    Attributes
    ----------
    rows
        The columns that are used, under their names in the file: text from a CSV, typed from Parquet.
    lines
        The line of each row in its file (for Parquet, the number of the row), from 1, shape (n_rows,).
    ragged
        Records without the header's number of fields.
    read
        Share of the file that has been read, in [0, 1].
    """

    rows: pa.Table
    lines: Ints
    ragged: tuple[Ragged, ...]
    read: float


@dataclass(frozen=True)
class Export:
    """A file, how it is to be read, and what its columns mean."""

    path: Path
    reading: Reading
    columns: Columns
    header: tuple[str, ...]
    delimiter: str

    def blocks(self) -> Iterator[Block]:
        """Yield the file's rows in order.

        Raises
        ------
        DataError
            When the file cannot be read to its end.
        """
        return _parquet_blocks(self) if is_parquet(self.path) else _csv_blocks(self)


def open_export(path: Path, reading: Reading) -> Export:
    """Read the head of a file and find out what its columns mean.

    Raises
    ------
    DataError
        When the file is empty, is not CSV, CSV.gz or Parquet, or its columns are ambiguous.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a file of type CSV, CSV.gz or Parquet, found none; nothing was read")
    if not path.stat().st_size:
        raise DataError(f"{path}: the file is empty; nothing was read")
    if is_parquet(path):
        with _parquet_of(path) as file:
            header, delimiter = tuple(file.schema_arrow.names), ""
        return Export(path, reading, columns_of(reading, header, str(path)), header, delimiter)
    with _bytes_of(path) as stream:
        _, first = next(records(decoded_chunks(stream, reading.encoding, str(path)), str(path)))
    line = first.decode("utf-8").rstrip("\r\n")
    delimiter = reading.delimiter or max(_DELIMITERS, key=_QUOTED.sub("", line).count)
    header = tuple(next(csv.reader([line], delimiter=delimiter), []))
    where = f"{path} line 1"
    return Export(path, reading, columns_of(reading, header, where), header, delimiter)


def is_parquet(path: Path) -> bool:
    """Tell a Parquet file by its name or its first bytes."""
    with path.open("rb") as file:
        return path.suffix.lower() in {".parquet", ".pq"} or file.read(4) == b"PAR1"


def _csv_blocks(export: Export) -> Iterator[Block]:
    where, size = str(export.path), export.path.stat().st_size
    with export.path.open("rb") as raw, _bytes_of(export.path, raw) as stream:
        blocks = records(decoded_chunks(stream, export.reading.encoding, where), where)
        next(blocks)  # the header
        for line, text in blocks:
            yield _parsed(export, line, text, raw.tell() / size)


def _parsed(export: Export, first_line: int, text: bytes, read: float) -> Block:
    bad: list[pacsv.InvalidRow] = []

    def keep(row: pacsv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    wanted = list(export.columns.theirs.values())
    rows = pacsv.read_csv(
        pa.BufferReader(text),
        pacsv.ReadOptions(column_names=export.header, use_threads=False, block_size=len(text) + 1),
        pacsv.ParseOptions(
            delimiter=export.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=keep,
        ),
        pacsv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=wanted,
            strings_can_be_null=True,
            null_values=_EMPTY,
            check_utf8=False,  # the text was decoded, so it is valid
        ),
    )
    n_records = rows.num_rows + len(bad)
    lines = _lines_of(export, first_line, text, n_records)
    unclosed = next((row for row in bad if row.text.count('"') % 2), None)
    if unclosed is not None:
        line = lines[unclosed.number - 1]
        raise DataError(f"{export.path} line {line}: a quote opens and never closes; close it, nothing was published")
    ragged = tuple(
        Ragged(
            int(lines[row.number - 1]),
            f"it has {row.actual_columns} fields, the header {row.expected_columns}",
            row.text,
        )
        for row in bad
    )
    kept = np.delete(lines, [row.number - 1 for row in bad])
    return _without_blank_lines(Block(rows, kept, ragged, read))


def _lines_of(export: Export, first_line: int, text: bytes, n_records: int) -> Ints:
    """Return the line that each record begins in; where values hold line breaks, records are fewer than lines."""
    if text.count(b"\n") + (not text.endswith(b"\n")) == n_records:
        return np.arange(first_line, first_line + n_records)
    reader = csv.reader(io.StringIO(text.decode("utf-8"), newline=""), delimiter=export.delimiter)
    ends = [0, *(reader.line_num for _ in reader)]
    return first_line + np.array(ends[:n_records], dtype=np.int64)


def _without_blank_lines(block: Block) -> Block:
    """Leave out rows without any value: a blank line is not a row."""
    empty = np.logical_and.reduce([column.is_null().to_numpy() for column in block.rows.columns])
    if not empty.any():
        return block
    return Block(block.rows.filter(pa.array(~empty)), block.lines[~empty], block.ragged, block.read)


def _parquet_blocks(export: Export) -> Iterator[Block]:
    wanted = list(export.columns.theirs.values())
    with _parquet_of(export.path) as file:
        total, done = max(1, file.metadata.num_rows), 0
        for batch in file.iter_batches(_ROWS, columns=wanted):
            lines = np.arange(done + 1, done + 1 + batch.num_rows)
            done += batch.num_rows
            rows = pa.Table.from_batches([batch]).select(wanted)
            plain = [_plain(column) for column in rows.columns]
            yield _without_blank_lines(Block(pa.table(plain, names=wanted), lines, (), done / total))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return text instead of codes, one text type everywhere, and floats instead of decimals."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        kind = pa.string()
    if pa.types.is_decimal(kind):
        kind = pa.float64()
    return column.cast(kind)


@contextmanager
def _parquet_of(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read as Parquet ({reason}); nothing was published") from error


@contextmanager
def _bytes_of(path: Path, raw: IO[bytes] | None = None) -> Iterator[IO[bytes]]:
    """Open a file as bytes, decompressed if it is compressed."""
    with path.open("rb") as own:
        source = raw or own
        compressed = own.read(2) == b"\x1f\x8b"
        own.seek(0)
        try:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=source)) if compressed else source
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(
                f"{path}: is compressed, and damaged or cut short ({error}); nothing was published"
            ) from error
