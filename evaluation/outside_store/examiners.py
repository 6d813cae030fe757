"""What drawn prices earn in each outside store: one table over examiners and seeds, beside owner and clairvoyant.

The product's belief and draws are played as a policy (`drawn_policy`), week by week, on arrays. Store weeks that are
held at the owner's prices are no part of what is lost: they are the price of knowing what was earned.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from evaluation.outside_store.drawn_policy import drawn
from evaluation.outside_store.policy_score import ROWS
from evaluation.outside_store.stores.store_names import TWIN, world_of
from evaluation.outside_store.stores.weekly_seller import WeeksPlayed, play
from evaluation.reporting import MeanInterval, interval, markdown

EXAMINERS = ("grocer", "grocer with local shocks", "stockpiling", "substitutes", TWIN)
_LOCAL = " with local shocks"
_WEEKS = ROWS[-1][1]


@dataclass(frozen=True)
class ExaminerScore:
    """What draws brought in one examiner, each a mean over seeds with its 95 % interval.

    Attributes
    ----------
    earned
        Profit over that of the owner's prices in the same store weeks, less 1.
    lost
        Share of the attainable profit that is lost, for each row of weeks.
    owner_lost
        Share that the owner's prices lose.
    """

    name: str
    size: str
    earned: MeanInterval
    lost: tuple[MeanInterval, ...]
    owner_lost: MeanInterval


def examine(name: str, size: tuple[int, float], seeds: Sequence[int], processes: int = 2) -> ExaminerScore:
    """Play one examiner, a world a seed; the twin has the size of its shelf."""
    job = partial(_shares, name, size)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        found = [interval(own) for own in zip(*pool.map(job, seeds), strict=True)]
    earned, owner_lost, *lost = found
    shown = "as it is" if name == TWIN else f"{size[0]} x {size[1]:g}"
    return ExaminerScore(name, shown, earned, tuple(lost), owner_lost)


def _shares(name: str, size: tuple[int, float], seed: int) -> tuple[float, ...]:
    world = world_of(name.removesuffix(_LOCAL), seed, *size, has_local_shocks=name.endswith(_LOCAL))
    played = play(world, drawn, _WEEKS, seed)
    lost = [_lost(played, first, last) for first, last in ROWS]
    free = ~played.tried
    earned = float(played.expected_eur[free].sum() / played.owner_eur[free].sum()) - 1
    return earned, 1 - float(played.owner_eur.sum() / played.attainable.weekly_eur.sum()), *lost


def _lost(played: WeeksPlayed, first: int, last: int) -> float:
    """Return the share that store weeks lost which were not held, weeks counted from 1, both ends included."""
    weeks = slice(first - 1, last)
    free = ~played.tried[weeks]
    return 1 - float(played.expected_eur[weeks][free].sum() / played.attainable.cells_eur[weeks][free].sum())


def table(scores: Sequence[ExaminerScore]) -> Iterator[str]:
    """Return the scores in Markdown, in per cent."""
    weeks = [f"lost in weeks {first}-{last}" for first, last in ROWS]
    columns = ("store", "stores x units", "earned against the owner's prices", *weeks, "the owner's prices lose")
    percent: Callable[[MeanInterval], str] = MeanInterval.percent
    return markdown(
        columns,
        [(one.name, one.size, percent(one.earned), *map(percent, one.lost), percent(one.owner_lost)) for one in scores],
    )
