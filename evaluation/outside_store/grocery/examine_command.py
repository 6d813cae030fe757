"""The command line of grocery-sim: `python -m evaluation.outside_store grocery-sim --python DIR/bin/python`."""

import argparse
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from catalog.errors import ShelfpriceError
from evaluation.outside_store.grocery.question import DAYS, ExaminationQuestion

DESCRIPTION = (
    "Learn from the till receipts of grocery-sim, a store that other people wrote, and let it play the days after "
    "under its own policy, fixed prices and our prices. About a minute, more with --relearn-days, and with --draws."
)
_LEAST_DAYS = 28
_WIDEST = 0.5


def run_examination(asked: argparse.Namespace) -> int:
    """Run the examination and print what was found; return 1 with one line to stderr where it cannot be run."""
    from evaluation.outside_store.grocery.draw_in_store import examine_draws  # noqa: PLC0415
    from evaluation.outside_store.grocery.examination import examine  # noqa: PLC0415
    from evaluation.outside_store.grocery.examination_report import (  # noqa: PLC0415 - slow
        as_record,
        drawn_record,
        drawn_report,
        report,
    )

    question = _question(asked)
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)
    try:
        if question.draws:
            drawn = examine_draws(question, _tell)
            record, text = drawn_record(question, drawn), drawn_report(question, drawn)
        else:
            found = examine(question, _tell)
            record, text = as_record(question, found), report(question, found)
    except ShelfpriceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(record) + "\n" if asked.json else text)
    return 0


def _question(asked: argparse.Namespace) -> ExaminationQuestion:
    names = {field.name for field in fields(ExaminationQuestion)}
    question = ExaminationQuestion(**{name: value for name, value in vars(asked).items() if name in names})
    return question.in_whole_weeks() if question.draws else question


def refuse_more_than_a_year(asked: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """End with wrong usage where more days are asked for than the store plays."""
    question = _question(asked)
    if question.learn_days + question.play_days > DAYS:
        parser.error(
            f"--learn-days and --play-days: expected at most {DAYS} days together, found "
            f"{question.learn_days + question.play_days}; the store plays one year"
        )
    if asked.draws and (asked.variation or asked.relearn_days or asked.grain != ExaminationQuestion.grain):
        parser.error("--draws: expected none of --variation, --relearn-days and --grain beside it; nights draw instead")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    usual = ExaminationQuestion(Path())
    parser.add_argument("--python", type=Path, required=True, help="the Python of an environment that has grocery-sim")
    parser.add_argument("--seed", type=int, default=usual.seed, help="the neighbourhood and its year; %(default)s")
    days = _whole(_LEAST_DAYS)
    parser.add_argument("--learn-days", type=days, default=usual.learn_days, help="days of receipts; %(default)s")
    parser.add_argument("--play-days", type=days, default=usual.play_days, help="days that count; %(default)s")
    parser.add_argument(
        "--variation",
        type=_share,
        default=usual.variation,
        help="try prices so far from the opening price while learning, by week and product; %(default)s: the owner's",
    )
    parser.add_argument(
        "--grain",
        choices=("receipts", "visits"),
        default=usual.grain,
        help="what the engine reads: till receipts, or every receipt as a visit to all products; %(default)s",
    )
    parser.add_argument("--objective", choices=("revenue", "margin"), default=usual.objective, help="%(default)s")
    parser.add_argument("--relearn-days", type=_whole(7), help="make prices anew every so many days; once by default")
    parser.add_argument(
        "--draws",
        action="store_true",
        help="let nights draw the prices of each week from what the tills took, beginning on a Monday, for the highest "
        "profit within 25 %% of the owner's; a play for each week, about half a minute",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, with each product's reason")


def _whole(least: int) -> Callable[[str], int]:
    def days(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected at least {least} days, found {text}")
        return int(text)

    return days


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= _WIDEST:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to {_WIDEST}, found {text}")
    return share


def _tell(stage: str, done: int, total: int) -> None:
    sys.stderr.write(f"{stage}: {done} of {total}\n")
