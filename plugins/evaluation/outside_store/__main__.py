"""Measure what prices earn in simulated stores that are not ours: `python -m plugins.evaluation.outside_store`."""

import argparse
import json
import sys
from pathlib import Path

from plugins.evaluation.outside_store.hourly_twin import measure as measure_hourly
from plugins.evaluation.outside_store.learning import HELD, KINDS, SIZES
from plugins.evaluation.outside_store.learning import measure as measure_learning
from plugins.evaluation.outside_store.rehearsal import Rehearsal


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m plugins.evaluation.outside_store", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    learn = commands.add_parser("learn", help="belief and draws in grocers, on arrays: a table of losses")
    learn.add_argument("--size", type=store_size, action="append", help="stores x units a day, repeatable; all")
    learn.add_argument("--kind", choices=list(KINDS), action="append", help="repeatable; all")
    learn.add_argument("--seeds", type=int, default=12, help="chains of each kind; %(default)s")
    learn.add_argument(
        "--held",
        type=float,
        nargs=2,
        default=HELD,
        help="shares of product weeks held: first quarter, later; %(default)s",
    )
    learn.add_argument("--processes", type=int, default=2, help="%(default)s")
    rehearse = commands.add_parser("rehearse", help="a grocer through intake, lake, nights and export: one JSON object")
    rehearse.add_argument("folder", type=Path, help="keeps the engine's home, catalog and clock")
    rehearse.add_argument("--kind", choices=list(KINDS), default="plain", help="%(default)s")
    rehearse.add_argument("--size", type=store_size, default=(10, 10.0), help="stores x units a day; 10x10")
    rehearse.add_argument("--weeks", type=int, default=26, help="weeks after four at the owner's prices; %(default)s")
    rehearse.add_argument("--seed", type=int, default=1, help="of the store and of the draws; %(default)s")
    hourly = commands.add_parser("hourly", help="the twin, which says who came and is priced hourly: a table")
    hourly.add_argument("--world", action="append", help="worlds of `shelfprice compare`, repeatable; classic")
    hourly.add_argument("--stores", type=int, default=1, help="%(default)s")
    hourly.add_argument("--days", type=int, default=14, help="%(default)s")
    hourly.add_argument("--seeds", type=int, default=6, help="%(default)s")
    hourly.add_argument("--train-every", type=int, default=1, help="days between trainings, 0 for none; %(default)s")
    asked = parser.parse_args()
    if asked.what == "learn":
        measure_learning(
            asked.kind or list(KINDS), asked.size or SIZES, asked.seeds, tuple(asked.held), asked.processes
        )
    elif asked.what == "hourly":
        worlds = asked.world or ["classic"]
        measure_hourly(worlds, asked.stores, asked.days, asked.seeds, asked.train_every)
    else:
        stores, units = asked.size
        grocer = KINDS[asked.kind].of(asked.seed, stores, units).grocer
        rehearsal = Rehearsal(asked.folder.resolve(), grocer)
        prices, sold = rehearsal.sell(asked.weeks)
        found = {"units": int(sold.sum())} | rehearsal.losses(prices)
        sys.stdout.write(json.dumps(found) + "\n")


def store_size(text: str) -> tuple[int, float]:
    """Return stores and units a day of an option such as 10x10."""
    stores, _, units = text.partition("x")
    try:
        size = int(stores), float(units)
    except ValueError:
        size = 0, 0.0
    if size[0] < 1 or not 0 < size[1] <= 1_000:  # noqa: PLR2004 - more than any shelf sells
        raise argparse.ArgumentTypeError(f"expected stores x units a day, such as 10x10, found {text}")
    return size


if __name__ == "__main__":
    main()
