"""Reads a CSV block by block, in bounded memory, and keeps the line that each row came from.

A CSV is cut into blocks where a record ends, so that a block can be parsed on its own and its first line is known. A
fault that puts the whole file in doubt is an error with its line: another encoding, a quote that never closes, a line
without end. A record with too few or too many fields is only one bad row.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from catalog.arrays import Ints
from catalog.errors import DataError
from etl.files.block import EMPTY, Block, Ragged, ahead, without_blank_rows
from etl.files.bounds import MOST_RATIO, MOST_UNPACKED, most_unpacked, refuse_columns
from etl.files.decode import count_of, decoded_chunks, records
from etl.files.shown import shown

_DELIMITERS = (",", ";", "\t", "|")
_QUOTED = re.compile(r'"[^"]*"')
_SEPARATOR_NOTE = re.compile(r"sep=(.)?", re.IGNORECASE)
_NOT_A_DELIMITER = ('"', "\r", "\n", "\0")


@dataclass(frozen=True)
class CsvFile:
    """A CSV and how it is read.

    Attributes
    ----------
    where
        Its name in messages.
    names
        The names of its columns.
    has_header
        Whether its first record holds the names.
    empty
        Texts that mean that there is no value.
    """

    path: Path
    where: str
    encoding: str
    delimiter: str
    names: tuple[str, ...]
    has_header: bool
    empty: tuple[str, ...] = EMPTY

    def blocks(self, wanted: Sequence[str]) -> Iterator[Block]:
        """Yield the rows of some columns in order.

        Raises
        ------
        DataError
            When the file cannot be read to its end.
        """
        size = self.path.stat().st_size
        with (
            self.path.open("rb") as raw,
            bytes_of(self.path, self.where, raw) as stream,
            closing(ahead(records(decoded_chunks(stream, self.encoding, self.where), self.where))) as blocks,
        ):
            first = next(blocks)
            if not self.has_header:
                yield self._parsed(wanted, *first, raw.tell() / size)
            for line, text in blocks:
                yield self._parsed(wanted, line, text, raw.tell() / size)

    def _parsed(self, wanted: Sequence[str], first_line: int, text: bytes, read: float) -> Block:
        bad: list[pacsv.InvalidRow] = []

        def keep(row: pacsv.InvalidRow) -> str:
            bad.append(row)
            return "skip"

        try:
            rows = self._columns(wanted, text, keep)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{self.where}: the lines from {first_line} on cannot be read as CSV ({str(error).splitlines()[0]}); "
                "nothing was published: see that quotes close, and say the separator with --delimiter"
            ) from error
        lines = self._lines_of(first_line, text, rows.num_rows + len(bad))
        unclosed = next((row for row in bad if row.text.count('"') % 2), None)
        if unclosed is not None:
            line = lines[unclosed.number - 1]
            raise DataError(
                f"{self.where} line {line}: a quote opens and never closes; close it, nothing was published"
            )
        ragged = tuple(
            Ragged(
                int(lines[row.number - 1]),
                f"it has {row.actual_columns} fields, the header {row.expected_columns}",
                row.text,
            )
            for row in bad
        )
        kept = np.delete(lines, [row.number - 1 for row in bad])
        return without_blank_rows(Block(rows, kept, ragged, read))

    def _columns(self, wanted: Sequence[str], text: bytes, keep: object) -> pa.Table:
        return pacsv.read_csv(
            pa.BufferReader(text),
            pacsv.ReadOptions(column_names=self.names, use_threads=False, block_size=len(text) + 1),
            pacsv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                include_columns=wanted,
                strings_can_be_null=True,
                null_values=self.empty,
                check_utf8=False,  # the text was decoded, so it is valid
            ),
        )

    def _lines_of(self, first_line: int, text: bytes, n_records: int) -> Ints:
        """Return the line that each record begins in; where values hold line breaks, records are fewer than lines."""
        if count_of(b"\n", text) + (not text.endswith(b"\n")) == n_records:
            return np.arange(first_line, first_line + n_records)
        reader = csv.reader(io.StringIO(text.decode("utf-8"), newline=""), delimiter=self.delimiter)
        try:
            ends = [0, *(reader.line_num for _ in reader)]
        except csv.Error as error:
            raise self._not_csv(first_line + reader.line_num, error) from error
        if len(ends) <= n_records:
            raise self._not_csv(first_line, "quotes do not close where fields end")
        return first_line + np.array(ends[:n_records], dtype=np.int64)

    def _not_csv(self, line: int, reason: object) -> DataError:
        return DataError(
            f"{self.where} line {line}: from here on the text cannot be read as CSV ({reason}); nothing was published: "
            "see that quotes close, and say the separator with --delimiter"
        )


def first_record(path: Path, where: str, encoding: str, delimiter: str | None = None) -> tuple[str, list[str]]:
    """Return the separator of a CSV, and the fields of its first record.

    Raises
    ------
    DataError
        When it cannot be read, or the separator cannot be one.
    """
    if delimiter and (delimiter in _NOT_A_DELIMITER or not delimiter.isascii()):
        raise DataError(
            f"{where}: --delimiter {delimiter!r} cannot separate fields; nothing was read: give one plain "
            r"character, such as ; or \t"
        )
    with bytes_of(path, where) as stream:
        _, first = next(records(decoded_chunks(stream, encoding, where), where))
    text = first.decode("utf-8").rstrip("\r\n")
    if _SEPARATOR_NOTE.fullmatch(text):
        raise DataError(
            f"{where} line 1: expected a header, found {shown(text)}, Excel's note of the separator; nothing was read: "
            "remove this line"
        )
    chosen = delimiter or max(_DELIMITERS, key=_QUOTED.sub("", text).count)
    try:
        fields = next(csv.reader(io.StringIO(text, newline=""), delimiter=chosen), [])
    except csv.Error as error:
        raise DataError(
            f"{where} line 1: expected a header, found {shown(text)}, which cannot be read ({error}); nothing was "
            "read: add a line with the names of the columns"
        ) from error
    refuse_columns(len(fields), where)
    return chosen, fields


class _Unpacked(gzip.GzipFile):
    """What a compressed file unpacks to, up to a bound: sales shrink to a tenth, and a hostile file to a thousandth."""

    def __init__(self, source: IO[bytes], size: int, where: str) -> None:
        super().__init__(fileobj=source)
        self._size, self._where = size, where

    def read(self, size: int | None = -1) -> bytes:
        """Read on.

        Raises
        ------
        DataError
            When more has come out than a file of this size may hold.
        """
        found = super().read(size)
        if self.tell() > most_unpacked(self._size):
            raise DataError(
                f"{self._where}: expected a compressed file of {self._size:,} bytes to unpack to at most "
                f"{MOST_RATIO} times its size, or {MOST_UNPACKED >> 20} MB, found more; nothing was published: see "
                "what is in it, decompress it with gunzip and name the result"
            )
        return found


@contextmanager
def bytes_of(path: Path, where: str, raw: IO[bytes] | None = None) -> Iterator[IO[bytes]]:
    """Open a file as bytes, decompressed if it is compressed."""
    with path.open("rb") as own:
        source = raw or own
        compressed = own.read(2) == b"\x1f\x8b"
        own.seek(0)
        try:
            yield cast("IO[bytes]", _Unpacked(source, path.stat().st_size, where)) if compressed else source
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(
                f"{where}: is compressed, and damaged or cut short ({error}); nothing was published: download it again"
            ) from error
