"""A process that reads the first sheet of a workbook from stdin, and writes its rows to stdout as JSON.

A workbook of a few kilobytes can ask for any amount of memory. So this process has little of it, and
waits until no other reads a sheet. Without enough memory it ends, and nothing else does. The argument is how many rows
are read.
"""

import datetime as dt
import io
import itertools
import json
import sys

from python_calamine import CalamineWorkbook

from plugins.desk.price_sheets.large_workbooks import one_at_a_time

_MEMORY = 1 << 29  # bytes of address space


def main() -> None:
    """Write a list of the rows that have a cell: the number of each in the sheet, and its cells as text."""
    one_at_a_time(__file__, _MEMORY)
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read())).get_sheet_by_index(0)
    filled = (
        (number, [_text(cell) for cell in row])
        for number, row in enumerate(sheet.iter_rows(), start=1)
        if any(cell != "" for cell in row)
    )
    json.dump(list(itertools.islice(filled, int(sys.argv[1]))), sys.stdout)


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{cell:.12g}"
    return str(cell.date() if isinstance(cell, dt.datetime) and cell.time() == dt.time() else cell)


if __name__ == "__main__":
    main()
