"""Workbooks as Excel writes them, from rows of Python values: enough of the format for the tests."""

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import xlsxwriter


@dataclass(frozen=True)
class Formula:
    """A formula and the value that was computed: empty in a workbook that no program has computed."""

    text: str
    value: float | str = ""


Cell = str | float | bool | dt.datetime | dt.date | Formula | None


def workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]], hidden: frozenset[str] = frozenset()) -> bytes:
    """Return the bytes of an .xlsx; None leaves a cell out."""
    sink = io.BytesIO()
    with xlsxwriter.Workbook(sink, {"in_memory": True}) as book:
        forms: dict[type, int] = {dt.datetime: 22, dt.date: 14}
        styles = {kind: book.add_format({"num_format": form}) for kind, form in forms.items()}
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
                book.worksheet_meta.activesheet = len(sheets)  # else the first sheet would be shown again
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, Formula):
                        sheet.write_formula(row, column, f"={cell.text}", None, cell.value)
                    elif isinstance(cell, str):
                        sheet.write_string(row, column, cell)
                    elif cell is not None:
                        sheet.write(row, column, cell, styles.get(type(cell)))
    return sink.getvalue()


def wide_workbook(n_columns: int, n_rows: int) -> bytes:
    """Return a workbook of the columns store, sku, new_price and others, whose equal rows shrink to very little."""
    names = ("store", "sku", "new_price", *(f"c{at}" for at in range(n_columns - 3)))
    head, row = (
        "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
        for cells in (names, ("S01", "MILK", *("1" for _ in names[2:])))
    )
    xml = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f"<row>{head}</row>{f'<row>{row}</row>' * n_rows}</sheetData></worksheet>"
    )
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"prices": []}))) as given,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in given.namelist():
            out.writestr(name, xml if "sheet1" in name else given.read(name))
    return sink.getvalue()
