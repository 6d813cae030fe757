"""Run the sections, print each row as it comes and one table at the end, and keep all of it as JSON."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from plugins.evaluation.bench import loop, monitor, nights, quote_api, serving, throughput
from plugins.evaluation.bench.measure import Section, measure_all

RESULTS = Path(__file__).parent / "results" / "latest.json"


def main() -> None:
    """Measure what was asked for; exit 1 when a section failed."""
    parser = argparse.ArgumentParser(prog="python -m plugins.evaluation.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the loops of 1e7 and 1e8 decisions")
    parser.add_argument("--only", action="append", metavar="NAME", choices=sections(()), help="repeatable")
    parser.add_argument(
        "--decisions",
        action="append",
        choices=loop.SIZES,
        help="size of a loop, repeatable; 1e9 is measured only when it is asked for",
    )
    options = parser.parse_args()
    sizes = options.decisions or (loop.QUICK if options.quick else loop.USUAL)
    chosen = {name: measure for name, measure in sections(sizes).items() if not options.only or name in options.only}
    sys.exit(0 if measure_all(chosen, RESULTS) else 1)


def sections(sizes: Sequence[str]) -> dict[str, Section]:
    """Return the sections by name, in their order; `sizes` are those of the loops."""
    return {
        "simulate": throughput.simulate,
        "transform": throughput.transform,
        "fit": serving.fitting,
        "book": serving.price_book,
        "long-book": serving.long_book,
        "quote": serving.quote,
        "api": quote_api.quote_api,
        "nights": nights.nights,
        "loop": partial(loop.whole_loop, sizes),
        "monitor": monitor.monitor,
    }


if __name__ == "__main__":
    main()
