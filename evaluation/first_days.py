"""The first days of a store that starts to learn: what learning costs, and how soon it pays.

Each learner lives in a world of its own with the same shoppers: it explores around base prices for a week, learns from
its own decisions alone, night after night for a second week and then once a week, and goes on trying on its budget.
Regret is what the clairvoyant would have earned more on those shoppers.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import duckdb
import numpy as np

from catalog.load import Catalog
from catalog.pricing import Policy
from evaluation.contestants import Log, clairvoyant, curves_from
from evaluation.scores import day_gain, tally
from evaluation.worlds import built_in, chosen
from features.cells import feature_workbench
from serving.policies import GreedyPolicy, costs_that_count, policy_without_model, stock_aware
from serving.storefront import Storefront, storefront_before_champion, storefront_with_model
from simulation.over_days import OverDays
from simulation.visits import Visits, draw_visits
from warehouse.workspace import Whereabouts

LEARNERS = ("greedy", "stock_aware")
LEARNING_WORLD = "200 visits"
_EXPLORE_DAYS = 7
_NIGHTLY_DAYS = 14
_WEEK = 7
_FIRST = dt.date(2026, 6, 1)


@dataclass(frozen=True)
class DayResult:
    """What one policy earned on one day, and the clairvoyant on the same shoppers, EUR; days count from 1."""

    policy: str
    seed: int
    day: int
    gain_eur: float
    clairvoyant_eur: float


def live_first_days(connection: duckdb.DuckDBPyConnection, catalog: Catalog, days: int, seed: int) -> list[DayResult]:
    """Live the first days under every policy, in a world without shocks; returns one row per policy and day."""
    learners = {name: _Learner(name, catalog, seed) for name in LEARNERS}
    static, limit = Storefront(policy_without_model(catalog, "static")), Storefront(clairvoyant(catalog, _FIRST))
    results, at_static, at_limit = [], OverDays(), OverDays()
    for day in range(1, days + 1):
        date = _FIRST + dt.timedelta(days=day - 1)
        visits = draw_visits(catalog, catalog.store.stores, date, seed)
        most = day_gain(catalog, limit, date, visits, at_limit)
        earned = {"static": day_gain(catalog, static, date, visits, at_static)}
        for name, learner in learners.items():
            earned[name] = learner.live(connection, day, date, visits)
        results += [DayResult(name, seed, day, gain, most) for name, gain in earned.items()]
    return results


@dataclass(frozen=True)
class FirstDaysToLive:
    """Stores that start to learn where stock is scarce, on the shoppers of a seed. A part of a comparison."""

    where: Whereabouts
    days: int
    seed: int

    @property
    def name(self) -> str:
        """The days and the seed."""
        return f"the first {self.days} days, seed {self.seed}"

    def play(self) -> list[DayResult]:
        """Live the first days in the scenario `LEARNING_WORLD`."""
        workspace = self.where.opened()
        (world,) = chosen("scenario", [LEARNING_WORLD], built_in(workspace.catalog))
        with feature_workbench(workspace.settings) as connection:
            return live_first_days(connection, world.catalog, self.days, self.seed)


class _Learner:
    """A store that prices by what it has learned from its own decisions."""

    def __init__(self, name: str, catalog: Catalog, seed: int) -> None:
        self._name = name
        self._catalog = catalog
        self._seed = seed
        self._log: Log | None = None
        self._over_days = OverDays()
        self._policy: Policy = storefront_before_champion(catalog, "static")

    def live(self, connection: duckdb.DuckDBPyConnection, day: int, date: dt.date, visits: Visits) -> float:
        """Learn in the night before if it is time to, sell for a day, and return what it earned, EUR."""
        if self._log is not None and _is_due(day):
            self._policy = self._learned(connection, self._log, day)
        played = self._over_days.meet(self._catalog, self._policy, self._catalog.store.stores, date, visits)
        today = Log.of(played, self._catalog)
        self._log = today if self._log is None else self._log + today
        return tally(played, self._catalog).gain_eur

    def _learned(self, connection: duckdb.DuckDBPyConnection, log: Log, day: int) -> Policy:
        curves = curves_from(connection, self._catalog, log, "demand_forest", self._seed)
        store_days = (day - 1) * len(self._catalog.store.stores)
        visits = log.footfall() * log.visits.sum() / store_days
        if self._name == "greedy":
            return storefront_with_model(self._catalog, GreedyPolicy(curves, costs_that_count(self._catalog)), curves)
        return storefront_with_model(self._catalog, stock_aware(self._catalog, curves, visits, self._name), curves)


def _is_due(day: int) -> bool:
    return day > _EXPLORE_DAYS and (day <= _NIGHTLY_DAYS or (day - 1) % _WEEK == 0)


def regret_by_period(results: Sequence[DayResult]) -> dict[str, dict[str, float]]:
    """Return each policy's regret as a share of what the clairvoyant earned, by period of days."""
    last = max(row.day for row in results)
    edges = [*(edge for edge in (0, _EXPLORE_DAYS, _NIGHTLY_DAYS, 30, 60) if edge < last), last]
    regret: dict[str, dict[str, float]] = {}
    for policy in dict.fromkeys(row.policy for row in results):
        for first, end in pairwise(edges):
            period = [row for row in results if row.policy == policy and first < row.day <= end]
            lost = np.sum([row.clairvoyant_eur - row.gain_eur for row in period])
            most = np.sum([row.clairvoyant_eur for row in period])
            regret.setdefault(policy, {})[f"days {first + 1} to {end}"] = float(lost / most)
    return regret
