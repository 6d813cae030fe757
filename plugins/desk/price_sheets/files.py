"""A table of prices as CSV or XLSX: written so that no text is run as a formula, and read within bounds.

A workbook is read in a process of its own, see `plugins.desk.price_sheets.workbook`.
"""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import xlsxwriter

from catalog.currency import Currency
from catalog.errors import DataError
from plugins.desk.price_sheets.large_workbooks import unpacked_of_workbook

KINDS = ("csv", "xlsx")
TO_FILL = ("new_price", "from", "through")
"""Columns that are written empty: a price to set, and the first and the last business date on which it holds."""
NEEDED = ("store", "sku", "new_price")
MOST_BYTES, MOST_ROWS, MOST_COLUMNS = 2_500_000, 20_000, 100
_MOST_UNPACKED = 32 << 20  # bytes of a workbook

Cell = str | float | None
_RUNS = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How text begins that a spreadsheet runs, as in `dashboard/assets/csv.js`."""
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_WITHIN = 60  # seconds
_REMEDY = "nothing was read: keep the rows that have a new price"


def written(kind: str, columns: Mapping[str, int], rows: Sequence[Sequence[Cell]], money: Currency) -> bytes:
    """Return a table as the bytes of a file.

    Parameters
    ----------
    kind
        One of `KINDS`.
    columns
        The names of the columns, and the width of each in characters; those of `TO_FILL` are coloured.
    rows
        Numbers are amounts of money.
    """
    return _workbook(columns, rows, money) if kind == "xlsx" else _csv(list(columns), rows, money)


def _csv(names: Sequence[str], rows: Sequence[Sequence[Cell]], money: Currency) -> bytes:
    sink = io.StringIO()
    out = csv.writer(sink, lineterminator="\r\n")
    out.writerow(names)
    out.writerows([_text(cell, money) for cell in row] for row in rows)
    return sink.getvalue().encode("utf-8-sig")  # Excel takes a file without the mark for another encoding


def _text(cell: Cell, money: Currency) -> str:
    if isinstance(cell, str):
        return f"'{cell}" if _RUNS.match(cell) else cell
    return "" if cell is None else money.format_amount(cell)


def _workbook(columns: Mapping[str, int], rows: Sequence[Sequence[Cell]], money: Currency) -> bytes:
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        sheet = book.add_worksheet("prices")
        amount = book.add_format({"num_format": f"0.{'0' * money.digits}" if money.digits else "0"})
        looks = {"new_price": {"num_format": amount.num_format}, "from": {"num_format": "yyyy-mm-dd"}}
        looks["through"] = looks["from"]
        for place, (name, width) in enumerate(columns.items()):
            fill = {"bg_color": "#fff2cc"} if name in TO_FILL else {}
            sheet.set_column(place, place, width, book.add_format(looks.get(name, {}) | fill))
            sheet.write_string(0, place, name, book.add_format({"bold": True} | fill))
        for line, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(line, place, cell)  # never a formula, whatever it begins with
                elif cell is not None:
                    sheet.write_number(line, place, cell, amount)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    return sink.getvalue()


def read(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """Return the lines of a CSV or a workbook by the names of its columns, each with its number in the file.

    Raises
    ------
    DataError
        When it is too large, is neither, or has not the columns of `NEEDED` once each.
    """
    if len(content) > MOST_BYTES:
        raise DataError(f"expected at most {MOST_BYTES:,} bytes, found {len(content):,}; {_REMEDY}")
    numbered = _from_workbook(content) if content.startswith(_WORKBOOKS) else _from_csv(content)
    lines = list(islice(numbered, MOST_ROWS + 2))
    if lines and len(lines[0][1]) > MOST_COLUMNS:
        raise DataError(f"expected at most {MOST_COLUMNS} columns, found {len(lines[0][1]):,}; nothing was read")
    header = [name.strip().lower() for name in lines[0][1]] if lines else []
    if any(header.count(name) != 1 for name in NEEDED):
        names = ", ".join(header[:20]) or "none"
        raise DataError(f"expected the columns {', '.join(NEEDED)} once each, found {names[:300]}; nothing was read")
    if len(lines) > MOST_ROWS + 1:
        raise DataError(f"expected at most {MOST_ROWS:,} rows, found more; {_REMEDY}")
    return [(number, dict(zip(header, (cell.strip() for cell in cells), strict=False))) for number, cells in lines[1:]]


def _from_csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # as spreadsheets of western Europe save it
    first = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    try:
        for cells in lines:
            if any(cells):
                yield lines.line_num, cells
    except csv.Error as error:
        raise DataError(f"expected a CSV or a workbook, found neither ({error}); nothing was read") from None


def _from_workbook(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        unpacked = unpacked_of_workbook(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError):
        unpacked = 0  # it is damaged, as its reader says
    if unpacked > _MOST_UNPACKED:
        raise DataError(
            f"expected a workbook of at most {_MOST_UNPACKED >> 20} MB unpacked, found {unpacked >> 20:,} MB; {_REMEDY}"
        )
    command = (sys.executable, "-P", "-m", "plugins.desk.price_sheets.workbook", str(MOST_ROWS + 2))
    try:
        run = subprocess.run(command, input=content, capture_output=True, timeout=_WITHIN, check=True)  # noqa: S603 - ours
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise DataError(
            "expected a workbook, found one that is damaged, protected or too large; nothing was read: save it as CSV"
        ) from None
    yield from map(tuple, json.loads(run.stdout))
