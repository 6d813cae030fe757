"""A process that reads one sheet of a workbook and writes its rows to stdout as an Arrow stream.

A workbook of a few kilobytes can ask for any amount of memory. So it is read in a process of its own, whose memory is
limited: if it asks for more, this process ends and nothing else does.

The stream has the row of each record in the sheet, and three columns for each column of the sheet: text, numbers and
moments, of which at most one has a value. What the sheet is called, how long it is, and where its formulas carry no
value stands in the metadata: a program that writes a workbook without computing it leaves them empty, and such a cell
would pass for one without a value. Only workbooks of XML are looked at for them (.xlsx, .xlsm); other kinds are written
by programs that compute.
"""

import datetime as dt
import itertools
import json
import posixpath
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import IO

import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from plugins.desk.price_sheets.large_workbooks import one_at_a_time

MEMORY = 2 << 30
"""Bytes of address space that the process may ask for."""
REFUSED = 3
"""Exit code after a sentence on stderr that says why the workbook cannot be read."""
_CELLS = 1 << 18  # in a batch
_MOST_COLUMNS = 256
_CHUNK = 1 << 22
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*[^>/])>(.*?)</(?:\w+:)?c>", re.DOTALL)
_END = re.compile(rb"</(?:\w+:)?c>")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>[^<]|<(?:\w+:)?is[\s>]")
_IS_TEXT = re.compile(rb"\bt\s*=\s*[\"']str[\"']")
_WRITTEN_EMPTY = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>\s*</")
_PLACE = re.compile(rb"\br\s*=\s*[\"']([A-Z]{1,3})(\d+)[\"']")
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
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


def formulas_without_values(path: Path, sheet: str) -> dict[int, tuple[str, int]]:
    """Return for each column of a sheet, from 0 for A, the place of its first formula without a value and their count.

    Nothing is returned for a file that is damaged or is no workbook of XML. Reading its rows tells that.
    """
    found: dict[int, tuple[str, int]] = {}
    try:
        with zipfile.ZipFile(path) as book:
            member = _member_of(book, sheet)
            if member is None:
                return {}
            with book.open(member) as xml:
                for column, place in _places(xml):
                    first, count = found.get(column, (place, 0))
                    found[column] = first, count + 1
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, NotImplementedError, EOFError):
        return {}
    return found


def without_values(place: str, count: int) -> str:
    """Say what is wrong, and what to do."""
    return (
        f"expected values, found formulas without values: {place}, and {count:,} such cells in its column; nothing was "
        "published: open the workbook in a spreadsheet program and save it there, which computes them, or export the "
        "sheet as CSV"
    )


def _places(xml: IO[bytes]) -> Iterator[tuple[int, str]]:
    """Yield the column and the place of each formula without a value."""
    kept = b""
    while chunk := xml.read(_CHUNK):
        kept += chunk
        ends = [end.end() for end in _END.finditer(kept)]
        if not ends:
            continue
        text, kept = kept[: ends[-1]], kept[ends[-1] :]
        if not _FORMULA.search(text):
            continue
        for cell in _CELL.finditer(text):
            place = _PLACE.search(cell[1])
            if place and _FORMULA.search(cell[2]) and not _has_value(cell[1], cell[2]):
                letters = place[1].decode()
                yield _column_of(letters), letters + place[2].decode()


def _has_value(attributes: bytes, content: bytes) -> bool:
    """Tell whether a value was computed; a formula whose text is empty has one."""
    return bool(_VALUE.search(content) or (_IS_TEXT.search(attributes) and _WRITTEN_EMPTY.search(content)))


def _column_of(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1


def _member_of(book: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the name of the file that a sheet is kept in."""
    if "xl/workbook.xml" not in book.namelist():
        return None
    listed = [_attributes(tag) for tag in _SHEET.findall(book.read("xl/workbook.xml").decode())]
    own = next((one for one in listed if one.get("name") == sheet), None)
    related = [_attributes(tag) for tag in _RELATION.findall(book.read("xl/_rels/workbook.xml.rels").decode())]
    target = next((one["Target"] for one in related if own and one.get("Id") == own.get("id")), None)
    return target and (target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target)))


def _attributes(tag: str) -> dict[str, str]:
    """Return the attributes of a tag, without the prefixes of their names."""
    return {name.rpartition(":")[2]: unescape(double or single) for name, double, single in _ATTRIBUTE.findall(tag)}
