"""The command line of an outside store: `python -m evaluation.outside_store grocer --url URL --weeks 12`."""

import argparse
import csv
import datetime as dt
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from evaluation.outside_store.stores.engine_commands import CommandedEngine, EngineBeside
from evaluation.outside_store.stores.fetched_prices import ExportFolder, PriceSupply, QuotedPrices
from evaluation.outside_store.stores.outside_till import OutsideTill, StorePlan
from evaluation.outside_store.stores.outside_world import WEEK, OutsideWorld
from evaluation.outside_store.stores.sales_client import RefusedRequestError, SalesClient
from evaluation.outside_store.stores.shelf_files import write_shelf
from evaluation.outside_store.stores.store_names import TWIN, world_of
from evaluation.outside_store.stores.till_faults import FAULTS
from evaluation.outside_store.stores.till_lines import DaySold

_URL = "http://127.0.0.1:8070"


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    """Add the options of a store."""
    parser.add_argument("--url", default=_URL, help="the quote API and the intake; %(default)s")
    parser.add_argument("--token-file", type=Path, help="file with the token of the till; none is sent without it")
    parser.add_argument("--prices", type=Path, metavar="DIR", help="folder of the export; the quote API without it")
    parser.add_argument("--weeks", type=_whole, default=26, help="weeks that count; %(default)s")
    parser.add_argument("--owner-weeks", type=_whole, default=4, help="weeks at the owner's prices before; %(default)s")
    parser.add_argument("--first-monday", type=_monday, help="first day; by default the last week has just ended")
    parser.add_argument("--seed", type=int, default=1, help="the store, its shoppers and its faults; %(default)s")
    parser.add_argument("--faults", type=_faults, default=(), help=f"any of {','.join(FAULTS)}; none by default")
    parser.add_argument(
        "--clock", type=Path, metavar="FILE", help="write the time into it: a rehearsal's SHELFPRICE_NOW"
    )
    parser.add_argument("--before-week", default="", help="command to run before each week; {date} is its Monday")
    parser.add_argument("--export", default="", help="command to run before prices are fetched; {date} as above")
    parser.add_argument("--sold", type=Path, metavar="FILE", help="write what was truly sold, as CSV")
    if name == TWIN:
        parser.add_argument("--each-tick", action="store_true", help="ask for prices at each tick, not each week")
    else:
        parser.add_argument("--size", type=store_size, default=(10, 10.0), help="stores x units a day; 10x10")
        parser.add_argument("--shelf", type=Path, metavar="DIR", help="only write the store's catalog: two YAML files")
        parser.add_argument("--local-shocks", action="store_true", help="each store has good and bad times of its own")
        parser.add_argument("--rehearse", type=Path, metavar="DIR", help="start the engine, too, and keep it in DIR")
        parser.add_argument("--in-process", action="store_true", help="rehearse by calls, without HTTP and commands")


@dataclass(frozen=True)
class Beside:
    """What a store talks to: where prices come from, where sales go, and what its weeks do there."""

    supply: PriceSupply
    client: SalesClient
    engine: EngineBeside


def commanded(asked: argparse.Namespace, world: OutsideWorld) -> AbstractContextManager[Beside]:
    """Return the engine that the options name.

    Raises
    ------
    OSError
        When there is no file with the token.
    """
    token = asked.token_file.read_text(encoding="utf-8").strip() if asked.token_file else ""
    client = SalesClient(asked.url, token, sends_twice="duplicates" in asked.faults)
    nights, exports = (((command,) if command else ()) for command in (asked.before_week, asked.export))
    engine = CommandedEngine(nights, exports, asked.clock)
    return nullcontext(Beside(_supply(asked.prices, client, world), client, engine))


def run_program(
    asked: argparse.Namespace,
    name: str,
    today: dt.date,
    open_engine: Callable[[argparse.Namespace, OutsideWorld], AbstractContextManager[Beside]] = commanded,
) -> int:
    """Run a store; print one JSON object and return 0, or one line to stderr and return 1."""
    n_stores, units = getattr(asked, "size", (0, 0.0))
    world = world_of(name, asked.seed, n_stores, units, has_local_shocks=getattr(asked, "local_shocks", False))
    if getattr(asked, "shelf", None) is not None:
        write_shelf(world, asked.shelf)
        return 0
    weeks = asked.weeks + asked.owner_weeks
    newest = today - dt.timedelta(days=today.weekday(), weeks=weeks)
    plan = StorePlan(
        first_monday=asked.first_monday or newest,
        n_weeks=asked.weeks,
        owner_weeks=asked.owner_weeks,
        faults=asked.faults,
        each_tick=getattr(asked, "each_tick", False),
        seed=asked.seed,
    )
    try:
        with open_engine(asked, world) as beside:
            till = OutsideTill(world, beside.supply, beside.client, plan, _tell, beside.engine)
            found = till.run()
    except (OSError, RefusedRequestError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if asked.sold:
        _write_sold(asked.sold, till.sold, world)
    asked_for = {"store": name, "seed": asked.seed, "stores": len(world.stores), "first_monday": str(plan.first_monday)}
    sys.stdout.write(json.dumps(asked_for | {"faults": list(asked.faults)} | found) + "\n")
    return 0


def _tell(said: str) -> None:
    sys.stderr.write(f"{said}\n")


def _supply(folder: Path | None, client: SalesClient, world: OutsideWorld) -> PriceSupply:
    if folder is None:
        return QuotedPrices(client, world.stores, world.skus)
    return ExportFolder(folder, world.stores, world.skus)


def _write_sold(file: Path, days: Sequence[DaySold], world: OutsideWorld) -> None:
    """Write units and revenue of each date, store and product that sold: what an intake has to end up with."""
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("business_date", "store_id", "sku", "units", "revenue"))
        for day in days:
            for row, store in enumerate(world.stores):
                for column, sku in enumerate(world.skus):
                    if units := int(day.units[row, column]):
                        rows.writerow((day.date, store, sku, units, f"{day.revenue_eur[row, column]:.2f}"))


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text}")
    return int(text)


def _monday(text: str) -> dt.date:
    try:
        date = dt.date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a date such as 2026-01-05, found {text}") from error
    if date.weekday() % WEEK:
        raise argparse.ArgumentTypeError(f"expected a Monday, found {date:%A} {text}")
    return date


def _faults(text: str) -> tuple[str, ...]:
    faults = tuple(text.split(","))
    if unknown := set(faults) - set(FAULTS):
        raise argparse.ArgumentTypeError(f"expected faults out of {','.join(FAULTS)}, found {min(unknown)}")
    return faults


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
