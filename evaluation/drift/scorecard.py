"""Play the scripted worlds and keep score: when an alarm came, how often for nothing, and what the change cost.

Euros are exact: what prices earn under true demand on average, against the clairvoyant of the same date. They are those
of the morning, so what the belief corrects during the day comes on top.
"""

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.settings import read_settings
from evaluation.clairvoyant import Clairvoyants
from evaluation.living_store import WatchingStore
from evaluation.scores import expected_gain
from evaluation.worlds import EXPLORE_DAYS, StoreWorld
from serving.curves import DemandCurves
from serving.pricing_policy import PricingPolicy

UNWATCHED = "none"
"""What becomes of the first champion when nobody watches and the belief alone corrects it: the contrast."""

RULES = ("residuals", UNWATCHED)
"""How a change is seen: by the champion's residuals, or not at all."""

_RECOVERED = 0.99  # share of the clairvoyant, or
_WITHIN = 0.01  # of the share before the first change, where that was less


@dataclass(frozen=True)
class ScoredDay:
    """A priced day: decisions, an alarm in the evening, and what a store day earns on average, EUR.

    `unwatched_eur` is what the first champion would have earned, `possible_eur` what the clairvoyant does.
    """

    date: dt.date
    decisions: int
    alarm: bool
    earned_eur: float
    unwatched_eur: float
    possible_eur: float

    def earned(self, rule: str) -> float:
        """Return what prices earn under a rule, EUR."""
        return self.unwatched_eur if rule == UNWATCHED else self.earned_eur

    def share(self, rule: str) -> float:
        """Return what prices earn under a rule as a share of what the clairvoyant does."""
        return self.earned(rule) / self.possible_eur


PlayedDays = Mapping[tuple[str, int], Sequence[ScoredDay]]
"""The scored days of each world and seed."""


@dataclass(frozen=True)
class DriftOutcome:
    """One rule's score for one change of a world; change 0 is the time before any.

    Attributes
    ----------
    days
        Priced days from the change until the next one or the end.
    false_alarms
        Days with an alarm before any change, or after the recovery from this one.
    detected_after_days
        Days of the change that were sold when the alarm came: 1 is the evening of the first. None where it never came.
    decisions
        Decisions of all products on those days; None as above.
    recovered_after_days
        Days that were sold before prices were good again for the rest of the time; None where they never were.
    lost_eur
        What the clairvoyant would have earned more on those days, all stores together.
    """

    scenario: str
    rule: str
    seed: int
    change: int
    days: int
    false_alarms: int
    detected_after_days: int | None
    decisions: int | None
    recovered_after_days: int | None
    lost_eur: float


@dataclass(frozen=True)
class Scorecard:
    """The worlds that were played, one outcome for each change, rule and seed, and the MLflow run with the figure."""

    worlds: tuple[StoreWorld, ...]
    outcomes: tuple[DriftOutcome, ...]
    run_id: str = ""


@dataclass(frozen=True)
class ShocksToPlay:
    """A scripted world, on the shoppers of a seed. A part of the experiment."""

    world: StoreWorld
    seed: int

    @property
    def name(self) -> str:
        """The world and the seed."""
        return f"{self.world.name}, seed {self.seed}"

    def play(self) -> list[ScoredDay]:
        """Play the world, and score each day that is priced by a champion."""
        world, clairvoyants, scored = self.world, Clairvoyants(self.world.catalog), list[ScoredDay]()
        with tempfile.TemporaryDirectory(prefix="shelfprice-shocks-") as home:
            store = WatchingStore(read_settings({"SHELFPRICE_HOME": home}), world.catalog, self.seed)
            first = None
            for position, date in enumerate(world.dates):
                earned = kept = 0.0
                if first is not None and (champion := store.champion) is not None:
                    earned = _gain(world, date, *store.prices_for(champion, date))
                    is_first = champion.version == first.version
                    kept = earned if is_first else _gain(world, date, *store.prices_for(first, date))
                decisions = store.sell(date).decisions
                alarm = position + 1 >= EXPLORE_DAYS and store.sees_a_change(date)
                if first is not None:
                    possible = _gain(world, date, clairvoyants.on(date))
                    scored.append(ScoredDay(date, decisions, alarm, earned, kept, possible))
                first = first or store.champion
        return scored


def outcomes(world: StoreWorld, rule: str, seed: int, days: Sequence[ScoredDay]) -> list[DriftOutcome]:
    """Score a rule in each part of a world: before any change, and from each change to the next or the end."""
    begins = [days[0].date, *world.changes]
    ends = [*world.changes, dt.date.max]
    quiet = [day for day in days if begins[0] <= day.date < ends[0]]
    wanted = min(_RECOVERED, quiet[-1].share(rule) - _WITHIN)
    scored = []
    for change, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        since = [day for day in days if begin <= day.date < end]
        below = [position for position, day in enumerate(since) if day.share(rule) < wanted]
        bad = below[-1] + 1 if below else 0
        missed = sum(day.possible_eur - day.earned(rule) for day in since[:bad])
        alarms = [position for position, day in enumerate(since) if day.alarm and rule != UNWATCHED]
        detected = alarms[0] + 1 if alarms and change else None
        scored.append(
            DriftOutcome(
                scenario=world.name,
                rule=rule,
                seed=seed,
                change=change,
                days=len(since),
                false_alarms=len([at for at in alarms if not change or at >= max(bad, detected or 0)]),
                detected_after_days=detected,
                decisions=sum(day.decisions for day in since[:detected]) if detected else None,
                recovered_after_days=bad if bad < len(since) else None,
                lost_eur=missed * len(world.catalog.store.stores),
            )
        )
    return scored


def scorecard_of(worlds: Sequence[StoreWorld], played: PlayedDays, seeds: int) -> Scorecard:
    """Score what was played; what becomes of the first champion is read off the same days."""
    scored = [
        outcome
        for world in worlds
        for rule in RULES
        for seed in range(1, seeds + 1)
        for outcome in outcomes(world, rule, seed, played[world.name, seed])
    ]
    return Scorecard(tuple(worlds), tuple(scored))


def _gain(world: StoreWorld, date: dt.date, policy: PricingPolicy, curves: DemandCurves | None = None) -> float:
    return float(expected_gain(policy, world.catalog, date, curves).sum())
