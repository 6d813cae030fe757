"""Workbooks as Excel writes them, from rows of Python values: enough of the format for the tests."""

import datetime as dt
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Formula:
    """A formula, and the XML of the value that was computed: empty in a workbook that no program has computed."""

    text: str
    value: str = "<v></v>"


Cell = str | float | bool | dt.datetime | dt.date | Formula | None

_CONTENT = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/>'
    '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>'
)
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no zone


def workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]], hidden: frozenset[str] = frozenset()) -> bytes:
    """Return the bytes of an .xlsx; None leaves a cell out."""
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"'
        + (' state="hidden"' if name in hidden else "")
        + "/>"
        for number, name in enumerate(sheets, start=1)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(sheets) + 1)
    )
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("[Content_Types].xml", _CONTENT)
        out.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        out.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        )
        out.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}">{related}<Relationship Id="rId99" Type="{_OFFICE}/styles" '
            'Target="styles.xml"/></Relationships>',
        )
        out.writestr("xl/styles.xml", _STYLES)
        for number, rows in enumerate(sheets.values(), start=1):
            out.writestr(f"xl/worksheets/sheet{number}.xml", sheet_xml(rows))
    return sink.getvalue()


def sheet_xml(rows: Sequence[Sequence[Cell]]) -> str:
    """Return the XML of one sheet."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = "".join(_cell(f"{_letters(at)}{number}", cell) for at, cell in enumerate(row) if cell is not None)
        lines.append(f'<row r="{number}">{cells}</row>' if cells else "")
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _letters(at: int) -> str:
    return (chr(64 + at // 26) if at >= 26 else "") + chr(65 + at % 26)


def _cell(place: str, cell: Cell) -> str:
    if isinstance(cell, bool):
        return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
    if isinstance(cell, Formula):
        return f'<c r="{place}"><f>{escape(cell.text)}</f>{cell.value}</c>'
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    if isinstance(cell, dt.datetime):
        return f'<c r="{place}" s="1"><v>{(cell - _EPOCH) / dt.timedelta(days=1)!r}</v></c>'
    if isinstance(cell, dt.date):
        return f'<c r="{place}" s="2"><v>{(cell - _EPOCH.date()).days}</v></c>'
    return f'<c r="{place}"><v>{cell!r}</v></c>'


def wide_workbook(n_columns: int, n_rows: int) -> bytes:
    """Return a workbook of the columns store, sku, new_price and others, whose equal rows shrink to very little."""
    names = ("store", "sku", "new_price", *(f"c{at}" for at in range(n_columns - 3)))
    head, row = (
        "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
        for cells in (names, ("S01", "MILK", *("1" for _ in names[2:])))
    )
    xml = (
        f'<worksheet xmlns="{_MAIN}"><sheetData><row>{head}</row>{f"<row>{row}</row>" * n_rows}</sheetData></worksheet>'
    )
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"prices": []}))) as given,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in given.namelist():
            out.writestr(name, xml if "sheet1" in name else given.read(name))
    return sink.getvalue()
