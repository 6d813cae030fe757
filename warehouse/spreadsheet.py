"""Rows as comma-separated values that a spreadsheet shows and never runs."""

import csv
from collections.abc import Iterable, Sequence
from typing import IO, Any

_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the start of a formula; the last four are the wide forms of the first four."""


def write_csv(file: IO[str], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a header and rows."""
    writer = csv.writer(_Lines(file))
    writer.writerow([_harmless(name) for name in columns])
    writer.writerows([_harmless(cell) for cell in row] for row in rows)


def as_it_was(cell: str) -> str:
    """Return what a cell that was read back held before it was written: without the apostrophe before a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_STARTS_FORMULA) else cell


class _Lines:
    """Ends each line as a person's programs do; the writer itself quotes both kinds of line ends inside a cell."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, line: str) -> None:
        """Write one row."""
        self._file.write(line.removesuffix("\r\n") + "\n")


def _harmless(cell: Any) -> Any:
    """Return a cell; text that a spreadsheet would run gets an apostrophe before it, and a number stays a number."""
    if not isinstance(cell, str) or not cell.startswith(_STARTS_FORMULA) or _is_number(cell):
        return cell
    return f"'{cell}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
