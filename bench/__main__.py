"""Run the sections, print one table and keep it as JSON."""

import argparse
import datetime as dt
import json
import os
import platform
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import imports, learning, loop, monitor, serving, throughput
from bench.measure import Measurement, say

_RESULTS = Path(__file__).parent / "results" / "latest.json"
_WIDTH = 150  # the table is not squeezed where it is piped
_VERDICTS = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the loops of 1e7 and 1e8 decisions")
    parser.add_argument("--only", action="append", metavar="NAME", choices=sections(quick=True), help="repeatable")
    options = parser.parse_args()
    rows: list[Measurement] = []
    for name, measure in sections(quick=options.quick).items():
        if not options.only or name in options.only:
            say(f"{name} ...")
            rows.extend(measure())
    console = Console()
    Console(width=max(console.width, _WIDTH)).print(table_of(rows))
    keep(rows)


def sections(*, quick: bool) -> dict[str, Callable[[], Iterable[Measurement]]]:
    """Return the sections by name, in their order."""
    return {
        "simulate": throughput.simulate,
        "ingest": imports.ingest,
        "transform": throughput.transform,
        "fit": serving.fitting,
        "book": serving.price_book,
        "large_book": serving.large_price_book,
        "quote": serving.quote,
        "learn": learning.quality,
        "loop": partial(loop.whole_loop, quick=quick),
        "monitor": monitor.monitor,
    }


def table_of(rows: list[Measurement]) -> Table:
    """Return the one table."""
    title = f"Shelfprice, measured on {os.cpu_count()} cores"
    table = Table("What", "Measured", "Otherwise", "Times better", "Target", "", title=title)
    for column in (1, 3, 4):
        table.columns[column].justify = "right"
    for row in rows:
        bound = ">=" if row.more_is_better else "<="
        table.add_row(
            row.what,
            f"{_number(row.value)} {row.unit}",
            "\n".join(f"{_number(other.value)} {other.name}" for other in row.otherwise),
            "\n".join(f"{_number(ratio)}" for ratio in row.ratios.values()),
            "" if row.target is None else f"{bound} {_number(row.target)}",
            _VERDICTS[row.met],
        )
    return table


def keep(rows: list[Measurement]) -> None:
    """Write the rows as JSON."""
    _RESULTS.parent.mkdir(exist_ok=True)
    kept = {
        "measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "rows": [row.to_json() for row in rows],
    }
    _RESULTS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    """Write three or more significant digits, without exponents."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{value:.4f}"


if __name__ == "__main__":
    main()
