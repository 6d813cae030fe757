"""Run sections one after another; one that cannot run or fails is a row of the table, and the others go on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from rich.console import Console

from bench.browser import NoBrowserError
from bench.measure import Measurement, NotHereError, NotMeasured, say
from bench.results import Row, keep, line_of, table_of
from catalog.errors import first_line

Section = Callable[[], Iterable[Measurement]]
_WIDTH = 150  # the table is not squeezed where it is piped


def measure_all(sections: Mapping[str, Section], file: Path) -> bool:
    """Print and keep every row as it comes, then print the table; return whether no section failed."""
    rows: list[Row] = []
    for row in _rows_of(sections):
        rows.append(row)
        print(line_of(row), flush=True)
        keep(rows, file)
    console = Console()
    Console(width=max(console.width, _WIDTH)).print(table_of(rows))
    return not any(isinstance(row, NotMeasured) and row.is_failure for row in rows)


def _rows_of(sections: Mapping[str, Section]) -> Iterator[Row]:
    for name, measure in sections.items():
        say(f"{name} ...")
        try:
            yield from measure()
        except (NoBrowserError, NotHereError) as missing:
            yield NotMeasured(name, first_line(missing), is_failure=False)
        except Exception as error:  # noqa: BLE001 - whatever failed, the other sections are measured
            yield NotMeasured(name, f"{type(error).__name__}: {first_line(error)}", is_failure=True)
