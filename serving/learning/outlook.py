"""What is believed of demand in the middle of a day, and the prices that follow for the ticks that are left."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.decisions.pricing import Lesson, Sold
from catalog.ladder import price_ladder
from catalog.load import Catalog
from serving.belief.belief import Belief, Opened, Understanding, opened
from serving.belief.gaussian import Counts
from serving.belief.sales import hours_of_day
from serving.belief.today import Footfall
from serving.learning.exploration import ExplorationPlan
from serving.learning.worth_knowing import StockedDay, drawn_gains, fairly, worth_knowing
from serving.optimise.curves import DemandCurves, Switching
from serving.optimise.days_ahead import Evenings, least_worth
from serving.optimise.policies import PricingPolicy, ahead_of, costs_that_count, policy_with_model
from serving.optimise.substitution import sales_with_substitutes

_NOBODY = 1e-12  # visits
_AT_ONCE = 32  # products whose draws fit into a processor's cache
_FAR_OFF = 0.15  # share by which the visits to come may differ before prices are remade out of turn

WITHOUT_CHAMPION = "none"
"""What stands for a model version where no champion is behind a belief."""


@dataclass(frozen=True)
class Today:
    """What the stores of a zone have seen of a day, all of them together.

    Attributes
    ----------
    counts
        Visits that found stock and those that bought, at the knots.
    visits
        All visits by tick, shape (n_products, n_ticks so far).
    n_stores
        Stores of the zone.
    """

    counts: Counts
    visits: Floats
    n_stores: int = 1

    @property
    def ticks(self) -> int:
        """Ticks that are sold."""
        return self.visits.shape[1]


@dataclass(frozen=True)
class DayStart:
    """What a day begins with: the catalog, its belief worked out, the footfall, and the champion behind it or None.

    `owners` are the owner's prices, EUR, shape (n_products,); None for base prices. `learners` says how many stores
    learn from what one of them tries; None is all of the catalog. `switching` is how shoppers take substitutes, None
    where nobody is known to. `may_stand` are the prices of the ladder that need nobody's approval; None is all of them.
    """

    catalog: Catalog
    opened: Opened
    footfall: Footfall
    model_version: str | None = None
    owners: Floats | None = None
    learners: int | None = None
    switching: Switching | None = None
    may_stand: Flags | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Hours of a day, products and knots."""
        return (len(self.opened.hours), *self.opened.knots.shape)

    @property
    def owners_prices(self) -> Floats:
        """The owner's prices, or base prices, EUR, shape (n_products,)."""
        return self.catalog.base_prices if self.owners is None else self.owners

    @cached_property
    def ladder(self) -> Floats:
        """Candidate prices, EUR, shape (n_products, n_prices)."""
        return price_ladder(self.catalog, self.owners)

    @cached_property
    def ahead(self) -> tuple[Evenings, ...] | None:
        """Values what is left at closing, as believed before the first visit; None where that does not count."""
        if not self.catalog.counts_evenings:
            return None
        return ahead_of(self.catalog, self.outlook().curves, self.footfall.by_tick)

    def outlook(self) -> "Outlook":
        """Return what is believed before the first visit."""
        return self._before_opening

    @cached_property
    def _before_opening(self) -> "Outlook":
        nothing = Today(Counts.none(self.shape), np.zeros((len(self.catalog.skus), 0)))
        return Outlook(self, nothing)


