"""Two commands at once on one home: one order of the two is what is left, or one of them is refused and runs after.

Of two simulations with different seeds each date belongs whole to one of them.
"""

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.faults.commands import COMMANDS, NEXT, START, Command
from tests.faults.compare import State, difference
from tests.faults.trial import Bench, Trial
from tests.faults.zygote import DECLINED, Ended, Job

_MOST_LINES = 4
_DATES = 20
_LATEST = 0.2  # seconds that the second simulation begins after the first
_RACING = ("simulate", "transform", "train", "price", "nightly", "live", "promote", "rollback", "backfill")


def pairs() -> list[tuple[Command, Command]]:
    """Return every pair of commands that write, also of one with itself; what is ingested races in an empty home."""
    own = {name: COMMANDS[name].on("next_sold") for name in _RACING}
    own["simulate"] = Command("simulate", "next_sold", {"start": str(NEXT), "days": 3})
    found = []
    for one, other in itertools.combinations_with_replacement(own.values(), 2):
        world = "open" if "open" in {one.world, other.world} else "next_sold"
        found.append((one.on(world), other.on(world)))
    twin, retailer = Command("simulate", "export", {"days": 2}), COMMANDS["ingest"]
    return [*found, (retailer, retailer), (twin, retailer)]


@dataclass
class Orders:
    """How some commands end one after another, each sequence made once."""

    bench: Bench
    _known: dict[str, State] = field(default_factory=dict)

    def after(self, *commands: Command) -> State:
        """Return the state after commands in this order."""
        world = commands[0].world
        key = " ".join([world, *(f"{one.name} {sorted(one.options.items())}" for one in commands)])
        if key not in self._known:
            home = self.bench.worlds.copy(world)
            for one in commands:
                self.bench.run(one, home)
            self._known[key] = self.bench.look(world, home)[0]
            self.bench.worlds.forget(home)
        return self._known[key]


def race(bench: Bench, orders: Orders, one: Command, other: Command) -> Trial:
    """Run two commands at once, and then again whichever was refused."""
    world = one.world
    home = bench.worlds.copy(world)
    try:
        variables = bench.worlds.variables_of(world)
        both = [one, other]
        ended = bench.worlds.pool.run(
            *(
                Job(own.name, home, own.options, variables=variables, said_as=str(place))
                for place, own in enumerate(both)
            )
        )
        failures = list(_unforeseen(both, ended))
        _, findings = bench.look(world, home)
        failures += [f"verify finds {finding}" for finding in findings]
        refused = [own for own, end in zip(both, ended, strict=True) if end.code]
        for own in refused:
            bench.run(own, home)
        state, findings = bench.look(world, home)
        failures += [f"in the end, verify finds {finding}" for finding in findings]
        apart = _nearest(state, [orders.after(one, other), orders.after(other, one)])
        failures += [f"no order of the two ends so: {line}" for line in apart[:_MOST_LINES]]
        where = f"{one.name} ended with {ended[0].code}, {other.name} with {ended[1].code}"
        repeat = f"--only races --command {one.name} --command {other.name}"
        return Trial(f"{one.name}, {other.name}", "races", where, tuple(failures), repeat)
    finally:
        bench.worlds.forget(home)


def two_seeds(bench: Bench, orders: Orders, number: int) -> Trial:
    """Play the same dates with two seeds at once: no date may hold some tables of one and some of the other."""
    seeds = [Command("simulate", "prepared", {"days": _DATES, "seed": seed, "at_once": 2}) for seed in (7, 8)]
    home = bench.worlds.copy("prepared")
    try:
        variables = bench.worlds.variables_of("prepared")
        delays = (0.0, random.Random(number).random() * _LATEST)
        ended = bench.worlds.pool.run(
            *(
                Job("simulate", home, own.options, variables=variables, said_as=f"{place}", delay=delay)
                for place, (own, delay) in enumerate(zip(seeds, delays, strict=True))
            )
        )
        failures = list(_unforeseen(seeds, ended))
        state, findings = bench.look("prepared", home)
        failures += [f"verify finds {finding}" for finding in findings]
        failures += _mixed_dates(state, [orders.after(own) for own in seeds])
        where = f"they ended with {ended[0].code} and {ended[1].code}"
        return Trial("simulate, simulate", "two seeds", where, tuple(failures), f"--only seeds --at {number}")
    finally:
        bench.worlds.forget(home)


def _mixed_dates(state: State, whole: list[State]) -> Iterable[str]:
    for date in sorted({file.split("/")[1] for file in state["files"] if f"business_date={START:%Y}" in file}):
        held = [{file: seal for file, seal in one["files"].items() if f"/{date}/" in file} for one in [state, *whole]]
        if held[0] not in held[1:]:
            yield f"{date} holds tables of two seeds"


def _unforeseen(commands: list[Command], ended: list[Ended]) -> Iterable[str]:
    for own, end in zip(commands, ended, strict=True):
        if end.code not in {0, DECLINED}:
            yield f"{own.name} ended with {end.code} and said {end.last_words}"


def _nearest(state: State, allowed: list[State]) -> list[str]:
    return min((difference(state, one) for one in allowed), key=len)
