"""Turns the bytes of a CSV into whole records in UTF-8, block by block, each with the number of its first line.

Lines may end in any of the three usual ways; a carriage return alone, as old Macs write it, becomes a line feed.
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from catalog.arrays import Ints
from catalog.errors import DataError
from etl.transform import ahead
from plugins.own_store.files.block import EMPTY, Block, Ragged, shown, without_blank_rows
from plugins.own_store.files.bounds import MOST_RATIO, MOST_UNPACKED, most_unpacked, refuse_columns

_CHUNK = 1 << 23
_LONGEST_RECORD = 1 << 23
_LONGEST_HEADER = 1 << 16
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # it begins with the mark of UTF-16, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS = {"utf-32-le": {1, 2, 3}, "utf-32-be": {0, 1, 2}, "utf-16-le": {1, 3}, "utf-16-be": {0, 2}}
"""Which of four bytes are mostly zero in an encoding."""
_UTF8 = {"utf-8", "utf-8-sig", "ascii"}
_LOOKED_AT = 4000  # bytes, whole characters in each encoding
_MOSTLY = 0.8


def decoded_chunks(stream: IO[bytes], encoding: str, where: str) -> Iterator[bytes]:
    """Yield a stream's text as UTF-8, without a byte order mark, with a line feed at the end of each line.

    Raises
    ------
    DataError
        When a byte does not belong to the encoding, or the text holds a NUL, with its line.
    """
    name = codecs.lookup(encoding).name
    decoder = codecs.getincrementaldecoder("utf-8-sig" if name in _UTF8 else encoding)("strict")
    line, first, held = 1, True, b""
    while True:
        raw = stream.read(_CHUNK)
        is_last = len(raw) < _CHUNK
        if first:
            _refuse_another_encoding(raw, name, where)
        is_plain = not first and name in _UTF8 and raw.isascii() and not decoder.getstate()[0]  # nothing to decode
        first = False
        try:
            text = raw if is_plain else decoder.decode(raw, final=is_last).encode("utf-8")
        except UnicodeError as error:
            raise DataError(_not_decoded(error, encoding, line, held, where)) from error
        chunk, held = _with_line_feeds(held + text, is_last=is_last)
        if b"\0" in chunk:
            at = line + chunk.count(b"\n", 0, chunk.find(b"\0"))
            raise DataError(
                f"{where} line {at}: expected text, found a NUL byte; nothing was published: the file is damaged or "
                "no CSV: export it again, or remove its NUL bytes"
            )
        line += count_of(b"\n", chunk)
        if is_last and chunk and not chunk.endswith(b"\n"):
            chunk += b"\n"  # so that the last record is in a block with those before it
        if chunk:
            yield chunk
        if is_last:
            return


def encoding_of(chunks: Iterable[bytes]) -> str:
    """Return the encoding of text, given in pieces: that of its mark or zero bytes, UTF-8, or else that of Windows."""
    decoder, likely, is_first = codecs.getincrementaldecoder("utf-8")(), None, True
    try:
        for chunk in chunks:
            likely, is_first = (_likely_encoding(chunk), False) if is_first else (likely, False)
            if likely not in {None, "utf-8"}:
                return str(likely)
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return "cp1252"
    return "utf-8"


def count_of(byte: bytes, text: bytes | memoryview) -> int:
    """Return how often a byte stands in a text, several times sooner than `bytes.count` does."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == byte[0]))


def _refuse_another_encoding(head: bytes, name: str, where: str) -> None:
    """Refuse a file that begins like text in another encoding than the one that was said."""
    likely = _likely_encoding(head)
    if likely is None or name in (_UTF8 if likely == "utf-8" else {likely}):
        return
    todo = "leave --encoding away" if likely == "utf-8" else f"add --encoding {likely}"
    raise DataError(
        f"{where} line 1: expected {name.upper()}, the text looks like {likely.upper()}; {todo}, nothing was read"
    )


