"""Play the scripted worlds and keep score: when an alarm came, how often for nothing, and what the change cost.

Euros are exact: what prices earn under true demand on average, against the clairvoyant of the same date. They are those
of the morning, so what the belief corrects during the day comes on top.
"""

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from catalog.settings import read_settings
from catalog.tables.drift import DRIFT_RESULTS
from evaluation.contestants import clairvoyant
from evaluation.drift.store import WatchingStore
from evaluation.drift.worlds import EXPLORE_DAYS, ShockedWorld
from evaluation.scores import expected_gain
from serving.curves import DemandCurves
from serving.pricing_policy import PricingPolicy
from simulation.visits import budget_shifts_on, demand_factors_on

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


def play_world(world: ShockedWorld, seed: int) -> list[ScoredDay]:
    """Play a world, and score each day that is priced by a champion."""
    possible, scored = _Clairvoyant(world), []
    with tempfile.TemporaryDirectory(prefix="shelfprice-shocks-") as home:
        store = WatchingStore(read_settings({"SHELFPRICE_HOME": home}), world.catalog, seed)
        first = None
        for position, date in enumerate(world.dates):
            earned = kept = 0.0
            if first is not None and (champion := store.champion) is not None:
                earned = _gain(world, date, *store.prices_for(champion, date))
                is_first = champion.version == first.version
                kept = earned if is_first else _gain(world, date, *store.prices_for(first, date))
            decisions, alarm = store.sell(date), False
            if position + 1 >= EXPLORE_DAYS:
                alarm = store.night(date)
            if first is not None:
                scored.append(ScoredDay(date, decisions, alarm, earned, kept, possible.on(date)))
            first = first or store.champion
    return scored


def outcomes(world: ShockedWorld, rule: str, seed: int, days: Sequence[ScoredDay]) -> list[DriftOutcome]:
    """Score a rule in each part of a world: before any change, and from each change to the next or the end."""
    begins = [days[0].date, *world.changes]
    ends = [*world.changes, dt.date.max]
    quiet = [day for day in days if begins[0] <= day.date < ends[0]]
    wanted = min(_RECOVERED, share_of(quiet[-1], rule) - _WITHIN)
    found = []
    for change, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        own = [day for day in days if begin <= day.date < end]
        below = [position for position, day in enumerate(own) if share_of(day, rule) < wanted]
        bad = below[-1] + 1 if below else 0
        missed = sum(day.possible_eur - _earned(day, rule) for day in own[:bad])
        alarms = [position for position, day in enumerate(own) if day.alarm and rule != UNWATCHED]
        detected = alarms[0] + 1 if alarms and change else None
        found.append(
            DriftOutcome(
                scenario=world.name,
                rule=rule,
                seed=seed,
                change=change,
                days=len(own),
                false_alarms=len([at for at in alarms if not change or at >= max(bad, detected or 0)]),
                detected_after_days=detected,
                decisions=sum(day.decisions for day in own[:detected]) if detected else None,
                recovered_after_days=bad if bad < len(own) else None,
                lost_eur=missed * len(world.catalog.store.stores),
            )
        )
    return found


def share_of(day: ScoredDay, rule: str) -> float:
    """Return what prices earn on a day as a share of what the clairvoyant does."""
    return _earned(day, rule) / day.possible_eur


def outcomes_to_table(found: Sequence[DriftOutcome], played_at: dt.datetime) -> pa.Table:
    """Return the outcomes in the columns of `drift_results`."""
    return pa.Table.from_pylist(
        [asdict(outcome) | {"played_at": played_at} for outcome in found], schema=DRIFT_RESULTS.schema
    )


class _Clairvoyant:
    """What the clairvoyant earns on a store day, EUR; worked out once for each state of the world."""

    def __init__(self, world: ShockedWorld) -> None:
        self._world = world
        self._known: dict[bytes, float] = {}

    def on(self, date: dt.date) -> float:
        catalog = self._world.catalog
        state = budget_shifts_on(catalog, date).tobytes() + demand_factors_on(catalog, date).tobytes()
        if state not in self._known:
            self._known[state] = _gain(self._world, date, clairvoyant(catalog, date))
        return self._known[state]


def _gain(world: ShockedWorld, date: dt.date, policy: PricingPolicy, curves: DemandCurves | None = None) -> float:
    return float(expected_gain(policy, world.catalog, date, curves).sum())


def _earned(day: ScoredDay, rule: str) -> float:
    return day.unwatched_eur if rule == UNWATCHED else day.earned_eur
