"""A process that reads one sheet of a workbook and writes its rows to stdout as an Arrow stream.

A workbook of a few kilobytes can ask for any amount of memory. So it is read in a process of its own, whose memory is
limited: if it asks for more, this process ends and nothing else does.

The stream has the row of each record in the sheet, and three columns for each column of the sheet: text, numbers and
moments, of which at most one has a value. What the sheet is called, how long it is, and where its formulas carry no
value stands in the metadata.
"""

import datetime as dt
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from etl.files.bounds import one_at_a_time
from own_data.exports.formulas import formulas_without_values, without_values

MEMORY = 2 << 30
"""Bytes of address space that the process may ask for."""
REFUSED = 3
"""Exit code after a sentence on stderr that says why the workbook cannot be read."""
_CELLS = 1 << 18  # in a batch
_MOST_COLUMNS = 256
_KINDS = (("text", pa.string()), ("number", pa.float64()), ("moment", pa.timestamp("us")))


def main() -> int:
    """Read the workbook that the arguments name, and its sheet where there is a second argument."""
    try:
        one_at_a_time(__file__, MEMORY)
    except TimeoutError as error:
        return _refuse(f"{error}; nothing was read: run again when that is done")
    path, *named = sys.argv[1:]
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            sheet, others = _sheet_of(workbook, named[0] if named else None)
            _write(sheet, others, formulas_without_values(Path(path), sheet.name))
    except _Refusal as refusal:
        return _refuse(str(refusal))
    except PasswordError:
        return _refuse("is protected by a password; nothing was read: save it without one")
    except CalamineError as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        return _refuse(
            f"looks like a workbook and cannot be read as one ({what}); nothing was read: save it as .xlsx or CSV"
        )
    return 0


class _Refusal(Exception):  # noqa: N818 - the file is refused, nothing is broken here
    """A workbook that is sound and not what was asked for."""


def _refuse(sentence: str) -> int:
    sys.stderr.write(sentence)
    return REFUSED


def _sheet_of(workbook: CalamineWorkbook, named: str | None) -> tuple[CalamineSheet, int]:
    """Return the sheet that was named, or the first one that is shown, and how many others are shown."""
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    shown = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    listed = ", ".join(repr(sheet.name[:40]) for sheet in sheets[:20]) or "none"
    if named is None and not shown:
        raise _Refusal(
            f"has no visible sheet with cells, its sheets are {listed}; nothing was read: name one with --sheet"
        )
    if named is not None and named not in [sheet.name for sheet in sheets]:
        raise _Refusal(f"expected the sheet {named[:40]!r}, found {listed}; nothing was read: name one with --sheet")
    name = named if named is not None else shown[0]
    return workbook.get_sheet_by_name(name), len([other for other in shown if other != name])


def _write(sheet: CalamineSheet, others: int, formulas: Mapping[int, tuple[str, int]]) -> None:
    if formulas and (sheet.end is None or sheet.start is None):
        raise _Refusal(without_values(*next(iter(formulas.values()))))
    if sheet.end is None or sheet.start is None:
        raise _Refusal(f"has no cells in its sheet {sheet.name[:40]!r}; nothing was read: name another with --sheet")
    width = sheet.end[1] - sheet.start[1] + 1
    if width > _MOST_COLUMNS:
        raise _Refusal(f"expected at most {_MOST_COLUMNS} columns, found {width:,}; nothing was read: keep fewer")
    empty = {column - sheet.start[1]: found for column, found in formulas.items()}
    size = {"width": width, "rows": sheet.end[0] + 1}
    facts = json.dumps({"sheet": sheet.name, "others": others, "formulas": empty, **size})
    fields = [pa.field(f"{kind}{at}", of) for at in range(width) for kind, of in _KINDS]
    schema = pa.schema([pa.field("row", pa.int64()), *fields], metadata={"sheet": facts})
    with pa.ipc.new_stream(sys.stdout.buffer, schema) as out:
        for rows in _batches(sheet, max(1, _CELLS // width)):
            columns: list[pa.Array] = [pa.array([number for number, _ in rows], pa.int64())]
            for at in range(width):
                columns += _typed([cells[at] for _, cells in rows])
            out.write_batch(pa.record_batch(columns, schema=schema))


def _batches(sheet: CalamineSheet, size: int) -> Iterator[Sequence[tuple[int, Sequence[object]]]]:
    """Yield rows that hold a cell, with their number in the sheet, from 1: the first alone, because it may be names."""
    filled = ((number, row) for number, row in enumerate(sheet.iter_rows(), start=1) if any(cell != "" for cell in row))
    first = list(itertools.islice(filled, 1))
    if first:
        yield first
    while batch := list(itertools.islice(filled, size)):
        yield batch


def _typed(cells: Sequence[object]) -> list[pa.Array]:
    texts: list[str | None] = []
    numbers: list[float | None] = []
    moments: list[dt.datetime | None] = []
    for cell in cells:
        is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
        is_date = isinstance(cell, dt.date)  # a moment is one too
        numbers.append(float(cell) if is_number else None)  # type: ignore[arg-type]
        moments.append(_moment(cell) if isinstance(cell, dt.date) else None)
        texts.append(None if is_number or is_date or cell == "" else str(cell))
    return [pa.array(values, of) for values, (_, of) in zip((texts, numbers, moments), _KINDS, strict=True)]


def _moment(day: dt.date) -> dt.datetime:
    return day if isinstance(day, dt.datetime) else dt.datetime(day.year, day.month, day.day)  # noqa: DTZ001 - as written
