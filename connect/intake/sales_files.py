"""Files of what a store sold: CSV, JSON lines or Parquet, as the objects that the quote API takes.

The columns say what a file holds: `rival` is prices of rivals, `visitors` and `visits` are traffic, `kind` is stock,
anything else is sales. In CSV and Parquet a reference to another line is one column, `voids` or `corrects`, or two:
`voids_receipt` and `voids_line`.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from catalog.errors import DataError
from catalog.json_text import without_duplicates
from connect.intake.sale_lines import MOST_LINES, Kind
from warehouse.parquet import as_python
from warehouse.questions import as_it_was

ENDINGS = (".csv", ".jsonl", ".ndjson", ".parquet")
"""Of files that are taken in."""

Line = tuple[int, Any]
"""The number of a line in its file, from 1 without the header, and what it says."""

_LONGEST = 1_000_000  # characters of a line
_PARQUET_ENDS = b"PAR1"
_REFERENCES = ("voids", "corrects")


def batches_in(file: Path) -> Iterator[list[Line]]:
    """Yield the lines of a file, as many at once as a request has; what cannot be read as a line is its text.

    Raises
    ------
    DataError
        When the file as a whole cannot be read.
    """
    try:
        lines = enumerate(_lines_in(file), start=1)
        while batch := list(islice(lines, MOST_LINES)):
            yield batch
    except (OSError, ValueError, csv.Error, RecursionError) as error:
        if isinstance(error, OSError) and (error.errno is not None or file.suffix.lower() != ".parquet"):
            raise  # the disk is at fault; what is no Parquet has no number
        why = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise DataError(
            f"{file.name}: expected CSV or JSON lines in UTF-8, or Parquet, found a file that cannot be read ({why})"
        ) from error


def kind_of(lines: Iterable[Line]) -> Kind:
    """Return what a file holds, by its first line."""
    first = next((line for _, line in lines if isinstance(line, Mapping)), {})
    if "rival" in first:
        return "rivals"
    if "visitors" in first or "visits" in first:
        return "traffic"
    return "stock" if "kind" in first else "sales"


def may_be_half_written(file: Path) -> bool:
    """Tell whether a file ends in the middle, as one that is still being written does: of a line, or of Parquet."""
    with file.open("rb") as handle:
        handle.seek(max(0, handle.seek(0, 2) - len(_PARQUET_ENDS)))
        end = handle.read()
    return end != _PARQUET_ENDS if file.suffix.lower() == ".parquet" else not end.endswith((b"\n", b"\r"))


def _lines_in(file: Path) -> Iterator[Any]:
    ending = file.suffix.lower()
    if ending == ".parquet":
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(MOST_LINES):
                yield from (_placed(row) for row in as_python(batch))
        return
    with file.open(encoding="utf-8-sig", newline="") as handle:
        if ending != ".csv":
            yield from (_object_in(text) for text in _short(handle) if text.strip())
            return
        header = next(handle, "")
        apart = ";" if ";" in header and "," not in header else ","
        names = [name.strip() for name in next(csv.reader([header], delimiter=apart), [])]
        if len(set(names)) < len(names) or not names:
            raise ValueError("its header is empty, or has a column twice")
        for cells in csv.reader(_short(handle), delimiter=apart, strict=True):
            if cells:
                yield _row_of(names, cells, apart)


def _short(handle: Iterable[str]) -> Iterator[str]:
    for text in handle:
        if len(text) > _LONGEST:
            raise ValueError(f"a line has more than {_LONGEST:,} characters")
        yield text


def _object_in(text: str) -> Any:
    """Return the object of a line; what is none is a text, which is refused as such."""
    try:
        return json.loads(text, object_pairs_hook=without_duplicates)
    except ValueError:
        return text.strip()


def _row_of(names: list[str], cells: list[str], apart: str) -> Any:
    """Return a line of CSV by its columns; an empty cell is no field, and a line of another length is its text."""
    if len(cells) != len(names):
        return apart.join(cells)
    return _placed({name: as_it_was(cell.strip()) for name, cell in zip(names, cells, strict=True)})


def _placed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what is empty, and with its references as the quote API takes them."""
    fields = {name: value for name, value in row.items() if value is not None and value != ""}
    for what in _REFERENCES:
        other = {name: fields.pop(f"{what}_{name}", None) for name in ("receipt", "line")}
        if what not in fields and any(value is not None for value in other.values()):
            fields[what] = {name: value for name, value in other.items() if value is not None}
    return fields
