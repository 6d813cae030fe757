"""`python -m evaluation.planted` asks whether the product tells the truth where the truth is known."""

import argparse
import json
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from catalog.errors import ShelfpriceError
from catalog.spread import HERE, Spread
from evaluation.harness import play_parts
from evaluation.planted.planted_log import PlantedQuestion, PlantedResult
from evaluation.planted.planted_report import as_json, as_markdown, rows, sentences
from evaluation.planted.planted_scenarios import SCENARIOS
from evaluation.planted.planted_world import GRAINS, Size
from evaluation.worlds import chosen, refuse_unknown
from flows.cli.console import progress_bars, remark, say, show_table
from flows.progress import tell
from flows.spreading import in_processes

_PROCESSES = 2
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
        where: AbstractContextManager[Spread] = (
            in_processes(asked.processes, remark) if asked.processes > 1 else nullcontext(HERE)
        )
        with progress_bars(), where as spread:
            played = play_parts(question.parts, "planted logs", spread, tell)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    _print(question, played, asked)
    if any(one.is_broken for one in played):
        sys.exit(1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.planted",
        description="Write logs whose truth is known, take them through ingest, transform, train and price, and print "
        "what was told, whether it holds the truth, and what the prices earn.",
    )
    parser.add_argument("--scenarios", default="", metavar="A,B", help="by name, default all; see --list")
    parser.add_argument("--grains", default=",".join(GRAINS), metavar="A,B", help="out of %(default)s (default all)")
    for name, default in {**vars(Size()), "seeds": 1}.items():
        parser.add_argument(f"--{name}", type=_at_least(_LEAST[name]), default=default, help="default %(default)s")
    parser.add_argument("--processes", type=int, choices=range(1, _PROCESSES + 1), default=_PROCESSES)
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


def _question(asked: argparse.Namespace) -> PlantedQuestion:
    named = [name.strip() for name in asked.grains.split(",")]
    refuse_unknown("grain", named, GRAINS)
    scenarios = chosen("scenario", [name.strip() for name in asked.scenarios.split(",") if name.strip()], SCENARIOS)
    grains = tuple(grain for grain in GRAINS if grain in named)
    size = Size(asked.stores, asked.days, asked.products)
    return PlantedQuestion(scenarios, grains, asked.seeds, size, asked.response_only)


def _print(question: PlantedQuestion, played: list[PlantedResult], asked: argparse.Namespace) -> None:
    if asked.json:
        sys.stdout.write(json.dumps(as_json(question, played), allow_nan=False) + "\n")
    elif asked.markdown:
        sys.stdout.write(as_markdown(question, played))
    else:
        title = "Responses alone: no model was trained, no price made" if question.response_only else "The real path"
        show_table(title, *rows(played))
        for sentence in sentences(played):
            say(sentence)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # ends the processes too
    main()
