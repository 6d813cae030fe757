"""Kill a command at an operation, right before it or, where that differs, right after it."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.child import TWO_MOMENTS, Fault
from tests.faults.commands import Command
from tests.faults.trial import Bench, Trial


@dataclass(frozen=True)
class Moment:
    """A moment at which a command is killed."""

    command: Command
    at: int
    after: bool


def moments_of(bench: Bench, command: Command) -> list[Moment]:
    """Return every moment at which a command can be killed."""
    found = []
    for number, kind, _ in bench.expected(command).operations:
        found.append(Moment(command, number, after=False))
        if kind in TWO_MOMENTS:
            found.append(Moment(command, number, after=True))
    return found


def moments_at(bench: Bench, command: Command, word: str) -> list[Moment]:
    """Return two moments: before the first operation on what has a word in its name, and after its second rename.

    The first rename of a partition names its pending receipt, the second its data, the third its receipt.
    """
    own = [(number, kind) for number, kind, what in bench.expected(command).operations if word in what]
    renames = [number for number, kind in own if kind == "replace"]
    return [Moment(command, own[0][0], after=False), *(Moment(command, at, after=True) for at in renames[1:2])]


def drawn(moments: Mapping[str, list[Moment]], kills: int, least: int, seed: int) -> list[Moment]:
    """Draw moments of every command in proportion to how many it has, and at least some of each."""
    rng = random.Random(seed)
    total = sum(map(len, moments.values()))
    chosen: list[Moment] = []
    for own in moments.values():
        share = min(len(own), max(least, round(kills * len(own) / total)))
        chosen += sorted(rng.sample(own, share), key=lambda moment: (moment.at, moment.after))
    return chosen


def kill(bench: Bench, moment: Moment) -> Trial:
    """Kill a command at a moment, and see what comes of it."""
    fault = Fault("kill", moment.at, after=moment.after)
    after = " --after" * moment.after
    repeat = f"--only kill --command {moment.command.name} --at {moment.at}{after}"
    return bench.disturb(moment.command, "kill", fault, repeat)
