"""One trial: a command meets a fault, `health --files` looks, the same command runs again, and the end is compared."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.child import Fault
from tests.faults.commands import Command
from tests.faults.compare import State, difference
from tests.faults.worlds import Worlds
from tests.faults.zygote import DECLINED, Ended
from tests.support.pressed import processes_of

_GONE_WITHIN = 10.0  # seconds
_POLL = 0.05  # seconds
_MOST_LINES = 4
_FULL = ("no space left", "disk is full")

Runner = Callable[[Command, Path, Fault], Ended]
"""Runs a command in a home."""


@dataclass(frozen=True)
class Trial:
    """What came of one trial.

    Attributes
    ----------
    where
        What the process was just doing.
    failures
        What did not hold, in sentences; empty when all did.
    repeat
        Options of `python -m tests.faults` that try this again.
    """

    command: str
    fault: str
    where: str
    failures: tuple[str, ...]
    repeat: str

    @property
    def held(self) -> bool:
        """Whether everything was as promised."""
        return not self.failures


@dataclass
class Expected:
    """How an undisturbed run ends.

    Attributes
    ----------
    operations
        What it does to its home: number, kind, and to what.
    seconds
        How long it takes.
    twice
        How a second run after it ends, as after a kill when all was done already; None until it is needed.
    """

    once: State
    operations: list[tuple[int, str, str]]
    seconds: float
    twice: State | None = None


@dataclass
class Bench:
    """Where trials are made, with the ends of undisturbed runs, which are made once."""

    worlds: Worlds
    runner: Runner | None = None
    _expected: dict[str, Expected] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, command: Command, home: Path, fault: Fault | None = None) -> Ended:
        """Run a command in a home that was copied from its world."""
        if self.runner is not None:
            return self.runner(command, home, fault or Fault())
        return self.worlds.run(command.world, command.name, home, command.options, fault=fault or Fault())

    def look(self, world: str, home: Path) -> tuple[State, list[str]]:
        """Return the state of a home, and what `health --files` finds."""
        file = home.with_name("state.json")
        ended = self.worlds.run(world, "look", home, {"file": str(file)})
        if ended.code:
            return {"files": {}, "registry": {}, "drafts": []}, [f"verify ended with {ended.code}: {ended.said}"]
        found = json.loads(file.read_text(encoding="utf-8"))
        return found["state"], found["findings"]

    def expected(self, command: Command) -> Expected:
        """Return how a command ends undisturbed."""
        with self._lock_of(command):
            key = _key(command)
            if key not in self._expected:
                home = self.worlds.copy(command.world)
                seconds = self._undisturbed(command, home, Fault("count"))
                lines = home.with_name("home.operations").read_text(encoding="utf-8").splitlines()
                parts = [line.split("\t") for line in lines]
                operations = [(int(number), kind, what) for number, kind, what in parts]
                self._expected[key] = Expected(self.look(command.world, home)[0], operations, seconds)
                self.worlds.forget(home)
            return self._expected[key]

    def twice(self, command: Command) -> State:
        """Return how two undisturbed runs of a command end."""
        expected = self.expected(command)
        with self._lock_of(command):
            if expected.twice is None:
                home = self.worlds.copy(command.world)
                for _ in range(2):
                    self._undisturbed(command, home, Fault())
                expected.twice = self.look(command.world, home)[0]
                self.worlds.forget(home)
            return expected.twice

    def _undisturbed(self, command: Command, home: Path, fault: Fault) -> float:
        ended = self.run(command, home, fault)
        if ended.code not in {0, DECLINED}:
            raise RuntimeError(f"{command.name}, undisturbed, ended with {ended.code}: {ended.last_words}")
        return ended.seconds

    def _lock_of(self, command: Command) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(_key(command), threading.Lock())

    def disturb(self, command: Command, name: str, fault: Fault, repeat: str) -> Trial:
        """Let a fault come over a command, run it again, and compare the end with that of an undisturbed run."""
        home = self.worlds.copy(command.world)
        try:
            ended = self.run(command, home, fault)
            failures = [*_left_running(home), *_of_ending(ended, fault)]
            failures += self.goes_on(command, home, is_done=ended.code == 0)
            return Trial(command.name, name, _where(home, fault, ended), tuple(failures), repeat)
        finally:
            self.worlds.forget(home)

    def goes_on(self, command: Command, home: Path, *, is_done: bool = False) -> list[str]:
        """Run a command again in a home that was disturbed, and say what is not as promised.

        Where the disturbed command had done everything, or said that it `is_done`, running it again may do the next
        thing, as after an undisturbed run.
        """
        expected = self.expected(command)
        between, findings = self.look(command.world, home)
        failures = [f"after it, verify finds {one}" for one in findings]
        again = self.run(command, home)
        failures += _left_running(home)
        if again.code not in {0, DECLINED}:
            failures.append(f"the same command again ended with {again.code}: {again.last_words}")
        end, findings = self.look(command.world, home)
        failures += [f"in the end, verify finds {one}" for one in findings]
        is_done = is_done or not difference(between, expected.once)
        apart = _unlike(end, [expected.once], again)
        return failures + (_unlike(end, [expected.once, self.twice(command)], again) if apart and is_done else apart)


def _key(command: Command) -> str:
    return f"{command.name} {command.world} {sorted(command.options.items())}"


def _unlike(end: State, allowed: list[State], again: Ended) -> list[str]:
    apart = min((difference(end, one) for one in allowed), key=len)
    if not apart:
        return []
    more = [f"and {len(apart) - _MOST_LINES} more"] * (len(apart) > _MOST_LINES)
    said = [f"the same command again said: {again.last_words}"] * bool(again.said)
    return ["the end is not that of an undisturbed run", *apart[:_MOST_LINES], *more, *said]


def _of_ending(ended: Ended, fault: Fault) -> list[str]:
    """Say what is wrong with how a disturbed command ended."""
    if ended.code is None:
        return ["it hung"]
    if fault.kind == "none" and ended.code:
        return [f"it ended with {ended.code} and said {ended.last_words}"]
    if fault.kind == "full" and ended.code not in {0, 1, DECLINED} and not _says_full(ended.said):
        return [f"on a full disk it ended with {ended.code} and said {ended.last_words}"]
    return []


def _says_full(said: str) -> bool:
    return any(words in said.lower() for words in _FULL)


def _where(home: Path, fault: Fault, ended: Ended) -> str:
    log = home.with_name("home.operations")
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    if fault.kind == "none":
        return "from its beginning to its end"
    if not lines:
        return f"never reached, it ended with {ended.code}"
    return " ".join(lines[-1].split("\t")[1:])


def _left_running(home: Path) -> list[str]:
    limit = time.monotonic() + _GONE_WITHIN
    while (found := processes_of(home)) and time.monotonic() < limit:
        time.sleep(_POLL)
    return [f"a process stayed: {one}" for one in found]


def as_json(trials: list[Trial]) -> list[Mapping[str, Any]]:
    """Return trials as plain values."""
    return [{**vars(one), "held": one.held} for one in trials]
