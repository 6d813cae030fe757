"""The parts of a comparison, to be played anywhere and in any order: each is one seed, and knows of no other.

A part carries all that it needs. One that lives in a lake of its own makes it in a temporary folder where it is played.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from evaluation.as_shipped.play import live_world
from evaluation.as_shipped.records import LivedDay
from evaluation.comparison import Limit, Played, Question, play_part
from evaluation.drift.scorecard import ScoredDay, play_world
from evaluation.drift.worlds import ShockedWorld
from evaluation.first_days import DayResult, live_one_world
from evaluation.worlds import World
from warehouse.workspace import Whereabouts


@dataclass(frozen=True)
class LogToLearnFrom:
    """Policies learn from a log of some decisions drawn with a seed, and are played after it."""

    where: Whereabouts
    question: Question
    limits: Mapping[str, Limit] = field(repr=False)
    decisions: int
    seed: int

    @property
    def name(self) -> str:
        """Size of the log and seed."""
        return f"a log of {self.decisions} decisions, seed {self.seed}"


@dataclass(frozen=True)
class FirstDaysToLive:
    """Stores that start to learn, on the shoppers of a seed."""

    where: Whereabouts
    days: int
    seed: int

    @property
    def name(self) -> str:
        """The days and the seed."""
        return f"the first {self.days} days, seed {self.seed}"


@dataclass(frozen=True)
class WorldToLive:
    """A world that the product and its peers live in, on the shoppers of a seed."""

    world: World
    seed: int
    days: int
    stores: int

    @property
    def name(self) -> str:
        """The world and the seed."""
        return f"{self.world.name}, seed {self.seed}"


@dataclass(frozen=True)
class ShocksToPlay:
    """A scripted world, on the shoppers of a seed."""

    world: ShockedWorld
    seed: int

    @property
    def name(self) -> str:
        """The world and the seed."""
        return f"{self.world.name}, seed {self.seed}"


def learn_from_log(part: LogToLearnFrom) -> Played:
    """Learn from one log, score every learner, and play those that are to be played."""
    return play_part(part.where.opened(), part.question, dict(part.limits), part.decisions, part.seed)


def live_first_days(part: FirstDaysToLive) -> list[DayResult]:
    """Live the first days of stores that learn."""
    return live_one_world(part.where.opened(), part.days, part.seed)


def live_as_shipped(part: WorldToLive) -> list[LivedDay]:
    """Live the first days of a world under every learner."""
    return live_world(part.world, part.seed, part.days, part.stores)


def play_shocks(part: ShocksToPlay) -> list[ScoredDay]:
    """Play a scripted world, and score its days."""
    return play_world(part.world, part.seed)
