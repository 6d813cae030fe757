"""Sell the days of a trial as ordinary batches of the lake, and read back what they brought.

Decisions of a trial are real sales of the store. They are published like any others, with the policy that set the
price, its model version and the price's propensity under that policy; the coin's chance stands in `trial_blocks`. The
ledger has a row for each turn, so a day is replayed to the same bytes. By whole days, stores of one arm are one batch;
by hours, each store is, since its turns are its own.

A turn begins with the policy as it is at opening: one that learns while it sells learns within a turn, and from the
stores of its own batch alone. So whole days suit such a policy; blocks of hours make it begin anew.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from catalog.arrays import Flags, Floats
from catalog.errors import Declined
from catalog.load import Catalog
from catalog.names import TRIAL_GROUP
from catalog.pricing import Policy, PricedBy
from catalog.spread import HERE, Progress, Spread, silent
from catalog.store_day import KeptStock, StoreDay
from etl.batches import Batch, BatchResult, in_force, is_committed
from etl.ledger import LedgerRow, keep_catalog
from etl.live.day import joined
from etl.load import DayRows, load_rows, rows_of
from etl.stock import kept_before, opens_with
from evaluation.harness import play_parts
from evaluation.trial.arms import arms_on, name_asked_for, values_on
from evaluation.trial.design import Design
from evaluation.trial.rewards import advantages, sales_in
from serving.playing import pricing_meant
from serving.policies import costs_that_count
from simulation.store_day import Stretch
from simulation.visits import draw_visits
from warehouse.lake import CODE_VERSION, Lake
from warehouse.locks import held
from warehouse.sold import bought_in
from warehouse.workspace import Whereabouts, Workspace, whereabouts

_NAME_LENGTH = 8


@dataclass(frozen=True)
class SwitchbackTrial:
    """A design, and the catalog that both policies sell under."""

    design: Design
    catalog: Catalog

    @cached_property
    def name(self) -> str:
        """The start of its fingerprint."""
        facts = repr((self.design, self.catalog.fingerprint))
        return hashlib.sha256(facts.encode()).hexdigest()[:_NAME_LENGTH]

    def batches(self, date: dt.date) -> Iterator[tuple[Batch, Flags]]:
        """Yield the batches of a date, each with whether B prices its blocks, shape (n_blocks,)."""
        design, prefix = self.design, f"{TRIAL_GROUP}{self.name}-"
        is_b = design.is_b[:, (date - design.start).days]
        if not design.is_by_day:
            for store, blocks in zip(design.stores, is_b, strict=True):
                yield Batch(date, prefix + store, (store,)), blocks
            return
        for arm, wanted in (("a", False), ("b", True)):
            stores = tuple(
                store for store, is_theirs in zip(design.stores, is_b[:, 0] == wanted, strict=True) if is_theirs
            )
            if stores:
                yield Batch(date, prefix + arm, stores), np.array([wanted])


def refuse_sold_dates(lake: Lake, trial: SwitchbackTrial) -> None:
    """Refuse dates that hold other decisions: what was sold cannot be sold again.

    Raises
    ------
    Declined
        With the first such date.
    """
    dates, prefix = set(trial.design.dates), f"{TRIAL_GROUP}{trial.name}-"
    for table in ("interactions", "live_interactions"):
        for part in lake.partitions(table):
            if part.business_date in dates and not part.group.startswith(prefix):
                raise Declined(
                    f"{part.business_date} has decisions already, and a trial needs {trial.design.days} business dates "
                    f"of its own from {trial.design.start}; nothing was played: name a later --start"
                )


@dataclass(frozen=True)
class TrialBatch:
    """A batch of a trial, a part of the experiment. Any process may sell it.

    Attributes
    ----------
    is_b
        Whether B prices each of its blocks, shape (n_blocks,).
    priced_by
        Fingerprints of what prices A's turns and B's.
    at_hand
        What prices them, for those who sell it in this process; it does not travel.
    """

    where: Whereabouts
    trial: SwitchbackTrial
    batch: Batch
    is_b: Flags
    priced_by: tuple[str, str]
    at_hand: tuple[PricedBy, PricedBy] | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Date and group of the batch."""
        return f"{self.batch.business_date} {self.batch.group}"

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "at_hand": None}

    def play(self) -> BatchResult:
        """Sell the batch and publish it.

        Raises
        ------
        Declined
            When something else prices its date by now.
        """
        workspace, design, arms = self.where.opened(), self.trial.design, self.at_hand
        if arms is None:
            asked = (name_asked_for(design.a), self.priced_by[0]), (name_asked_for(design.b), self.priced_by[1])
            a, b = (pricing_meant(workspace, self.batch, policy, meant) for policy, meant in asked)
            arms = a, b
        with held(workspace.lake.locks, f"play-{self.batch.business_date}-{self.batch.group}"):
            return _play(workspace.lake, design, workspace.catalog, self.batch, self.is_b, arms)


