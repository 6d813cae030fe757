"""Price from a belief, and let the day's own sales correct it: every hour the prices for the ticks left are remade."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.load import Catalog
from catalog.price_ladder import price_ladder
from catalog.pricing import Lesson, Shelf, Sold
from serving.belief.belief import Belief, Opened, Understanding, hours_of_day, opened
from serving.belief.footfall import Footfall
from serving.belief.gaussian import Counts
from serving.belief.worth_knowing import Drawn, drawn_gains, worth_knowing
from serving.curves import DemandCurves
from serving.exploration import ExplorationPlan
from serving.policies import ahead_of, costs_that_count, policy_with_model
from serving.pricing_policy import Asked, PricingPolicy
from serving.recursion import usual_unit_values
from serving.stock_ahead import StockAhead, least_worth
from serving.substitution import sales_with_substitutes
from serving.switching import Switching

_NOBODY = 1e-12  # visits
_OFTEN = 4  # times as many updates on a first day, when each teaches much
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
class Morning:
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
    def ahead(self) -> StockAhead | None:
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

    morning: Morning
    today: Today

    @cached_property
    def understanding(self) -> Understanding:
        """What is believed of demand."""
        return self.morning.opened.given(self.today.counts)

    @cached_property
    def curves(self) -> DemandCurves:
        """The chance of sale at the ladder, with its 95 % interval: as believed, with a fair start for the owner's."""
        morning, drawn = self.morning, self._drawn
        chance, low, high = self._believed
        chance = drawn.fairly(chance)
        version = morning.model_version or WITHOUT_CHAMPION
        by_tick = None
        if self.understanding.knows_hours:
            by_hour = morning.opened.knots.at(self.understanding.by_hour, morning.ladder)
            by_tick = drawn.fairly(by_hour)[hours_of_day(morning.catalog)[self.today.ticks :]]
            coming = self.visits.T[:, :, None]
            chance = (by_tick * coming).sum(axis=0) / np.maximum(coming.sum(axis=0), _NOBODY)
        low, high = np.minimum(low, chance), np.maximum(high, chance)
        known = (morning.catalog.skus, morning.ladder, chance, version)
        return DemandCurves(
            *known, low=low, high=high, by_tick=by_tick, switching=morning.switching, beside=self._beside
        )

    @cached_property
    def _believed(self) -> tuple[Floats, Floats, Floats]:
        """Chance of sale at the ladder and its 95 % interval, hours apart, each shape (n_products, n_prices)."""
        knots, ladder, known = self.morning.opened.knots, self.morning.ladder, self.understanding
        chance, low, high = (knots.at(own, ladder) for own in (known.chance, *known.interval))
        return chance, low, high

    @cached_property
    def _drawn(self) -> Drawn:
        """What draws from the belief gain at each price of the ladder."""
        morning, catalog, ladder = self.morning, self.morning.catalog, self.morning.ladder
        forgone = costs_that_count(catalog)
        if catalog.store.policies.with_champion == "stock_aware":
            forgone = forgone + least_worth(catalog)
            gains, coming = ladder - forgone[:, None], self.visits.sum(axis=1)
            forgone = forgone + usual_unit_values(gains, self._believed[0], coming, catalog.par_stock.astype(float))
        owners = catalog.base_prices if morning.owners is None else morning.owners
        trust = catalog.store.belief.trust_in_owner
        beside = 0.0 if self._beside is None else self._beside
        return drawn_gains(morning.opened.knots, self.understanding, ladder, forgone, owners, trust, beside)

    @cached_property
    def _beside(self) -> Floats | None:
        """What a visit brings beside its own sale, EUR, shape (n_products, n_prices); None where nobody switches."""
        catalog, ladder = self.morning.catalog, self.morning.ladder
        curves = DemandCurves(catalog.skus, ladder, self._believed[0], "", switching=self.morning.switching)
        found = sales_with_substitutes(catalog, curves, self.visits, ladder - costs_that_count(catalog)[:, None])
        return None if found is None else found.beside

    @cached_property
    def lesson(self) -> Lesson:
        """What the day has taught so far, in figures."""
        knots, base = self.morning.opened.knots, self.morning.catalog.base_prices[:, None]
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
        expected = self.morning.footfall.given(self.today.visits, self.today.n_stores)
        return expected[:, self.today.ticks :]

    @cached_property
    def policy(self) -> PricingPolicy:
        """The catalog's policy for the ticks that are left."""
        return policy_with_model(self.morning.catalog, self.curves, self.visits, ahead=self.morning.ahead)

    @cached_property
    def exploration(self) -> ExplorationPlan:
        """How prices are explored: for no more than knowing demand would be worth."""
        morning, rules = self.morning, self.morning.catalog.store.exploration
        a_day = morning.footfall.daily * (morning.learners or len(morning.catalog.store.stores))
        to_come = a_day * rules.pays_within_days
        worth = worth_knowing(self._drawn, to_come, a_day, rules.budget, morning.may_stand)
        return ExplorationPlan(0.0, morning.ladder, budget=worth.budget, allowed=worth.may_be_tried)

    def after(self, sold: tuple[Sold, ...]) -> "Outlook":
        """Return the outlook after more ticks."""
        knots, today = self.morning.opened.knots, self.today
        met, bought = (np.zeros(self.morning.shape) for _ in range(2))
        blocks = hours_of_day(self.morning.catalog)
        for tick in sold:
            product = np.broadcast_to(np.arange(tick.prices.shape[1]), tick.prices.shape).ravel()
            for prices, *counts in tick.by_lowest_price():
                for into, own in zip((met, bought), counts, strict=True):
                    into[blocks[tick.tick]] += knots.counted(product, prices.ravel(), own.ravel().astype(float))
        new = Counts(met, bought)
        return Outlook(self.morning, Today(today.counts + new, self._visits_with(sold), len(sold[0].prices)))

    def is_overtaken(self, sold: tuple[Sold, ...]) -> bool:
        """Tell whether far more or fewer are to come than was expected, by the visits since."""
        now = self.morning.footfall.given(self._visits_with(sold), len(sold[0].prices))
        left = self.today.ticks + len(sold)
        before = self.visits[:, len(sold) :].sum()
        return bool(abs(now[:, left:].sum() - before) > _FAR_OFF * before)

    def _visits_with(self, sold: tuple[Sold, ...]) -> Floats:
        visits = np.stack([tick.visits.sum(axis=0) for tick in sold], axis=1).astype(float)
        return np.concatenate([self.today.visits, visits], axis=1)


