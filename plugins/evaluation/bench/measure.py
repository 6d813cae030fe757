"""The measuring core: what a row is, how seconds and memory are taken, and how sections are run, printed and kept.

A target says what is wanted; a row without one informs.
"""

import datetime as dt
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from catalog.errors import first_line
from plugins.evaluation.bench.browser import NoBrowserError
from warehouse.files import write_durably

ROOT = Path(__file__).parents[3]
_VERDICTS = {None: "", True: "met", False: "missed"}
_COLOURS = {"met": "green", "missed": "red", "not measured": "yellow", "failed": "red"}
_WIDTH = 150  # the table is not squeezed where it is piped
_FOREIGN = ("PREFECT_", "MLFLOW_", "SHELFPRICE_")


@dataclass(frozen=True)
class Otherwise:
    """What one would otherwise do, measured in the same run and the same unit."""

    name: str
    value: float


@dataclass(frozen=True)
class Measurement:
    """One row of the table.

    Attributes
    ----------
    section, what
        Which stage, and what of it was measured.
    value, unit
        The result; a unit that ends in `/s`, `share` or `as fast` is better when higher, every other when lower.
    otherwise
        The alternatives it stands against.
    target
        The value to reach, or None for information.
    """

    section: str
    what: str
    value: float
    unit: str
    otherwise: tuple[Otherwise, ...] = ()
    target: float | None = None

    @property
    def more_is_better(self) -> bool:
        """Whether a higher value is the better one."""
        return self.unit.endswith(("/s", "share", "as fast"))

    @property
    def ratios(self) -> dict[str, float]:
        """How many times better than each alternative."""
        return {
            other.name: self.value / other.value if self.more_is_better else other.value / self.value
            for other in self.otherwise
        }

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.more_is_better else self.value <= self.target

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is kept."""
        return {
            "section": self.section,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "otherwise": {other.name: other.value for other in self.otherwise},
            "times_better": self.ratios,
            "target": self.target,
            "met": self.met,
        }

    def cells(self) -> tuple[str, ...]:
        """Return the row as the table has it, its verdict last."""
        return (
            self.what,
            f"{_number(self.value)} {self.unit}",
            "\n".join(f"{_number(other.value)} {other.name}" for other in self.otherwise),
            "\n".join(map(_number, self.ratios.values())),
            "" if self.target is None else f"{'>=' if self.more_is_better else '<='} {_number(self.target)}",
            _VERDICTS[self.met],
        )


@dataclass(frozen=True)
class NotMeasured:
    """A section that was not measured, or not to its end, and why; a failure ends the run with exit code 1."""

    section: str
    reason: str
    is_failure: bool

    def to_json(self) -> dict[str, Any]:
        """Return the row as it is kept."""
        return {"section": self.section, "not_measured": self.reason, "failed": self.is_failure}

    def cells(self) -> tuple[str, ...]:
        """Return the row as the table has it, its verdict last."""
        return (self.section, "-", self.reason, "", "", "failed" if self.is_failure else "not measured")


Section = Callable[[], Iterable[Measurement]]


def measure_all(sections: Mapping[str, Section], file: Path) -> bool:
    """Run sections one after another, print and keep every row as it comes, then print the table.

    A section that cannot run or fails is a row, and the others go on. Returns whether none failed.
    """
    rows: list[Measurement | NotMeasured] = []
    for row in _rows_of(sections):
        rows.append(row)
        said = ", ".join(cell.replace("\n", ", ") for cell in row.cells() if cell)
        if isinstance(row, NotMeasured):
            said = f"{row.cells()[-1]}: {row.reason}"
        print(f"{row.section}: {said}", flush=True)
        _keep([one.to_json() for one in rows], file)
    console = Console()
    Console(width=max(console.width, _WIDTH)).print(_table_of([row.cells() for row in rows]))
    return not any(isinstance(row, NotMeasured) and row.is_failure for row in rows)


def _rows_of(sections: Mapping[str, Section]) -> Iterator[Measurement | NotMeasured]:
    for name, measure in sections.items():
        say(f"{name} ...")
        try:
            yield from measure()
        except NoBrowserError as missing:
            yield NotMeasured(name, first_line(missing), is_failure=False)
        except Exception as error:  # noqa: BLE001 - whatever failed, the other sections are measured
            yield NotMeasured(name, f"{type(error).__name__}: {first_line(error)}", is_failure=True)


def _keep(rows: list[dict[str, Any]], file: Path) -> None:
    """Write all rows so far, so that an interrupted run keeps what it measured."""
    file.parent.mkdir(exist_ok=True)
    measured_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    write_durably(file, json.dumps({"measured_at": measured_at, **machine, "rows": rows}, indent=2) + "\n")


def _table_of(rows: Iterable[tuple[str, ...]]) -> Table:
    title = f"Shelfprice, measured on {os.cpu_count()} cores"
    table = Table("What", "Measured", "Otherwise", "Times better", "Target", "", title=title)
    for column in (1, 3, 4):
        table.columns[column].justify = "right"
    for *cells, verdict in rows:
        colour = _COLOURS.get(verdict)
        table.add_row(*map(escape, cells), f"[{colour}]{verdict}[/]" if colour else verdict)
    return table


def _number(value: float) -> str:
    """Write three or more significant digits, without exponents."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{value:.4f}"


def seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """Return the seconds that the fastest of some repeats took by the clock."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def own_environment(home: str | Path) -> dict[str, str]:
    """Return the environment of a command in a home of its own, with nothing of ours that names servers or a lake."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**mine, "SHELFPRICE_HOME": str(home)}


def say(text: str) -> None:
    """Tell on standard error how far things are."""
    print(text, file=sys.stderr, flush=True)
