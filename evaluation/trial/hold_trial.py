"""A trial from the question to the answer: plan it, sell it, say what B earns more than A, and keep that."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import call
from typing import Any

import numpy as np
import pyarrow as pa

from catalog.arrays import Floats
from catalog.currency import Currency
from catalog.errors import Declined
from catalog.load import Catalog
from catalog.spread import HERE, Progress, Spread, silent
from catalog.tables.comparisons import TRIAL_BLOCKS, TRIALS
from etl.batches import store_ids
from etl.live.calendar import DEFAULT_START, ONE_DAY, newest_sold
from evaluation.trial.arms import arms_on, refuse_pair, refuse_stopped, values_on, without_exploration
from evaluation.trial.design import Design
from evaluation.trial.estimate import TrialOutcome, outcome_of
from evaluation.trial.power import TrialPlan, past_store_days, plan_of, spread_of
from evaluation.trial.switchback_sales import SwitchbackTrial, play_trial, refuse_sold_dates, rewards_of
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

_CHANCE = 0.5
_HOPELESS = 0.3


@dataclass(frozen=True)
class TrialRequest:
    """What is to be tried.

    Attributes
    ----------
    hours
        Hours of a block; None makes whole store days take turns.
    washout_ticks
        Ticks that do not count after a switch; with whole days there are none.
    start
        First business date; None is the day after the newest that was sold.
    explore
        Whether both policies explore as the catalog says, instead of not at all.
    variation
        Standard deviation of a store day's earnings over their mean; None takes that of past days.
    """

    a: str
    b: str
    days: int = 14
    stores: int | None = None
    hours: float | None = None
    washout_ticks: int = 1
    seed: int = 7
    start: dt.date | None = None
    explore: bool = False
    variation: float | None = None


@dataclass(frozen=True)
class PlannedTrial:
    """A trial that may begin, and its plan."""

    trial: SwitchbackTrial
    plan: TrialPlan

    @property
    def money(self) -> Currency:
        """The currency of the stores."""
        return self.trial.catalog.store.money

    @property
    def sentence(self) -> str:
        """What the trial can detect, in the currency of the stores."""
        return self.plan.told(self.money)


@dataclass(frozen=True)
class TrialResult:
    """A trial that was sold, and its outcome."""

    planned: PlannedTrial
    outcome: TrialOutcome

    @property
    def verdict(self) -> str:
        """`a` or `b`, whichever earns more, or `undecided`."""
        if not self.outcome.is_decided:
            return "undecided"
        return "b" if self.outcome.effect_eur > 0 else "a"


def design_of(catalog: Catalog, asked: TrialRequest, start: dt.date) -> Design:
    """Return the design of a question from a first date on.

    Raises
    ------
    DataError
        When it cannot be balanced or has too few pairs.
    """
    opening = catalog.store.opening
    block = opening.ticks if asked.hours is None else round(asked.hours * 60 / opening.tick_minutes)
    washout = 0 if block >= opening.ticks else asked.washout_ticks
    stores = store_ids(catalog, asked.stores)
    return Design(asked.a, asked.b, start, asked.days, stores, opening.ticks, block, washout, asked.seed)


def plan_trial(workspace: Workspace, asked: TrialRequest) -> PlannedTrial:
    """TrialPlan a trial, and refuse one that cannot be played or could not say anything.

    Raises
    ------
    DataError
        When a policy is unknown, needs a price book that is not there, or the design says nothing.
    Declined
        When the dates hold other decisions, or the kill switch is on.
    """
    refuse_pair(asked.a, asked.b)
    lake = workspace.lake
    catalog = workspace.catalog if asked.explore else without_exploration(workspace.catalog)
    newest = newest_sold(lake)
    start = asked.start or (newest + ONE_DAY if newest else DEFAULT_START)
    trial = SwitchbackTrial(design_of(catalog, asked, start), catalog)
    refuse_sold_dates(lake, trial)
    refuse_stopped(lake, catalog, trial.design.dates)
    arms_on(lake, catalog, asked.a, asked.b, start)
    if not trial.design.is_by_day:
        values_on(lake, catalog, start)
    spread = spread_of(past_store_days(lake, catalog, start), asked.variation)
    return PlannedTrial(trial, plan_of(trial.design, spread))


def hold_trial(
    workspace: Workspace,
    asked: TrialRequest,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress = silent,
    run: Callable[..., Any] = call,
    spread: Spread = HERE,
) -> TrialResult:
    """TrialPlan a trial, say what it can detect, sell its days wherever there is room, and conclude.

    Parameters
    ----------
    run
        Runs a step, as a task where there is an orchestrator.

    Raises
    ------
    DataError
        As `plan_trial` does.
    Declined
        The same; and when the smallest difference that it would detect is above 30 % of sales.
    """
    planned = plan_trial(workspace, asked)
    if planned.plan.detectable > _HOPELESS:
        raise Declined(f"nothing was played: {planned.plan.warning}")
    say(planned.sentence)
    run(play_trial, workspace, planned.trial, spread, progress)
    return run(conclude, workspace.lake, planned)


def conclude(lake: Lake, planned: PlannedTrial) -> TrialResult:
    """Estimate what B earns more than A from what was sold, and keep it; again, it gives the same answer."""
    trial = planned.trial
    counted, earned = rewards_of(lake, trial)
    found = TrialResult(planned, outcome_of(trial.design, counted, earned.sum(axis=2)))
    inputs, kept = f"{found.outcome}:{planned.plan}", Partition("trials", None, trial.name)
    if not lake.is_current(kept, inputs):
        with lake.commit(f"trial-{trial.name}", inputs=inputs) as commit:
            commit.publish(Partition("trial_blocks", None, trial.name), _blocks(trial, counted, earned))
            commit.publish(kept, _row(found, dt.datetime.now(dt.UTC)))
    return found


def plan_facts(planned: PlannedTrial) -> dict[str, Any]:
    """Return what report and table say alike of the design and the plan."""
    design, plan = planned.trial.design, planned.plan
    return {
        "trial": planned.trial.name,
        "a": design.a,
        "b": design.b,
        "unit": "day" if design.is_by_day else "hours",
        "days": design.days,
        "block_ticks": design.block_ticks,
        "washout_ticks": design.washout_ticks,
        "seed": design.seed,
        "variation": plan.spread.variation,
        "variation_source": plan.spread.source,
        "detectable": plan.detectable,
        "days_for_three_percent": plan.days_for_wanted,
    }


def outcome_facts(found: TrialResult) -> dict[str, Any]:
    """Return what report and table say alike of the outcome."""
    names = ("a_eur", "effect_eur", "low_eur", "high_eur", "p_value")
    return {name: getattr(found.outcome, name) for name in names} | {"verdict": found.verdict}


def _row(found: TrialResult, played_at: dt.datetime) -> pa.Table:
    trial = found.planned.trial
    row = {
        **plan_facts(found.planned),
        **outcome_facts(found),
        "start_date": trial.design.start,
        "count_stores": len(trial.design.stores),
        "count_pairs": found.outcome.n_pairs,
        "catalog": trial.catalog.fingerprint,
        "objective": trial.catalog.store.policies.objective,
        "played_at": played_at,
    }
    return pa.Table.from_pylist([row], schema=TRIALS.schema)


def _blocks(trial: SwitchbackTrial, counted: Floats, earned: Floats) -> pa.Table:
    """Return one row for each block; `counted` and `earned` are EUR, shape (n_stores, n_days, n_ticks)."""
    design = trial.design
    shape = (*design.is_b.shape, design.block_ticks)
    of_blocks = [one.reshape(shape).sum(axis=3).ravel() for one in (earned, counted * design.weights)]
    store, day, block = (axis.ravel() for axis in np.indices(design.is_b.shape))
    is_b = design.is_b.ravel()
    columns: dict[str, Iterable[object]] = {
        "trial": [trial.name] * len(is_b),
        "sold_on": [design.dates[number] for number in day],
        "store_id": [design.stores[number] for number in store],
        "block": block,
        "arm": np.where(is_b, "b", "a"),
        "policy": np.where(is_b, design.b, design.a),
        "chance": np.full(len(is_b), _CHANCE),
        "earned_eur": of_blocks[0],
        "counted_eur": of_blocks[1],
    }
    arrays = [pa.array(list(columns[field.name])).cast(field.type) for field in TRIAL_BLOCKS.schema]
    return pa.table(arrays, schema=TRIAL_BLOCKS.schema)