@dataclass(frozen=True)
class LearningPolicy:
    """The catalog's policy on what is believed by now. Implements `serving.pricing_policy.PricingPolicy`.

    `unheard` is what was sold since the outlook was formed; the next update takes it in.
    """

    outlook: Outlook
    unheard: tuple[Sold, ...] = ()

    @property
    def name(self) -> str:
        """Name of the policy on the belief."""
        return self.outlook.policy.name

    @property
    def model_version(self) -> str | None:
        """The champion behind the belief, or None."""
        return self.outlook.morning.model_version

    @property
    def rules(self) -> tuple[str, ...]:
        """Rules of the policy on the belief."""
        return self.outlook.policy.rules

    def ask(self, shelf: Shelf) -> Asked:
        """Ask for what earns most until closing, as far as is known by now."""
        return self.outlook.policy.ask(shelf)

    @property
    def lesson(self) -> Lesson | None:
        """What the day has taught; None before the first update."""
        return self.outlook.lesson if self.outlook.today.ticks else None

    def learned(self, sold: Sold) -> "LearningPolicy":
        """Return the policy after a tick.

        An update is due after every `belief.update_ticks` of them, on a first day four times as often, and at once when
        far more or fewer come than the prices were made for. Ticks already processed are ignored.
        """
        if sold.tick < self.outlook.today.ticks + len(self.unheard):
            return self
        unheard, store = (*self.unheard, sold), self.outlook.morning.catalog.store
        often = _OFTEN if self.outlook.morning.opened.is_first_day else 1
        every = max(1, store.belief.update_ticks // often)
        is_due = (sold.tick + 1) % every == 0 or self.outlook.is_overtaken(unheard)
        if sold.tick + 1 >= store.opening.ticks or not is_due:
            return replace(self, unheard=unheard)
        return LearningPolicy(self.outlook.after(unheard))


def morning_of(catalog: Catalog, belief: Belief, model_version: str | None) -> Morning:
    """Work a belief out for the day that begins."""
    at_opening = opened(catalog, belief)
    return Morning(catalog, at_opening, belief.footfall, model_version, switching=belief.switching)
