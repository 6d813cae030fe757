"""What is believed of demand in the middle of a day, and the prices that follow for the ticks that are left."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.decisions.pricing import Lesson, Sold
from catalog.ladder import price_ladder
from catalog.load import Catalog
from serving.belief.belief import Belief, Opened, Understanding, opened
from serving.belief.footfall import Footfall
from serving.belief.gaussian import Counts
from serving.belief.sales import hours_of_day
from serving.learning.exploration import ExplorationPlan
from serving.learning.worth_knowing import WorthKnowing, drawn_gains, fairly, worth_knowing
from serving.optimise.curves import DemandCurves, Switching
from serving.optimise.days_ahead import Evenings, least_worth
from serving.optimise.policies import PricingPolicy, ahead_of, costs_that_count, policy_with_model
from serving.optimise.recursion import usual_unit_values
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

    @cached_property
    def understanding(self) -> Understanding:
        """What is believed of demand."""
        return self.start.opened.given(self.today.counts)

    @cached_property
    def curves(self) -> DemandCurves:
        """The chance of sale at the ladder, with its 95 % interval: as believed, with a fair start for the owner's."""
        start, (moved, _) = self.start, self._drawn
        chance, low, high = self._believed
        chance = fairly(chance, moved)
        version = start.model_version or WITHOUT_CHAMPION
        by_tick = None
        if self.understanding.knows_hours:
            by_hour = start.opened.knots.at(self.understanding.by_hour, start.ladder)
            by_tick = fairly(by_hour, moved)[hours_of_day(start.catalog)[self.today.ticks :]]
            coming, sold = self.visits.T[:, :, None], np.zeros(chance.shape)
            for own, visits in zip(by_tick, coming, strict=True):  # all at once are a second quarter of a gigabyte
                sold += own * visits
            chance = sold / np.maximum(coming.sum(axis=0), _NOBODY)
        low, high = np.minimum(low, chance), np.maximum(high, chance)
        known = (start.catalog.skus, start.ladder, chance, version)
        return DemandCurves(*known, low=low, high=high, by_tick=by_tick, switching=start.switching, beside=self._beside)

    @cached_property
    def _believed(self) -> tuple[Floats, Floats, Floats]:
        """Chance of sale at the ladder and its 95 % interval, hours apart, each shape (n_products, n_prices)."""
        knots, ladder, known = self.start.opened.knots, self.start.ladder, self.understanding
        chance, low, high = (knots.at(own, ladder) for own in (known.chance, *known.interval))
        return chance, low, high

    @cached_property
    def _drawn(self) -> tuple[Floats, WorthKnowing]:
        """What draws from the belief say: `Drawn.moved`, and what exploring is worth; a block of products at a time."""
        n_products = len(self.start.ladder)
        starts = range(0, n_products, _AT_ONCE)
        moved, worth = zip(*(self._drawn_of(slice(first, first + _AT_ONCE)) for first in starts), strict=True)
        budget, may_be_tried = (np.concatenate([getattr(own, one.name) for own in worth]) for one in fields(worth[0]))
        return np.concatenate(moved), WorthKnowing(budget, may_be_tried)

    def _drawn_of(self, own: slice) -> tuple[Floats, WorthKnowing]:
        start, catalog, rules = self.start, self.start.catalog, self.start.catalog.store.exploration
        ladder, forgone = start.ladder[own], costs_that_count(catalog)[own]
        if catalog.store.policies.with_champion == "stock_aware":
            forgone = forgone + least_worth(catalog)[own]
            gains, coming = ladder - forgone[:, None], self.visits[own].sum(axis=1)
            units = catalog.par_stock[own].astype(float)
            forgone = forgone + usual_unit_values(gains, self._believed[0][own], coming, units)
        owners = (catalog.base_prices if start.owners is None else start.owners)[own]
        known = (start.opened.knots.among(own), self.understanding.among(own), ladder, forgone, owners)
        beside = 0.0 if self._beside is None else self._beside[own]
        drawn = drawn_gains(*known, catalog.store.belief.trust_in_owner, beside)
        a_day = start.footfall.daily[own] * (start.learners or len(catalog.store.stores))
        may_stand = None if start.may_stand is None else start.may_stand[own]
        return drawn.moved, worth_knowing(drawn, a_day * rules.pays_within_days, a_day, rules.budget, may_stand)

    @cached_property
    def _beside(self) -> Floats | None:
        """What a visit brings beside its own sale, EUR, shape (n_products, n_prices); None where nobody switches."""
        catalog, ladder = self.start.catalog, self.start.ladder
        curves = DemandCurves(catalog.skus, ladder, self._believed[0], "", switching=self.start.switching)
        found = sales_with_substitutes(catalog, curves, self.visits, ladder - costs_that_count(catalog)[:, None])
        return None if found is None else found.beside

    @cached_property
    def lesson(self) -> Lesson:
        """What the day has taught so far, in figures."""
        knots, base = self.start.opened.knots, self.start.catalog.base_prices[:, None]
        known = (self.understanding.chance, *self.understanding.interval)
        return Lesson(
            ticks=self.today.ticks,
            met=self.today.counts.met.sum(axis=(0, 2)).round().astype(np.int64),
            bought=self.today.counts.bought.sum(axis=(0, 2)).round().astype(np.int64),
            p_base=np.concatenate([knots.at(own, base) for own in known], axis=1),
            visits_left=self.visits.sum(axis=1),
            changed=self.understanding.changed,
        )

    @cached_property
    def visits(self) -> Floats:
        """Visits expected of one store in each tick that is left, shape (n_products, n_ticks left)."""
        expected = self.start.footfall.given(self.today.visits, self.today.n_stores)
        return expected[:, self.today.ticks :]

    @cached_property
    def policy(self) -> PricingPolicy:
        """The catalog's policy for the ticks that are left."""
        return policy_with_model(self.start.catalog, self.curves, self.visits, ahead=self.start.ahead)

    @cached_property
    def exploration(self) -> ExplorationPlan:
        """How prices are explored: for no more than knowing demand would be worth."""
        worth = self._drawn[1]
        return ExplorationPlan(0.0, self.start.ladder, budget=worth.budget, allowed=worth.may_be_tried)

    def after(self, sold: tuple[Sold, ...]) -> "Outlook":
        """Return the outlook after more ticks."""
        knots, today = self.start.opened.knots, self.today
        met, bought = (np.zeros(self.start.shape) for _ in range(2))
        blocks = hours_of_day(self.start.catalog)
        for tick in sold:
            product = np.broadcast_to(np.arange(tick.prices.shape[1]), tick.prices.shape).ravel()
            for prices, *counts in tick.by_lowest_price():
                for into, own in zip((met, bought), counts, strict=True):
                    into[blocks[tick.tick]] += knots.counted(product, prices.ravel(), own.ravel().astype(float))
        new = Counts(met, bought)
        return Outlook(self.start, Today(today.counts + new, self._visits_with(sold), len(sold[0].prices)))

    def drop_caches(self) -> None:
        """Free the largest cached arrays of a superseded outlook; they are recomputed on demand.

        The outlook before the first visit keeps them, because all stores begin with it.
        """
        if self is not self.start.outlook():
            for name in ("understanding", "curves", "policy"):
                vars(self).pop(name, None)

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
