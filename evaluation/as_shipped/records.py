"""What is asked and what is found: one record for each learner, day and seed of a world."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from catalog.gate import Outcome
from evaluation.peers.peer import NAMES
from evaluation.worlds import World

PRODUCT = "as_shipped"
"""The product, through the very functions of its nights."""

BASE_PRICES = "static"
"""The base price, always."""

LEARNERS = (PRODUCT, *NAMES, BASE_PRICES)

Source = Literal["base", "belief", "champion"]


@dataclass(frozen=True)
class AsShippedQuestion:
    """What is to be lived.

    Attributes
    ----------
    days
        First days of each store.
    seeds
        How often each world is lived, each time with other shoppers; the intervals are over these.
    stores
        Stores of each world; they share a belief and a price book.
    """

    worlds: tuple[World, ...]
    days: int
    seeds: int
    stores: int

    @property
    def parts(self) -> list[tuple[World, int]]:
        """World and seed of each part: independent of each other, to be played anywhere and in any order."""
        return [(world, seed) for seed in range(1, self.seeds + 1) for world in self.worlds]


@dataclass(frozen=True)
class LivedDay:
    """One learner on one day of a world with one seed, all stores together.

    Attributes
    ----------
    day
        Number of the day, from 1.
    gain_eur, clairvoyant_eur
        What the learner earned, and the clairvoyant on the same shoppers.
    priced_by, model_version
        What the product's prices came from, and the version behind them if there is one; None for other learners.
    judged_version, verdict
        The version that was judged in the night after, and what the gate said; None where none was.
    true_gain_eur
        What its prices would truly have earned more than those in force, EUR per store day on the visits that it was
        judged on; None where that is not known.
    """

    world: str
    learner: str
    seed: int
    count_stores: int
    day: int
    gain_eur: float
    clairvoyant_eur: float
    priced_by: Source | None = None
    model_version: str | None = None
    judged_version: str | None = None
    verdict: Outcome | None = None
    true_gain_eur: float | None = None


@dataclass(frozen=True)
class AsShipped:
    """What was found: every lived day, and the MLflow run that keeps it."""

    question: AsShippedQuestion
    days: tuple[LivedDay, ...]
    run_id: str = ""


def put_together(question: AsShippedQuestion, lived: Sequence[list[LivedDay]]) -> AsShipped:
    """Put the parts together, in the order of worlds, learners, seeds and days."""
    order = {world.name: position for position, world in enumerate(question.worlds)}
    days = [day for part in lived for day in part]
    days.sort(key=lambda row: (order[row.world], LEARNERS.index(row.learner), row.seed, row.day))
    return AsShipped(question, tuple(days))
