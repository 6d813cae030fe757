"""`python -m evaluation.planted` asks whether the product tells the truth where the truth is known."""

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from catalog.errors import ShelfpriceError
from catalog.progress import Progress
from evaluation.planted.records import Played
from evaluation.planted.report import COLUMNS, as_json, markdown, rows, sentences
from evaluation.planted.run import PROCESSES, Question, run
from evaluation.planted.scenarios import SCENARIOS, asked_scenarios
from evaluation.planted.world import GRAINS, Size

_WIDE = 200
_INTERRUPTED, _TERMINATED = 130, 143
_LEAST = {"stores": 1, "days": 28, "products": 1, "seeds": 1}


def main() -> None:
    """Play what is asked for and print what was found; exit 1 with one line when it cannot be asked.

    It exits 1 as well when a log broke the path, after all of them were played.
    """
    asked = _parser().parse_args()
    if asked.list:
        for scenario in SCENARIOS:
            sys.stdout.write(f"{scenario.name} ({scenario.kind}): {scenario.description}\n")
        return
    try:
        question = _question(asked)
    except ShelfpriceError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    try:
        with _progress_bar() as progress:
            played = run(question, asked.processes, progress)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    _print(question, played, asked)
    if any(one.is_broken for one in played):
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    size = Size()
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.planted",
        description="Write logs whose truth is known, take them through ingest, transform, train and price, and print "
        "what was told, whether it holds the truth, and what the prices earn.",
    )
    parser.add_argument("--scenarios", default="", metavar="A,B", help="by name, default all; see --list")
    parser.add_argument("--grains", default=",".join(GRAINS), metavar="A,B", help="out of %(default)s (default all)")
    for name, default in {**vars(size), "seeds": 1}.items():
        parser.add_argument(f"--{name}", type=_at_least(_LEAST[name]), default=default, help="default %(default)s")
    parser.add_argument("--processes", type=int, choices=range(1, PROCESSES + 1), default=PROCESSES)
    parser.add_argument("--list", action="store_true", help="list the scenarios and do nothing")
    parser.add_argument(
        "--response-only",
        action="store_true",
        help="stop at the response to the price: train no model and make no price",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object, with every product")
    form.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    return parser


def _at_least(least: int) -> Any:
    def whole(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, found {text!r}")
        return int(text)

    return whole


def _question(asked: argparse.Namespace) -> Question:
    named = [name.strip() for name in asked.grains.split(",")]
    unknown = [name for name in named if name not in GRAINS]
    if unknown:
        raise ShelfpriceError(f"expected grains out of {', '.join(GRAINS)}, found {unknown[0]!r}; nothing was played")
    scenarios = asked_scenarios([name.strip() for name in asked.scenarios.split(",") if name.strip()])
    grains = tuple(grain for grain in GRAINS if grain in named)
    size = Size(asked.stores, asked.days, asked.products)
    return Question(scenarios, grains, asked.seeds, size, asked.response_only)


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    """Show a bar on a terminal; on a pipe, a line for each tenth."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("planted logs", total=None)

        def show(stage: str, done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)
            if not console.is_terminal and done * 10 // total > (done - 1) * 10 // total:
                console.print(f"{stage}: {done} of {total}", highlight=False)

        yield show


def _print(question: Question, played: list[Played], asked: argparse.Namespace) -> None:
    if asked.json:
        sys.stdout.write(json.dumps(as_json(question, played), allow_nan=False) + "\n")
        return
    if asked.markdown:
        sys.stdout.write(markdown(question, played))
        return
    console = Console() if sys.stdout.isatty() else Console(width=_WIDE)
    title = "Responses alone: no model was trained, no price made" if question.response_only else "The real path"
    table = Table(title=title, title_justify="left")
    for name in COLUMNS:
        table.add_column(name, overflow="fold")
    for row in rows(played):
        table.add_row(*row)
    console.print(table, markup=False)
    for sentence in sentences(played):
        console.print(sentence, highlight=False)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # ends the processes too
    main()