@dataclass(frozen=True)
class Outlook:
    """What is believed after some ticks of a day, and the prices that follow for those that are left."""

    start: DayStart
    today: Today

    @property
    def is_before_first_update(self) -> bool:
        """Whether no sales have been learned from, neither those of a day before nor today's."""
        return self.start.opened.is_first_day and not self.today.ticks

    @cached_property
    def understanding(self) -> Understanding:
        """What is believed of demand."""
        return self.start.opened.given(self.today.counts)

    @cached_property
    def curves(self) -> DemandCurves:
        """The chance of sale at the ladder, with its 95 % interval: as believed, with a fair start for the owner's."""
        start, moved = self.start, self._drawn[0]
        chance, low, high = self._believed
        chance = fairly(chance, moved)
        by_tick = None
        if self.understanding.knows_hours:
            by_hour = start.opened.knots.at(self.understanding.by_hour, start.ladder)
            by_tick = fairly(by_hour, moved)[hours_of_day(start.catalog)[self.today.ticks :]]
            coming, sold = self.visits.T[:, :, None], np.zeros(chance.shape)
            for at_tick, visits in zip(by_tick, coming, strict=True):  # all at once are a second quarter of a gigabyte
                sold += at_tick * visits
            chance = sold / np.maximum(coming.sum(axis=0), _NOBODY)
        curves = DemandCurves(start.catalog.skus, start.ladder, chance, start.model_version or WITHOUT_CHAMPION)
        curves = replace(curves, low=np.minimum(low, chance), high=np.maximum(high, chance), by_tick=by_tick)
        return replace(curves, switching=start.switching, beside=self._beside)

    @cached_property
    def _believed(self) -> tuple[Floats, Floats, Floats]:
        """Chance of sale at the ladder and its 95 % interval, hours apart, each shape (n_products, n_prices)."""
        chances = self.understanding.chance, *self.understanding.interval
        chance, low, high = (self.start.opened.knots.at(values, self.start.ladder) for values in chances)
        return chance, low, high

    @cached_property
    def _drawn(self) -> tuple[Floats, Floats, Flags]:
        """`Drawn.moved`, and what exploring may cost and with which prices; drawn for a block of products at a time."""
        blocks = (slice(first, first + _AT_ONCE) for first in range(0, len(self.start.ladder), _AT_ONCE))
        moved, budgets, tried = zip(*map(self._drawn_of, blocks), strict=True)
        return np.concatenate(moved), np.concatenate(budgets), np.concatenate(tried)

    def _drawn_of(self, block: slice) -> tuple[Floats, Floats, Flags]:
        start, catalog, rules = self.start, self.start.catalog, self.start.catalog.store.exploration
        ladder, forgone = start.ladder[block], costs_that_count(catalog)[block]
        units = np.full(len(ladder), np.inf)
        if catalog.store.policies.with_champion == "stock_aware":
            forgone = forgone + least_worth(catalog)[block]
            units = np.maximum(catalog.units_a_day[block].round(), 1.0)
        owners = start.owners_prices[block]
        beside, trust = 0.0 if self._beside is None else self._beside[block], catalog.store.belief.trust_in_owner
        knots, understanding = start.opened.knots.among(block), self.understanding.among(block)
        day = StockedDay(self._whole_day[block].sum(axis=1), units)
        drawn = drawn_gains(knots, understanding, ladder, forgone, owners, trust, day, beside)
        a_day = start.footfall.daily[block] * (start.learners or len(catalog.store.stores))
        may_stand = None if start.may_stand is None else start.may_stand[block]
        return drawn.moved, *worth_knowing(drawn, a_day * rules.pays_within_days, a_day, rules.budget, may_stand)

    @cached_property
    def _beside(self) -> Floats | None:
        """What a visit brings beside its own sale, EUR, shape (n_products, n_prices); None where nobody switches."""
        catalog, ladder = self.start.catalog, self.start.ladder
        curves = DemandCurves(catalog.skus, ladder, self._believed[0], "", switching=self.start.switching)
        sales = sales_with_substitutes(catalog, curves, self.visits, ladder - costs_that_count(catalog)[:, None])
        return None if sales is None else sales.beside

    @cached_property
    def lesson(self) -> Lesson:
        """What the day has taught so far, in figures."""
        knots, base = self.start.opened.knots, self.start.catalog.base_prices[:, None]
        chances = self.understanding.chance, *self.understanding.interval
        return Lesson(
            ticks=self.today.ticks,
            met=self.today.counts.met.sum(axis=(0, 2)).round().astype(np.int64),
            bought=self.today.counts.bought.sum(axis=(0, 2)).round().astype(np.int64),
            p_base=np.concatenate([knots.at(values, base) for values in chances], axis=1),
            visits_left=self.visits.sum(axis=1),
            changed=self.understanding.changed,
        )

    @cached_property
    def visits(self) -> Floats:
        """Visits expected of one store in each tick that is left, shape (n_products, n_ticks left)."""
        return self._whole_day[:, self.today.ticks :]

    @cached_property
    def _whole_day(self) -> Floats:
        """Visits expected of one store in each tick of the day, shape (n_products, n_ticks)."""
        return self.start.footfall.given(self.today.visits, self.today.n_stores)

    @cached_property
    def policy(self) -> PricingPolicy:
        """The catalog's policy for the ticks that are left."""
        return policy_with_model(self.start.catalog, self.curves, self.visits, ahead=self.start.ahead)

    @cached_property
    def exploration(self) -> ExplorationPlan:
        """How prices are explored: for no more than knowing demand would be worth."""
        _, budget, may_be_tried = self._drawn
        return ExplorationPlan(0.0, self.start.ladder, budget=budget, allowed=may_be_tried)

    def after(self, sold: tuple[Sold, ...]) -> "Outlook":
        """Return the outlook after more ticks."""
        knots, today = self.start.opened.knots, self.today
        met, bought = (np.zeros(self.start.shape) for _ in range(2))
        blocks = hours_of_day(self.start.catalog)
        for tick in sold:
            product = np.broadcast_to(np.arange(tick.prices.shape[1]), tick.prices.shape).ravel()
            for prices, *counts in tick.by_lowest_price():
                for into, visits in zip((met, bought), counts, strict=True):
                    into[blocks[tick.tick]] += knots.counted(product, prices.ravel(), visits.ravel().astype(float))
        counts_now = today.counts + Counts(met, bought)
        return Outlook(self.start, Today(counts_now, self._visits_with(sold), len(sold[0].prices)))

    def is_overtaken(self, sold: tuple[Sold, ...]) -> bool:
        """Return whether the visits since then change the visits to come by more than 15 %."""
        now = self.start.footfall.given(self._visits_with(sold), len(sold[0].prices))
        left = self.today.ticks + len(sold)
        before = self.visits[:, len(sold) :].sum()
        return bool(abs(now[:, left:].sum() - before) > _FAR_OFF * before)

    def _visits_with(self, sold: tuple[Sold, ...]) -> Floats:
        visits = np.stack([tick.visits.sum(axis=0) for tick in sold], axis=1).astype(float)
        return np.concatenate([self.today.visits, visits], axis=1)


def start_of_day(catalog: Catalog, belief: Belief) -> DayStart:
    """Return what a day begins with under a belief."""
    at_opening = opened(catalog, belief)
    return DayStart(catalog, at_opening, belief.footfall, belief.model_version, switching=belief.switching)
