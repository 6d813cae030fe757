"""Regret of whole learners: shares of what the clairvoyant earned, and what the product's gate did meanwhile.

All functions are pure: lived days -> numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from plugins.evaluation.as_shipped.lived_days import BELIEF_ALONE, OWNERS_PRICE, PRODUCT, LivedDay
from plugins.evaluation.peers.peer import NAMES, SHIPPED_NAMES
from plugins.evaluation.reporting import MeanInterval, interval

WEEK = 7
_PERIODS = ((1, WEEK), (8, 14), (8, 30), (1, 30), (1, 60))  # first and last day
_FALSELY = -0.01  # of what the store earned: a promotion that costs as much is false
_CLEARLY = 0.03  # of what the store earned: a challenger that truly brings as much should price

Days = Sequence[LivedDay]


class Period(NamedTuple):
    """Days of a store from the first through the last of them; they count from 1."""

    first: int
    last: int

    @property
    def title(self) -> str:
        """What tables call it."""
        return f"days {self.first} to {self.last}" if self.last > self.first else f"day {self.first}"


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
    intervals, held
        Judged versions whose true gain is known beside the interval that the gate read, and those of them whose
        interval holds it: 95 % of them if intervals are honest.
    """

    judged: int
    promoted: int
    false_promotions: int
    clearly_better: int
    better_promoted: int
    intervals: int
    held: int


def periods_of(days: int) -> list[Period]:
    """Return the periods that are told of so many days; the last one is all of them."""
    periods = [Period(first, last) for first, last in _PERIODS if last <= days]
    return [*(period for period in periods if period != (1, days)), Period(1, days)]


def regret(days: Days, world: str, learner: str, period: Period) -> MeanInterval:
    """Return the regret of a period as a share of what the clairvoyant earned, over the seeds."""
    return interval(_lost_by_seed(days, world, learner, period))


def against_best_peer(days: Days, world: str, period: Period) -> tuple[str, MeanInterval]:
    """Return the peer with the lowest regret of a period, and the product's regret less that one's, over the seeds.

    Seed by seed both met the same shoppers, so much of the noise cancels. Below 0 the product lost less.
    """
    lived = {day.learner for day in days}
    peers = [name for name in (*NAMES, *SHIPPED_NAMES) if name in lived]
    best = min(peers, key=lambda name: regret(days, world, name, period).mean)
    ours, theirs = (_lost_by_seed(days, world, name, period) for name in (PRODUCT, best))
    return best, interval([our - their for our, their in zip(ours, theirs, strict=True)])


def brought_by_models(days: Days, world: str, period: Period) -> MeanInterval:
    """Return the regret of the belief alone less the product's, over the seeds: what its models brought."""
    alone, shipped = (_lost_by_seed(days, world, name, period) for name in (BELIEF_ALONE, PRODUCT))
    return interval([before - after for before, after in zip(alone, shipped, strict=True)])


def worst_week(days: Days, world: str, learner: str) -> float:
    """Return the largest share of the clairvoyant's week by which the owner's price earned more, over whole weeks.

    Below 0 where the learner earned more in every week. All seeds count together, for the noise of a week is large.
    """
    lived, base = (_lived(days, world, name) for name in (learner, OWNERS_PRICE))
    begins = range(1, max(1, max(day.day for day in lived) - WEEK + 1) + 1, WEEK)
    weeks = (range(begin, begin + WEEK) for begin in begins)
    return max(
        _lost_share([day for day in lived if day.day in week]) - _lost_share([day for day in base if day.day in week])
        for week in weeks
    )


def nights_until(days: Days, world: str, *sources: str) -> tuple[int | None, ...]:
    """Return the nights until any of the sources first priced the product's day, for each seed; None where never."""
    return tuple(
        min((day.day - 1 for day in lived if day.priced_by in sources), default=None)
        for lived in _by_seed(_lived(days, world, PRODUCT))
    )


def lost_until_champion(days: Days, world: str) -> MeanInterval:
    """Return what the clairvoyant earned more on the days before the first champion's, EUR, over the seeds."""
    seeds = zip(_by_seed(_lived(days, world, PRODUCT)), nights_until(days, world, "champion"), strict=True)
    return interval(
        [
            sum(day.clairvoyant_eur - day.gain_eur for day in lived if nights is None or day.day <= nights)
            for lived, nights in seeds
        ]
    )


def gate_record(days: Days, world: str) -> GateRecord:
    """Count what the gate did in a world."""
    judged = [day for day in _lived(days, world, PRODUCT) if day.verdict is not None]
    better = [day for day in judged if _true_share(day) >= _CLEARLY]
    promoted = [day for day in judged if day.verdict == "promoted"]
    holds = [holds for day in judged if (holds := _interval_holds(day)) is not None]
    return GateRecord(
        judged=len(judged),
        promoted=len(promoted),
        false_promotions=sum(_true_share(day) <= _FALSELY for day in promoted),
        clearly_better=len(better),
        better_promoted=sum(day.verdict == "promoted" for day in better),
        intervals=len(holds),
        held=sum(holds),
    )


def _interval_holds(day: LivedDay) -> bool | None:
    """Tell whether the interval that the gate read holds the true gain; None where either is not known."""
    if day.true_gain_eur is None or day.gain_lower_eur is None or day.gain_upper_eur is None:
        return None
    return day.gain_lower_eur <= day.true_gain_eur <= day.gain_upper_eur


def _lived(days: Days, world: str, learner: str) -> list[LivedDay]:
    return [day for day in days if (day.world, day.learner) == (world, learner)]


def _by_seed(days: Days) -> list[list[LivedDay]]:
    return [[day for day in days if day.seed == seed] for seed in dict.fromkeys(day.seed for day in days)]


def _lost_by_seed(days: Days, world: str, learner: str, period: Period) -> list[float]:
    first, last = period
    lived = [day for day in _lived(days, world, learner) if first <= day.day <= last]
    return [_lost_share(days) for days in _by_seed(lived)]


def _lost_share(days: Days) -> float:
    most = sum(day.clairvoyant_eur for day in days)
    return 1 - sum(day.gain_eur for day in days) / most if most > 0 else 0.0


def _true_share(day: LivedDay) -> float:
    """Return the true gain of the prices that were judged, as a share of what the store earned; 0 where unknown."""
    earned = day.gain_eur / day.count_stores
    return 0.0 if day.true_gain_eur is None or earned <= 0 else day.true_gain_eur / earned
