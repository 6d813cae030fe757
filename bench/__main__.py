"""Run the sections, print each row as it comes and one table at the end, and keep all of it as JSON."""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from rich.console import Console

from bench import imports, learning, loop, monitor, serving, throughput
from bench.measure import NotMeasured
from bench.results import Row, keep, line_of, table_of
from bench.run import Section, rows_of

RESULTS = Path(__file__).parent / "results" / "latest.json"
_WIDTH = 150  # the table is not squeezed where it is piped


def main() -> None:
    """Measure what was asked for; exit 1 when a section failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the loops of 1e7 and 1e8 decisions")
    parser.add_argument("--only", action="append", metavar="NAME", choices=sections(quick=True), help="repeatable")
    options = parser.parse_args()
    chosen = {
        name: measure
        for name, measure in sections(quick=options.quick).items()
        if not options.only or name in options.only
    }
    sys.exit(0 if measure_all(chosen, RESULTS) else 1)


def measure_all(chosen: Mapping[str, Section], file: Path) -> bool:
    """Measure sections, print and keep every row as it comes; return whether none failed."""
    rows: list[Row] = []
    for row in rows_of(chosen):
        rows.append(row)
        print(line_of(row), flush=True)
        keep(rows, file)
    console = Console()
    Console(width=max(console.width, _WIDTH)).print(table_of(rows))
    return not any(isinstance(row, NotMeasured) and row.is_failure for row in rows)


def sections(*, quick: bool) -> dict[str, Section]:
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


if __name__ == "__main__":
    main()
