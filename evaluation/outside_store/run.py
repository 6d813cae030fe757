"""The examination: learn from the store's receipts, price it, and let it play the same days three ways."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog.progress import Progress, silent
from evaluation.outside_store.baskets import baskets_as_visits
from evaluation.outside_store.exchange import Change, Outcome, OutsideStore, Play
from evaluation.outside_store.learn import Learned, learn

OWNER, FIXED, OURS = "its own policy", "fixed prices", "our prices"

Learn = Callable[[Path, Path, str, int, Progress], Learned]


@dataclass(frozen=True)
class Question:
    """What is examined.

    Attributes
    ----------
    python
        The Python that has the package.
    seed, learn_days, play_days, variation
        As in `OutsideStore`.
    grain
        What the engine reads: till receipts, or visits made from them.
    objective
        What our prices maximise.
    relearn_days
        Days after which the export is read again and new prices are made; None is once.
    """

    python: Path
    seed: int = 1124
    learn_days: int = 181
    play_days: int = 91
    variation: float = 0.0
    grain: Literal["receipts", "visits"] = "receipts"
    objective: Literal["revenue", "margin"] = "revenue"
    relearn_days: int | None = None


@dataclass(frozen=True)
class Examined:
    """What was found.

    Attributes
    ----------
    version
        Version of the package.
    days, rounds
        Last day of the export and what the engine made of it, each time it was read.
    truth
        True elasticity of each product at the mean prices of the days that the last round read.
    outcomes
        What each way of pricing earned, by name.
    """

    version: str
    days: tuple[int, ...]
    rounds: tuple[Learned, ...]
    truth: dict[str, float]
    outcomes: dict[str, Outcome]


def examine(question: Question, progress: Progress = silent, learner: Learn = learn) -> Examined:
    """Let the outside store examine the engine.

    Raises
    ------
    ShelfpriceError
        When the driver cannot run, or a step refuses the export.
    """
    with tempfile.TemporaryDirectory(prefix="shelfprice-outside-") as home:
        folder = Path(home)
        store = OutsideStore(
            question.python,
            folder,
            question.seed,
            question.learn_days,
            question.play_days,
            question.variation,
        )
        changes: list[Change] = []
        rounds: list[Learned] = []
        days = round_days(question)
        for number, day in enumerate(days):
            progress("learning from receipts and pricing", number, len(days))
            answer = store.play([Play(OURS, changes=tuple(changes))], export_through=day)
            export = answer.receipts if question.grain == "receipts" else baskets_as_visits(answer.receipts)
            rounds.append(learner(folder / f"home-{day}", export, question.objective, question.seed, silent))
            changes.append(Change(day + 1, rounds[-1].prices))
            truth = answer.elasticities()
        progress("playing the days that count", len(days), len(days))
        plays = [Play(OWNER, owner_prices=True), Play(FIXED), Play(OURS, changes=tuple(changes))]
        last = store.play(plays)
    return Examined(last.version, days, tuple(rounds), truth, last.outcomes)


def round_days(question: Question) -> tuple[int, ...]:
    """Return the last day of each round's receipts: the learning period, then every so many days of those played."""
    end = question.learn_days + question.play_days
    return tuple(range(question.learn_days, end, question.relearn_days or question.play_days))
