"""What is printed and kept: a line for each row as it comes, the whole table at the end, and one JSON file.

The file is complete after every row, so an interrupted run keeps what it measured.
"""

import datetime as dt
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from bench.measure import Measurement, NotMeasured
from warehouse.files import write_durably

Row = Measurement | NotMeasured
_VERDICTS = {None: "", True: "met", False: "missed"}
_COLOURS = {"met": "green", "missed": "red", "not measured": "yellow", "failed": "red"}


def keep(rows: Sequence[Row], file: Path) -> None:
    """Write the rows as JSON, in place of those that were kept before."""
    file.parent.mkdir(exist_ok=True)
    kept = {
        "measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "rows": [row.to_json() for row in rows],
    }
    write_durably(file, json.dumps(kept, indent=2) + "\n")


def line_of(row: Row) -> str:
    """Return a row as one line of text."""
    if isinstance(row, NotMeasured):
        return f"{row.section}: {'failed' if row.is_failure else 'not measured'}: {row.reason}"
    return f"{row.section}: " + ", ".join(cell.replace("\n", ", ") for cell in _cells(row) if cell)


def table_of(rows: Sequence[Row]) -> Table:
    """Return the one table."""
    title = f"Shelfprice, measured on {os.cpu_count()} cores"
    table = Table("What", "Measured", "Otherwise", "Times better", "Target", "", title=title)
    for column in (1, 3, 4):
        table.columns[column].justify = "right"
    for row in rows:
        *cells, verdict = map(escape, _cells(row))
        colour = _COLOURS.get(verdict)
        table.add_row(*cells, f"[{colour}]{verdict}[/]" if colour else verdict)
    return table


def _cells(row: Row) -> tuple[str, ...]:
    if isinstance(row, NotMeasured):
        return (row.section, "-", row.reason, "", "", "failed" if row.is_failure else "not measured")
    bound = ">=" if row.more_is_better else "<="
    return (
        row.what,
        f"{_number(row.value)} {row.unit}",
        "\n".join(f"{_number(other.value)} {other.name}" for other in row.otherwise),
        "\n".join(f"{_number(ratio)}" for ratio in row.ratios.values()),
        "" if row.target is None else f"{bound} {_number(row.target)}",
        _VERDICTS[row.met],
    )


def _number(value: float) -> str:
    """Write three or more significant digits, without exponents."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{value:.4f}"
