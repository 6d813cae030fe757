"""Runs an outside store beside the engine: it gets prices, sells a week, tells its sales, and says what was earned."""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from evaluation.outside_store.stores.engine_commands import CommandedEngine, EngineBeside
from evaluation.outside_store.stores.fetched_prices import FetchedPrices, PriceSupply
from evaluation.outside_store.stores.outside_world import WEEK, Flags, Floats, Ints, OutsideWorld
from evaluation.outside_store.stores.sales_client import SalesClient
from evaluation.outside_store.stores.till_faults import FaultyPost
from evaluation.outside_store.stores.till_lines import OPENS, DaySold, lines_of
from evaluation.outside_store.stores.weekly_seller import outcome_of

PLENTY = 1_000
"""Units on the shelf of a store that does not count them."""
_COIN = 0.01  # EUR
_NIGHT = dt.timedelta(hours=24.5)  # from the beginning of a date to when its sales are sent


@runtime_checkable
class SellsByTick(Protocol):
    """A store that asks for prices at each tick and tells more than its sales."""

    def sell_day(self, date: dt.date, ask: Callable[[Any], Floats]) -> DaySold:
        """Sell a date; `ask` answers the twin's shelf with prices, EUR, shape (n_stores, n_products)."""
        ...


@dataclass(frozen=True)
class StorePlan:
    """What is played.

    Attributes
    ----------
    first_monday
        First day. The store first sells `owner_weeks` at its owner's prices, then `n_weeks` at those it gets.
    faults
        What goes wrong on the way of its sales: see `till_faults`.
    each_tick
        Whether a store that can do so asks for prices at each tick, and not for a week.
    seed
        Of receipts and faults.
    """

    first_monday: dt.date
    n_weeks: int
    owner_weeks: int = 4
    faults: Collection[str] = ()
    each_tick: bool = False
    seed: int = 0


@dataclass
class OutsideTill:
    """A store with its till: what it charged, sold and sent."""

    world: OutsideWorld
    supply: PriceSupply
    client: SalesClient
    plan: StorePlan
    tell: Callable[[str], None] = lambda _: None
    engine: EngineBeside = field(default_factory=CommandedEngine)
    sold: list[DaySold] = field(default_factory=list)
    tried: list[Flags] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """Play all weeks and return what was earned, as plain values.

        Raises
        ------
        RefusedRequestError
            When the engine refuses a request, or does not answer.
        """
        plan, owner = self.plan, self.world.owner_prices
        post = FaultyPost(plan.faults, plan.seed)
        charged = np.empty((0, *owner.shape))
        for week in range(plan.owner_weeks + plan.n_weeks):
            monday = plan.first_monday + dt.timedelta(weeks=week)
            counts = week >= plan.owner_weeks
            prices = self._prices_of(monday, charged[-1]) if counts else owner
            charged = np.concatenate([charged, prices[None]])
            for day in self._sell(charged, monday, asks=counts and plan.each_tick):
                self.engine.at(dt.datetime.combine(day.date, dt.time(), dt.UTC) + _NIGHT)
                self.client.send_sales(post.of_day(day.lines))
                self.client.send("/v1/traffic", day.visitors)
                self.client.send("/v1/stock", day.stock)
                self.sold.append(day)
            self.tell(f"week {week + 1} of {plan.owner_weeks + plan.n_weeks} is sold")
        self.client.send_sales(post.left())
        return self._record(charged[plan.owner_weeks :])

    def _prices_of(self, monday: dt.date, standing: Floats) -> Floats:
        """Return the prices that the till charges from a Monday on, EUR, shape (n_stores, n_products).

        Where a price rises, a till follows only once the label has; so prices are fetched twice then. What tills and
        labels acknowledge is taken in by the export after it.
        """
        self.engine.before_week(monday)
        self.engine.export(monday)
        fetched = self._fetched(monday, standing)
        if not np.array_equal(fetched.till, fetched.label):
            fetched = self._fetched(monday, standing)
        self.tried.append(np.zeros(standing.shape, dtype=bool) if fetched.tried is None else fetched.tried)
        self.missing.append(fetched.missing)
        return fetched.till

    def _fetched(self, monday: dt.date, standing: Floats) -> FetchedPrices:
        moment = dt.datetime.combine(monday, dt.time(OPENS), dt.UTC)
        fetched = self.supply.fetch(moment, standing, np.full(standing.shape, PLENTY))
        self.engine.export(monday)
        return fetched

    def _sell(self, charged: Floats, monday: dt.date, *, asks: bool) -> Sequence[DaySold]:
        world, dates = self.world, [monday + dt.timedelta(days=day) for day in range(WEEK)]
        if isinstance(world, SellsByTick):
            week = charged[-1]
            return [world.sell_day(date, self._ask_each_tick(date) if asks else lambda _: week) for date in dates]
        prices, seed = charged[-1], self.plan.seed
        return [
            DaySold(date, sold, sold * prices, lines_of(sold, prices, world.stores, world.skus, date, seed))
            for date, sold in zip(dates, world.play_week(charged), strict=True)
        ]

    def _ask_each_tick(self, date: dt.date) -> Callable[[Any], Floats]:
        def ask(shelf: Any) -> Floats:
            standing = np.where(np.isnan(shelf.shown_prices), self.world.owner_prices, shelf.shown_prices)
            moment = dt.datetime.combine(date, dt.time(OPENS), dt.UTC)
            return self.supply.fetch(moment, standing, shelf.stock, int(shelf.ticks_left)).till

        return ask

    def _record(self, charged: Floats) -> dict[str, Any]:
        plan, world = self.plan, self.world
        counted = self.sold[plan.owner_weeks * WEEK :]
        units = _by_week([day.units for day in counted])
        earned = _by_week([day.revenue_eur for day in counted]) - units * world.unit_costs
        played = outcome_of(world, charged, units, np.array(self.tried))
        outside = ~world.rules.kept(world.owner_prices, charged, _COIN / 2)
        weeks = [
            {
                "week": week + 1,
                "monday": (plan.first_monday + dt.timedelta(weeks=plan.owner_weeks + week)).isoformat(),
                "earned_eur": round(float(earned[week].sum()), 2),
                "expected_eur": None if plan.each_tick else round(float(played.expected_eur[week].sum()), 2),
                "owner_eur": round(float(played.owner_eur[week].sum()), 2),
                "attainable_eur": round(float(played.attainable.weekly_eur[week]), 2),
                "tried": int(played.tried[week].sum()),
                "outside_rules": int(outside[week].sum()),
                "without_price": self.missing[week],
            }
            for week in range(plan.n_weeks)
        ]
        attainable = float(played.attainable.weekly_eur.sum())
        return {
            "weeks": weeks,
            "attainable": "exact" if played.attainable.is_exact else "upper bound",
            "lost": 1 - float(earned.sum()) / attainable if plan.each_tick else played.lost(1, plan.n_weeks),
            "lost_by_trying": played.lost_by_trying(1, plan.n_weeks),
            "owner_lost": 1 - float(played.owner_eur.sum()) / attainable,
            "units": int(units.sum()),
            "answers": dict(sorted(self.client.answers.items())),
            "refused": self.client.refused,
        }


def _by_week(days: Sequence[Floats] | Sequence[Ints]) -> Any:
    """Add days up to weeks, shape (n_weeks, n_stores, n_products)."""
    together = np.array(days)
    return together.reshape(-1, WEEK, *together.shape[1:]).sum(axis=1)