def _likely_encoding(head: bytes) -> str | None:
    """Tell an encoding by the mark that text begins with, or by where its zero bytes are."""
    marked = next((name for mark, name in _BOMS if head.startswith(mark)), None)
    if marked:
        return marked
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8"
    head = head[: min(_LOOKED_AT, len(head) // 4 * 4)]
    if not head:
        return None
    zeros = [head[place::4].count(0) / (len(head) / 4) for place in range(4)]
    mostly = {place for place in range(4) if zeros[place] >= _MOSTLY}
    return next((name for name, places in _ZEROS.items() if places == mostly), None)


def _not_decoded(error: UnicodeError, encoding: str, line: int, held: bytes, where: str) -> str:
    """Say which byte in which line does not belong to the encoding."""
    if not isinstance(error, UnicodeDecodeError):
        return f"{where}: cannot be read as {encoding} ({error}); say which encoding it is, nothing was published"
    try:
        before = held.decode() + error.object[: error.start].decode(encoding, "replace")
    except UnicodeError:  # not every encoding replaces what it cannot read
        before = held.decode() + error.object[: error.start].decode("latin-1")
    at = line + before.count("\n") + before.count("\r") - before.count("\r\n")
    if "unexpected end" in error.reason or "truncated" in error.reason:
        return (
            f"{where} line {at}: the text ends within a character of {encoding}; nothing was published: the file is "
            "cut short: export it again, or say which encoding it is with --encoding"
        )
    bad = error.object[error.start : error.start + 1].hex()
    other = "utf-8" if codecs.lookup(encoding).name != "utf-8" else "cp1252"
    return (
        f"{where} line {at}: byte 0x{bad} is not {encoding}; "
        f"say which encoding it is, such as --encoding {other}; nothing was published"
    )


def _with_line_feeds(text: bytes, *, is_last: bool) -> tuple[bytes, bytes]:
    """Return text with lone carriage returns as line feeds, and one at its end that may belong to a line feed."""
    if text.endswith(b"\r") and not is_last:
        text, held = text[:-1], b"\r"
    else:
        held = b""
    if b"\r" in text and count_of(b"\r", text) != text.count(b"\r\n"):
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text, held


def records(chunks: Iterator[bytes], where: str) -> Iterator[tuple[int, bytes]]:
    """Cut text where records end: first the header alone, then blocks of whole records, each with its first line.

    Raises
    ------
    DataError
        When a record is longer than 8 MB: a line break is missing, or a quote never closes.
    """
    line, kept, is_header = 1, b"", True
    for chunk in chunks:
        kept += chunk
        while cut := _first_end(kept) if is_header else _last_end(kept):
            block, kept, is_header = kept[:cut], kept[cut:], False
            yield line, block
            line += count_of(b"\n", block)
        if len(kept) > _LONGEST_RECORD:
            raise DataError(
                f"{where} line {line}: expected a record of at most {_LONGEST_RECORD >> 20} MB, found a longer one: "
                "a line break is missing, or a quote opens and never closes; nothing was published"
            )
    if kept.strip():
        yield line, kept
    elif is_header:
        raise DataError(f"{where} line 1: expected a header, found nothing; nothing was read")


def _first_end(text: bytes) -> int:
    """Return where the first record ends: a name may hold line breaks between quotes, as Excel's wrapped cells do."""
    first = cut = text.find(b"\n") + 1
    quotes = text.count(b'"', 0, cut)
    while cut and quotes % 2 and cut < _LONGEST_HEADER:
        after = text.find(b"\n", cut) + 1
        quotes += text.count(b'"', cut, after)
        cut = after
    return first if quotes % 2 else cut


def _last_end(text: bytes) -> int:
    """Return where the last whole record ends; a line break between quotes does not end a record."""
    cut = text.rfind(b"\n") + 1
    quotes = count_of(b'"', memoryview(text)[:cut])
    while cut and quotes % 2:
        before = text.rfind(b"\n", 0, cut - 1) + 1
        quotes -= text.count(b'"', before, cut)
        cut = before
    return cut


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
