"""The examination: learn from the store's receipts, price it, and let it play the same days three ways."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from catalog.progress import Progress, silent
from evaluation.outside_store.baskets import baskets_as_visits
from evaluation.outside_store.exchange import Change, OutsideStore, Play
from evaluation.outside_store.question import Question
from evaluation.outside_store.records import Examined, Learned

OWNER, FIXED, OURS = "its own policy", "fixed prices", "our prices"

Learn = Callable[[Path, Path, str, int, Progress], Learned]


def examine(question: Question, progress: Progress = silent, learner: Learn | None = None) -> Examined:
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
            rounds.append(
                (learner or _learner())(folder / f"home-{day}", export, question.objective, question.seed, silent)
            )
            changes.append(Change(day + 1, rounds[-1].prices))
            truth = answer.elasticities()
        progress("playing the days that count", len(days), len(days))
        plays = [Play(OWNER, owner_prices=True), Play(FIXED), Play(OURS, changes=tuple(changes))]
        last = store.play(plays)
    return Examined(last.version, days, tuple(rounds), truth, last.outcomes)


def _learner() -> Learn:
    from evaluation.outside_store.learn import learn  # noqa: PLC0415 - it takes seconds; a refusal comes before it

    return learn


def round_days(question: Question) -> tuple[int, ...]:
    """Return the last day of each round's receipts: the learning period, then every so many days of those played."""
    end = question.learn_days + question.play_days
    return tuple(range(question.learn_days, end, question.relearn_days or question.play_days))
