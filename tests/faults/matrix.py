"""The whole matrix: every fault, every command, one table; exit 1 when something did not hold."""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.clock import set_back
from tests.faults.commands import COMMANDS
from tests.faults.flip import FILE_KINDS, flip, flips_of, mend
from tests.faults.full_disk import fill, writes_of
from tests.faults.kill import Moment, drawn, kill, moments_of
from tests.faults.races import Orders, pairs, race, two_seeds
from tests.faults.trial import Bench, Trial, as_json
from tests.faults.worlds import Worlds
from tests.faults.zygote import pool_of

Try = Callable[[], Trial]
FAULTS = ("kill", "full", "flip", "mend", "seeds", "races", "clock")
_LEAST_KILLS, _LEAST_FILLS = 20, 5  # of each command, where as many are asked for
_MENDED = 5
_SAY_EVERY = 50  # trials
_SIZE_OF_DECISIONS = 40_000  # bits; every file of decisions has more


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; the numbers say how many are tried in all."""

    kills: int
    fills: int
    flips: int
    seeds: int
    seed: int
    only: tuple[str, ...]
    commands: tuple[str, ...]
    at: int | None
    after: bool
    jobs: int
    json: Path | None

    def wants(self, fault: str) -> bool:
        """Tell whether a fault is to be tried."""
        return not self.only or fault in self.only

    def names(self) -> tuple[str, ...]:
        """Return the commands that are to be tried."""
        return tuple(name for name in COMMANDS if not self.commands or name in self.commands)


def _kills(bench: Bench, asked: Asked, pool: ThreadPoolExecutor) -> Iterator[Try]:
    names = asked.names()
    if asked.at is not None:
        moments = [Moment(COMMANDS[name], asked.at, asked.after) for name in names]
    else:
        found = dict(zip(names, pool.map(lambda name: moments_of(bench, COMMANDS[name]), names), strict=True))
        moments = drawn(found, asked.kills, min(_LEAST_KILLS, asked.kills // len(names)), asked.seed)
    yield from (lambda moment=moment: kill(bench, moment) for moment in moments)


def _fills(bench: Bench, asked: Asked, pool: ThreadPoolExecutor) -> Iterator[Try]:
    names = asked.names()
    found = list(pool.map(lambda name: writes_of(bench, COMMANDS[name]), names)) if asked.at is None else []
    total, rng = sum(map(len, found)), random.Random(asked.seed)
    for place, name in enumerate(names):
        if asked.at is None:
            share = max(min(_LEAST_FILLS, asked.fills // len(names)), round(asked.fills * len(found[place]) / total))
            numbers = sorted(rng.sample(found[place], min(share, len(found[place]))))
        else:
            numbers = [asked.at]
        yield from (lambda name=name, at=at: fill(bench, COMMANDS[name], at) for at in numbers)


def _flips(bench: Bench, asked: Asked) -> Iterator[Try]:
    for name, kind in FILE_KINDS.items():
        if not asked.commands or name in asked.commands:
            bits = flips_of(bench, kind, max(1, asked.flips // len(FILE_KINDS)), asked.seed)
            for bit in bits if asked.at is None else [asked.at]:
                yield lambda kind=kind, bit=bit: flip(bench, kind, bit)


def _mends(bench: Bench, asked: Asked) -> Iterator[Try]:
    rng = random.Random(asked.seed)
    bits = [rng.randrange(_SIZE_OF_DECISIONS) for _ in range(_MENDED)] if asked.at is None else [asked.at]
    yield from (lambda bit=bit: mend(bench, bit) for bit in bits)


def _races(bench: Bench, orders: Orders, asked: Asked) -> Iterator[Try]:
    for one, other in pairs():
        if not asked.commands or {one.name, other.name} == set(asked.commands):
            yield lambda one=one, other=other: race(bench, orders, one, other)


def tries_of(bench: Bench, asked: Asked, pool: ThreadPoolExecutor) -> Iterator[Try]:
    """Yield what is tried."""
    orders = Orders(bench)
    if asked.wants("kill"):
        yield from _kills(bench, asked, pool)
    if asked.wants("full"):
        yield from _fills(bench, asked, pool)
    if asked.wants("flip"):
        yield from _flips(bench, asked)
    if asked.wants("mend"):
        yield from _mends(bench, asked)
    if asked.wants("seeds"):
        yield from (lambda number=number: two_seeds(bench, orders, number) for number in range(asked.seeds))
    if asked.wants("races"):
        yield from _races(bench, orders, asked)
    if asked.wants("clock"):
        yield from (lambda name=name: set_back(bench, COMMANDS[name]) for name in asked.names())


def tried(asked: Asked, say: Callable[[Trial, int, int], None]) -> list[Trial]:
    """Try everything that was asked for; Ctrl-C leaves the rest out."""
    with (
        tempfile.TemporaryDirectory(prefix="shelfprice-faults-") as folder,
        pool_of(asked.jobs) as zygotes,
        ThreadPoolExecutor(asked.jobs) as threads,
    ):
        worlds = Worlds(Path(folder).resolve(), zygotes)
        done: list[Trial] = []
        with suppress(KeyboardInterrupt):
            waiting = list(tries_of(Bench(worlds), asked, threads))
            for number, trial in enumerate(threads.map(_settled, waiting), start=1):
                done.append(trial)
                say(trial, number, len(waiting))
        threads.shutdown(cancel_futures=True)
        return done


def _settled(attempt: Try) -> Trial:
    """Try, and let an error of the matrix itself count as something that did not hold."""
    try:
        return attempt()
    except Exception as error:  # noqa: BLE001 - the others go on
        return Trial("the matrix", "itself", "", (f"{type(error).__name__}: {error}",), "")


def table_of(trials: Sequence[Trial]) -> Table:
    """Return how many trials there were of each command and fault, and how many held."""
    table = Table("command", "fault", "tried", "held", title="Faults")
    tried_of = Counter((trial.command, trial.fault) for trial in trials)
    held_of = Counter((trial.command, trial.fault) for trial in trials if trial.held)
    for key, number in sorted(tried_of.items(), key=lambda item: (item[0][1], item[0][0])):
        table.add_row(*key, str(number), str(held_of[key]), style="" if held_of[key] == number else "bold red")
    table.add_row("all", "", str(len(trials)), str(sum(held_of.values())), style="bold")
    return table


def read_arguments(arguments: Sequence[str] | None = None) -> Asked:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="kills in all, in proportion to the operations")
    parser.add_argument("--fills", type=int, default=200, help="full disks in all")
    parser.add_argument("--flips", type=int, default=240, help="flipped bits in all")
    parser.add_argument("--seeds", type=int, default=10, help="races of two seeds of simulate")
    parser.add_argument("--seed", type=int, default=7, help="seed of what is drawn")
    parser.add_argument("--only", action="append", choices=FAULTS, default=[], help="this fault alone; repeatable")
    parser.add_argument("--command", action="append", default=[], help="this command, or kind of file; repeatable")
    parser.add_argument("--at", type=int, help="this operation, write or bit alone")
    parser.add_argument("--after", action="store_true", help="with --at: kill right after the operation")
    parser.add_argument("--jobs", type=int, default=2, help="trials at the same time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every trial to a file")
    given = vars(parser.parse_args(arguments))
    return Asked(**given | {"only": tuple(given["only"]), "commands": tuple(given.pop("command"))})


def main() -> None:
    """Try, print the table and what did not hold, and exit 1 when something did not."""
    asked, console = read_arguments(), Console(width=160)

    def say(trial: Trial, number: int, total: int) -> None:
        if number % _SAY_EVERY == 0:
            console.print(f"{number} of {total}", style="dim")
        if not trial.held:
            console.print(f"{trial.command}, {trial.fault}: {trial.where}", style="red", markup=False, highlight=False)
            for line in (*trial.failures, f"again: python -m tests.faults {trial.repeat}"):
                console.print(f"    {line}", markup=False, highlight=False)

    trials = tried(asked, say)
    console.print(table_of(trials))
    if asked.json:
        asked.json.write_text(json.dumps(as_json(trials), indent=1) + "\n", encoding="utf-8")
    sys.exit(any(not trial.held for trial in trials))
