"""Regret of whole learners: shares of what the clairvoyant earned, and what the product's gate did meanwhile.

All functions are pure: lived days -> numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.as_shipped.records import BASE_PRICES, PRODUCT, LivedDay
from evaluation.peers.peer import NAMES
from evaluation.results import MeanInterval, interval

WEEK = 7
_PERIODS = (WEEK, 30, 60)  # days
_FALSELY = -0.01  # of what the store earned: a promotion that costs as much is false
_CLEARLY = 0.03  # of what the store earned: a challenger that truly brings as much should price


@dataclass(frozen=True)
class GateRecord:
    """What the gate did in one world, all seeds together.

    Attributes
    ----------
    judged, promoted
        Nights in which a version was judged, and in which it became champion.
    false_promotions
        Promotions of prices that truly earned at least 1 % less than those in force.
    clearly_better, better_promoted
        Judged versions whose prices truly earned at least 3 % more, and those of them that were promoted.
    """

    judged: int
    promoted: int
    false_promotions: int
    clearly_better: int
    better_promoted: int


@dataclass(frozen=True)
class Arrival:
    """Nights until a source of prices first priced, for each seed; None where it never did."""

    nights: tuple[int | None, ...]


def periods_of(days: int) -> list[int]:
    """Return the last day of each period that is told; all begin on day 1."""
    return [*(last for last in _PERIODS if last < days), days]


def regret(days: Sequence[LivedDay], world: str, learner: str, last: int) -> MeanInterval:
    """Return the regret from day 1 through `last` as a share of what the clairvoyant earned, over the seeds."""
    own = [day for day in days if (day.world, day.learner) == (world, learner) and day.day <= last]
    return interval([_lost_share([day for day in own if day.seed == seed]) for seed in _seeds(own)])


def against_best_peer(days: Sequence[LivedDay], world: str, last: int) -> tuple[str, MeanInterval]:
    """Return the peer with the lowest regret through a day, and the product's regret less that one's, over the seeds.

    Seed by seed both met the same shoppers, so much of the noise cancels. Below 0 the product lost less.
    """
    best = min(NAMES, key=lambda name: regret(days, world, name, last).mean)
    own, theirs = (
        [day for day in days if (day.world, day.learner) == (world, name) and day.day <= last]
        for name in (PRODUCT, best)
    )
    pairs = [
        _lost_share([day for day in own if day.seed == seed]) - _lost_share([day for day in theirs if day.seed == seed])
        for seed in _seeds(own)
    ]
    return best, interval(pairs)


def worst_week(days: Sequence[LivedDay], world: str, learner: str) -> float:
    """Return the largest share of the clairvoyant's week by which base prices earned more, over whole weeks.

    Below 0 where the learner earned more in every week. All seeds count together, for the noise of a week is large.
    """
    own, base = ([day for day in days if (day.world, day.learner) == (world, name)] for name in (learner, BASE_PRICES))
    last = max(day.day for day in own)
    begins = range(1, max(1, last - WEEK + 1) + 1, WEEK)
    return max(_lost_share(_week(own, begin)) - _lost_share(_week(base, begin)) for begin in begins)


def arrival(days: Sequence[LivedDay], world: str, *sources: str) -> Arrival:
    """Return the nights until any of the sources first priced the product's day."""
    own = _product(days, world)
    firsts = []
    for seed in _seeds(own):
        found = [day.day - 1 for day in own if day.seed == seed and day.priced_by in sources]
        firsts.append(min(found) if found else None)
    return Arrival(tuple(firsts))


def lost_until_champion(days: Sequence[LivedDay], world: str) -> MeanInterval:
    """Return what the clairvoyant earned more on the days before the first champion's, EUR, over the seeds."""
    own, firsts = _product(days, world), arrival(days, world, "champion").nights
    lost = [
        sum(
            day.clairvoyant_eur - day.gain_eur
            for day in own
            if day.seed == seed and (nights is None or day.day <= nights)
        )
        for seed, nights in zip(_seeds(own), firsts, strict=True)
    ]
    return interval(lost)


def gate_record(days: Sequence[LivedDay], world: str) -> GateRecord:
    """Count what the gate did in a world."""
    judged = [day for day in _product(days, world) if day.verdict is not None]
    better = [day for day in judged if _true_share(day) >= _CLEARLY]
    promoted = [day for day in judged if day.verdict == "promoted"]
    return GateRecord(
        judged=len(judged),
        promoted=len(promoted),
        false_promotions=sum(_true_share(day) <= _FALSELY for day in promoted),
        clearly_better=len(better),
        better_promoted=sum(day.verdict == "promoted" for day in better),
    )


def _true_share(day: LivedDay) -> float:
    """Return the true gain of the prices that were judged, as a share of what the store earned; 0 where unknown."""
    earned = day.gain_eur / day.count_stores
    return 0.0 if day.true_gain_eur is None or earned <= 0 else day.true_gain_eur / earned


def _product(days: Sequence[LivedDay], world: str) -> list[LivedDay]:
    return [day for day in days if (day.world, day.learner) == (world, PRODUCT)]


def _week(days: Sequence[LivedDay], begin: int) -> list[LivedDay]:
    return [day for day in days if begin <= day.day < begin + WEEK]


def _seeds(days: Sequence[LivedDay]) -> list[int]:
    return list(dict.fromkeys(day.seed for day in days))


def _lost_share(days: Sequence[LivedDay]) -> float:
    most = sum(day.clairvoyant_eur for day in days)
    return 1 - sum(day.gain_eur for day in days) / most if most > 0 else 0.0
