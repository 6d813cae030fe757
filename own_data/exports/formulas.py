"""Formulas of a sheet that carry no value: a program that writes a workbook without computing it leaves them empty.

Such a cell would pass for one without a value, so a column of them would say nothing of why it cannot be read. Only
workbooks of XML are looked at (.xlsx, .xlsm); other kinds are written by programs that compute.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import IO

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
