"""Files of what a store sold: text, JSON lines or Parquet, as the fields that the quote API takes, in batches.

The bytes say what a file is, whatever its name is, as `shelfprice ingest` reads it: CSV or JSON lines in any usual
encoding, also compressed with gzip, or Parquet. The columns say what it holds: `rival` is prices of rivals, `date` with
`event` or `temperature` is what is announced, `visitors` and `visits` are traffic, `kind` is stock, all else is sales.
In CSV and Parquet a reference to another line is one column, `voids` or `corrects`, or two: `voids_receipt` and
`voids_line`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import DataError
from plugins.connect.intake.sale_lines import Contents
from plugins.own_store.files.block import Block
from plugins.own_store.files.bounds import bounded_batches, opened, refuse_columns, refuse_large_parquet
from plugins.own_store.files.csv_file import CsvFile, bytes_of, count_of, decoded_chunks, encoding_of, first_record
from plugins.own_store.files.decimals import sign_shown_in, with_point
from plugins.own_store.files.kinds import ExportKind, kind_of
from warehouse.parquet import as_python
from warehouse.query.questions import as_it_was

_ENDINGS = (".csv", ".txt", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq")
_JSON_LINES = (".jsonl", ".ndjson")
_LONGEST = 1_000_000  # characters of a line
_BATCH = 50_000  # JSON lines
_REFERENCES = ("voids", "corrects")
_NUMBERS = ("units", "price", "visitors", "visits")

Line = tuple[int, Any]
"""The number of a line in its file, from 1 without the header, and what it says."""


@dataclass(frozen=True)
class FileLines:
    """Some lines of a file: as columns where they have some, else as objects; what is no line is its text.

    Attributes
    ----------
    numbers
        The number of each line in its file, from 1 without the header.
    fields
        A table, or a sequence of objects.
    """

    numbers: Sequence[int]
    fields: pa.Table | Sequence[Any]


def is_taken(name: str) -> bool:
    """Return whether the name of a file is that of one that is taken in."""
    return name.lower().removesuffix(".gz").endswith(_ENDINGS)


def batches_in(file: Path, most_lines: int) -> Iterator[FileLines]:
    """Yield the lines of a file, some at a time; what cannot be read as a line is its text.

    Raises
    ------
    DataError
        When the file as a whole cannot be read, or holds more than it may.
    """
    taken = 0
    try:
        _refuse_many_lines(file, most_lines)
        for lines in _batches_in(file, most_lines):
            taken += len(lines.numbers)
            if taken > most_lines:
                raise _too_many(file, most_lines)
            yield lines
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk is at fault; what is no Parquet has no number
        why = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise DataError(
            f"{file.name}: expected CSV, JSON lines or Parquet, found a file that cannot be read ({why}); its lines "
            "from there on were not taken in: write it again"
        ) from error


def contents_of(lines: FileLines) -> Contents:
    """Return what a file holds, by its columns, or by its first object."""
    if isinstance(lines.fields, pa.Table):
        first: Iterable[str] = lines.fields.column_names
    else:
        first = next((line for line in lines.fields if isinstance(line, Mapping)), {})
    if "rival" in first:
        return "rivals"
    if "date" in first and ("event" in first or "temperature" in first):
        return "announced"
    if "visitors" in first or "visits" in first:
        return "traffic"
    return "stock" if "kind" in first else "sales"


def may_be_half_written(file: Path) -> bool:
    """Return whether a file ends in the middle, as during its writing: of a line, of Parquet, or of gzip."""
    with file.open("rb") as handle:
        begin = handle.read(2)
        handle.seek(max(0, handle.seek(0, 2) - len(b"PAR1")))
        end = handle.read()
    if begin == b"\x1f\x8b":
        return _is_cut_short(file)
    if file.suffix.lower() in {".parquet", ".pq"}:
        return end != b"PAR1"
    return not end.rstrip(b"\0").endswith((b"\n", b"\r"))  # a line feed of UTF-16 has a zero byte


def objects_of(fields: pa.Table | Sequence[Any]) -> Sequence[Any]:
    """Return lines as objects, without empty fields, and with references as the quote API takes them."""
    return [_placed(row) for row in as_python(fields)] if isinstance(fields, pa.Table) else fields


def _is_cut_short(file: Path) -> bool:
    try:
        with bytes_of(file, file.name) as stream:
            while stream.read(1 << 20):
                pass
    except DataError as error:
        return isinstance(error.__cause__, EOFError)
    return False


def _refuse_many_lines(file: Path, most_lines: int) -> None:
    """Refuse text with more line feeds than lines are allowed, before any of it is taken in."""
    if kind_of(file, file.name, _JSON_LINES) in {ExportKind.TEXT, ExportKind.JSON_LINES}:
        with bytes_of(file, file.name) as stream:
            if sum(count_of(b"\n", chunk) for chunk in iter(lambda: stream.read(1 << 20), b"")) > most_lines + 1:
                raise _too_many(file, most_lines)


def _too_many(file: Path, most_lines: int) -> DataError:
    return DataError(
        f"{file.name}: expected at most {most_lines:,} lines, found more; its other lines were not taken in: split the "
        "file, or set SHELFPRICE_INBOX_LINES"
    )


def _batches_in(file: Path, most_lines: int) -> Iterator[FileLines]:
    kind = kind_of(file, file.name, _JSON_LINES)
    if kind is ExportKind.PARQUET:
        yield from _parquet_lines(file, most_lines)
    elif kind is ExportKind.WORKBOOK:
        raise ValueError("a workbook; save it as CSV")
    elif kind is ExportKind.JSON_LINES:
        numbers, lines = count(1), _json_lines(file)
        while batch := list(islice(lines, _BATCH)):
            yield FileLines(list(islice(numbers, len(batch))), batch)
    else:
        yield from _csv_lines(file)


def _parquet_lines(file: Path, most_lines: int) -> Iterator[FileLines]:
    with opened(file) as parquet:
        refuse_large_parquet(parquet, file.stat().st_size, file.name)
        if parquet.metadata.num_rows > most_lines:
            raise _too_many(file, most_lines)
        done = 0
        for rows in bounded_batches(parquet, file.name):
            yield FileLines(range(done + 1, done + rows.num_rows + 1), rows)
            done += rows.num_rows


def _csv_lines(file: Path) -> Iterator[FileLines]:
    encoding = _encoding_of(file)
    delimiter, header = first_record(file, file.name, encoding)
    names = tuple(name.strip() for name in header)
    if len(set(names)) < len(names) or not any(names):
        raise ValueError("its header is empty, or has a column twice")
    refuse_columns(len(names), file.name)
    done, decimal = 0, None
    for block in CsvFile(file, file.name, encoding, delimiter, names, has_header=True, empty=("",)).blocks(names):
        all_lines = np.sort(np.r_[block.lines, [row.line for row in block.ragged]])
        rows = _cleaned(block)
        decimal = decimal or sign_shown_in([rows[name] for name in names if name in _NUMBERS])
        if decimal == ",":
            for name in set(names).intersection(_NUMBERS):
                rows = rows.set_column(names.index(name), name, with_point(rows[name], ","))
        if rows.num_rows:
            yield FileLines((np.searchsorted(all_lines, block.lines) + done + 1).tolist(), rows)
        if block.ragged:
            places = np.searchsorted(all_lines, [row.line for row in block.ragged]) + done + 1
            yield FileLines(places.tolist(), [row.text.rstrip("\r\n") for row in block.ragged])
        done += len(all_lines)


def _encoding_of(file: Path) -> str:
    with bytes_of(file, file.name) as stream:
        return encoding_of(iter(lambda: stream.read(1 << 20), b""))


def _cleaned(block: Block) -> pa.Table:
    """Return the cells without spaces around them, and as they were before `warehouse.query.questions.write_csv`."""
    columns = []
    for column in block.rows.columns:
        text = pc.utf8_trim_whitespace(column)
        if pc.any(pc.starts_with(text, "'")).as_py():
            text = pa.chunked_array([[cell and as_it_was(cell) for cell in text.to_pylist()]], pa.string())
        columns.append(pc.if_else(pc.equal(text, ""), None, text))
    return pa.table(columns, names=block.rows.column_names)


def _json_lines(file: Path) -> Iterator[Any]:
    """Yield the object of each line; what is none is its text, which is refused as such."""
    kept = b""
    with bytes_of(file, file.name) as stream:
        for chunk in decoded_chunks(stream, _encoding_of(file), file.name):
            *lines, kept = (kept + chunk).split(b"\n")
            if max(map(len, (*lines, kept))) > _LONGEST:
                raise ValueError(f"a line has more than {_LONGEST:,} characters")
            yield from (_object_in(line.decode()) for line in lines if line.strip())
    if kept.strip():
        yield _object_in(kept.decode())


def _object_in(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text.strip()


def _placed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what is empty, and with its references as the quote API takes them."""
    fields = {name: value for name, value in row.items() if value is not None and value != ""}
    for what in _REFERENCES:
        other = {name: fields.pop(f"{what}_{name}", None) for name in ("receipt", "line")}
        if what not in fields and any(value is not None for value in other.values()):
            fields[what] = {name: value for name, value in other.items() if value is not None}
    return fields