def play_trial(
    workspace: Workspace, trial: SwitchbackTrial, spread: Spread = HERE, progress: Progress = silent
) -> list[BatchResult]:
    """Sell the dates of a trial and publish them; batches that are there from the same inputs are left as they are.

    What prices a trial was in force before it began, so no date waits for another, but where stock lives on. What
    people ordered for a date stands under both policies.
    """
    jobs, where = list[TrialBatch](), whereabouts(replace(workspace, catalog=trial.catalog), spread)
    for date in trial.design.dates:
        a, b = arms_on(workspace.lake, trial.catalog, trial.design.a, trial.design.b, date)
        meant = (a.fingerprint, b.fingerprint)
        jobs += [TrialBatch(where, trial, batch, is_b, meant, (a, b)) for batch, is_b in trial.batches(date)]
    if trial.catalog.stock_rules is None:
        return play_parts(jobs, "playing the trial", spread, progress)
    played = list[BatchResult]()
    for number, date in enumerate(trial.design.dates, start=1):  # each begins with what the one before left
        played += play_parts([job for job in jobs if job.batch.business_date == date], "playing a date", spread)
        progress("playing the trial", number, len(trial.design.dates))
    return played


def rewards_of(lake: Lake, trial: SwitchbackTrial) -> tuple[Floats, Floats]:
    """Read what was sold: what counts of each tick, and what it earned, EUR, both (n_stores, n_days, n_ticks)."""
    design, catalog = trial.design, trial.catalog
    counted, earned = np.zeros(design.weights.shape), np.zeros(design.weights.shape)
    position = {store: number for number, store in enumerate(design.stores)}
    for day, date in enumerate(design.dates):
        values = None if design.is_by_day else values_on(lake, catalog, date)
        for batch, _ in trial.batches(date):
            rows = bought_in(lake, batch.partition, ["store_id", "tick", "sku", "price_offered"])
            places = [position[store] for store in batch.stores]
            sold = sales_in(rows, batch.stores, catalog.skus, costs_that_count(catalog), design.ticks)
            sold.gain_eur[:, -1] -= evenings_in(lake, catalog, batch)
            earned[places, day] = sold.gain_eur
            counted[places, day] = (
                sold.gain_eur
                if values is None
                else advantages(sold, opens_with(lake, catalog, batch.stores, date).stock, values)
            )
    return counted, earned


def evenings_in(lake: Lake, catalog: Catalog, batch: Batch) -> Floats:
    """Return what the evening cost each store of a batch, EUR, shape (n_stores,); 0 unless profit is the objective."""
    moves = replace(batch.partition, table="stock_movements")
    costs = np.zeros(len(batch.stores))
    if catalog.store.policies.objective == "profit" and lake.receipt(moves) is not None:
        rows = lake.read(moves).select(["store_id", "waste_eur", "holding_eur"]).to_pandas()
        places = pd.Index(batch.stores).get_indexer(rows["store_id"].astype(str))
        np.add.at(costs, places, (rows["waste_eur"] + rows["holding_eur"]).to_numpy())
    return costs


def _play(
    lake: Lake, design: Design, catalog: Catalog, batch: Batch, is_b: Flags, arms: tuple[PricedBy, PricedBy]
) -> BatchResult:
    seed = design.seed
    fingerprints = [arm.fingerprint for arm in arms]
    kept = kept_before(lake, catalog, batch.stores, batch.business_date)
    stock = () if kept is None else (kept.fingerprint,)
    facts = (catalog.fingerprint, batch, fingerprints, is_b.tolist(), design.block_ticks, seed, CODE_VERSION, *stock)
    inputs = hashlib.sha256(repr(facts).encode()).hexdigest()
    receipt = lake.receipt(batch.partition)
    if receipt is not None and is_committed(lake, batch.partition, inputs):
        return BatchResult(batch, "unchanged", receipt.rows)
    keep_catalog(lake, catalog)
    taking, rows, ledger = turns(is_b, design.block_ticks), None, list[LedgerRow]()
    policies = (arms[0].policy, arms[1].policy)
    parts = sell_by_turns(catalog, policies, taking, batch.stores, batch.business_date, seed, kept)
    for (of_b, first, _), part in zip(taking, parts, strict=True):
        ledger.append(in_force(catalog, batch, arms[of_b], seed, first))
        rows = _after(rows, rows_of(part, catalog))
    assert rows is not None  # noqa: S101 - a day has a turn
    rows = replace(rows, in_force=tuple(ledger))
    published = load_rows(lake, catalog, rows, batch.business_date, batch.group, inputs=inputs, seed=seed)[-1]
    return BatchResult(batch, "played" if published.action == "written" else published.action, published.receipt.rows)


def _after(earlier: DayRows | None, later: DayRows) -> DayRows:
    return later if earlier is None else joined(earlier, later)


def turns(is_b: Flags, block_ticks: int) -> list[tuple[bool, int, int]]:
    """Return who prices from which tick to before which, for the blocks of a day, shape (n_blocks,)."""
    taking, first = [], 0
    for of_b, blocks in groupby(is_b.tolist()):
        end = first + block_ticks * len(list(blocks))
        taking.append((of_b, first, end))
        first = end
    return taking


def sell_by_turns(
    catalog: Catalog,
    policies: tuple[Policy, Policy],
    taking: Sequence[tuple[bool, int, int]],
    stores: Sequence[str],
    date: dt.date,
    seed: int,
    kept: KeptStock | None = None,
) -> Iterator[StoreDay]:
    """Sell one date of some stores, and yield each turn as it was sold.

    Parameters
    ----------
    policies
        A and B.
    taking
        As from `turns`.
    kept
        What the stores have from the day before; None where nobody knows.
    """
    visits, standing = draw_visits(catalog, stores, date, seed), None
    for is_b, first, end in taking:
        stretch = Stretch(catalog, policies[is_b], stores, date, visits, standing, kept)
        for _ in range(first, end):
            stretch.sell_tick()
        standing = stretch.standing
        yield stretch.played()
