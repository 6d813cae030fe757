"""The examination: learn from the store's receipts, price it, and let it play the same days three ways."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from catalog.spread import Progress, silent
from evaluation.outside_store.grocery.exchange import OutsideStore, PricesFrom, StoreOutcome, StorePlay
from evaluation.outside_store.grocery.question import ExaminationQuestion
from features.response import PriceResponse

OWNER, FIXED, OURS = "its own policy", "fixed prices", "our prices"


@dataclass(frozen=True)
class LearnedFromReceipts:
    """What the engine made of the receipts.

    Attributes
    ----------
    rows, rejected
        Rows of the export, and those that were rejected.
    responses
        What it says of each product's response to prices, in the order of its shelf.
    unmet
        What the gate asked for and did not find, in words; nothing where the model became champion.
    prices
        Its price of each product that it prices, EUR by sku, for a full shelf at opening. Any other keeps its price.
    """

    rows: int
    rejected: int
    responses: tuple[PriceResponse, ...]
    unmet: tuple[str, ...]
    prices: dict[str, float]


@dataclass(frozen=True)
class Examination:
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
    rounds: tuple[LearnedFromReceipts, ...]
    truth: dict[str, float]
    outcomes: dict[str, StoreOutcome]


Learn = Callable[[Path, Path, ExaminationQuestion], LearnedFromReceipts]


def examine(question: ExaminationQuestion, progress: Progress = silent, learner: Learn | None = None) -> Examination:
    """Let the outside store examine the engine.

    Parameters
    ----------
    learner
        What makes prices of receipts; by default `learn`, which is imported only once the store has answered.

    Raises
    ------
    ShelfpriceError
        When the driver cannot run, or a step refuses the export.
    """
    with tempfile.TemporaryDirectory(prefix="shelfprice-outside-") as home:
        folder, days = Path(home), question.round_days
        store, changes, rounds = OutsideStore(question, folder), list[PricesFrom](), list[LearnedFromReceipts]()
        for number, day in enumerate(days):
            progress("learning from receipts and pricing", number, len(days))
            answer = store.play([StorePlay(OURS, changes=tuple(changes))], export_through=day)
            learn = learner or _learner()
            rounds.append(learn(folder / f"home-{day}", answer.receipts, question))
            changes.append(PricesFrom(day + 1, rounds[-1].prices))
            truth = answer.elasticities()
        progress("playing the days that count", len(days), len(days))
        plays = [StorePlay(OWNER, owner_prices=True), StorePlay(FIXED), StorePlay(OURS, changes=tuple(changes))]
        last = store.play(plays)
    return Examination(last.version, days, tuple(rounds), truth, last.outcomes)


def _learner() -> Learn:
    from evaluation.outside_store.grocery.learn_from_receipts import learn  # noqa: PLC0415 - slow

    return learn
