"""How a price is made, in one line: asked by a policy -> exploration -> each guardrail -> shown.

A policy says what it wants and knows of nothing else; every later step stands here, and `PriceDecision` is the record
of them all. A `Storefront` is what the twin plays and what a quote explains.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from catalog.arrays import Floats
from catalog.bounds import not_below
from catalog.decisions.pricing import Lesson, PriceDecision, Shelf, Sold
from catalog.ladder import price_ladder
from catalog.load import Catalog
from serving.belief.belief import believed_before_anybody_came
from serving.learning.exploration import Candidates, ExplorationPlan, Worth, candidates_within, try_prices
from serving.learning.outlook import DayStart, Outlook, start_of_day
from serving.learning.updates import LearningPolicy
from serving.limits.limits import Limits, ShelfLimits, anywhere, limits_of
from serving.limits.orders import Orders
from serving.optimise.curves import DemandCurves, chance_at, chance_on_shelf
from serving.optimise.policies import Asked, PricingPolicy, costs_that_count, policy_without_model


@dataclass(frozen=True)
class Storefront:
    """A policy with the steps that lead from what it asks to what is shown; a step that is None is left out.

    Attributes
    ----------
    policy
        Says what it wants.
    curves
        Demand curves, for the chance of sale at prices that are not the policy's own; None without a model.
    exploration
        How prices are tried.
    limits
        The guardrails.
    unit_costs
        What a unit costs where margin is the objective, else 0, EUR, shape (n_products,).
    """

    policy: PricingPolicy
    curves: DemandCurves | None = None
    exploration: ExplorationPlan | None = None
    limits: Limits | None = None
    unit_costs: Floats | float = 0.0

    @property
    def name(self) -> str:
        """The policy's name: the steps are how it is played, not another policy."""
        return self.policy.name

    @property
    def model_version(self) -> str | None:
        """The model version behind the policy."""
        return self.policy.model_version

    @property
    def trial_ticks(self) -> int:
        """Ticks for which a calm trial stands; 1 where each tick throws its own dice."""
        return 1 if self.limits is None or self.limits.calm is None else self.limits.calm.trial

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """The rules of every step, in their order."""
        return (*self.policy.rules, "exploration", *(() if self.limits is None else self.limits.rules))

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Price every product of every store for one tick."""
        if self.curves is not None and self.curves.by_tick is not None:
            return replace(self, curves=self.curves.at(shelf.ticks_left)).decide(shelf)
        wanted = self._wanted(shelf)
        worth = Worth(self.curves, wanted, np.nan_to_num(wanted.unit_value) + self.unit_costs, shelf.stock)
        limits = self._limits_on(shelf, worth).beside(wanted.prices)
        usual = limits.apply(wanted.prices)  # what is shown where nothing is tried
        explored, tried, p_tried, chance = np.zeros(usual.shape, dtype=bool), wanted.prices, wanted.p_sale, usual
        candidates = self._static_candidates
        if self.exploration is not None:
            free = replace(limits, stays=None)
            candidates = candidates or candidates_within(free, self.exploration, self.curves, usual)
            explored, tried, p_tried, chance = try_prices(self.exploration, worth, limits, usual, candidates)
            limits = limits if limits.stays is None else replace(limits, stays=limits.stays & ~explored)
        by_exploration = self.rules.index("exploration")
        asked_by = np.where(explored, by_exploration, wanted.rule)
        prices, rule, clamps = limits.decide(tried, asked_by, by_exploration + 1)
        p_sale, cost = p_tried, 0.0 * p_tried
        if len(clamps):
            p_sale = chance_on_shelf(self.curves, prices, shelf.stock, tried, p_tried)
            less = (tried - worth.forgone) * p_tried - (prices - worth.forgone) * p_sale
            cost = np.where(prices == tried, cost, less)
        return PriceDecision(
            prices=prices,
            propensity=candidates.propensity(prices, usual, chance) if candidates else (prices == usual).astype(float),
            explored=explored,
            rule=rule,
            p_sale=p_sale,
            unit_value=wanted.unit_value,
            unconstrained=tried,
            clamp_cost=cost,
            clamps=clamps,
            **self.stickers(wanted, prices, limits),
        )

    def _wanted(self, shelf: Shelf) -> Asked:
        """Ask the policy; the curves tell a chance of sale that it does not know.

        A product without stock keeps the price of its label; at opening that is its base price, or its owner's.
        """
        wanted = self.policy.ask(shelf)
        if self.curves is not None and np.isnan(wanted.p_sale).any():
            p_sale = chance_on_shelf(self.curves, wanted.prices, shelf.stock, wanted.prices, wanted.p_sale)
            wanted = replace(wanted, p_sale=p_sale)
        if self.limits is None or shelf.stock.all():
            return wanted
        opens_with = wanted.prices if self.limits.standing is not None else self.limits.base_prices
        label = np.where(np.isnan(shelf.shown_prices), opens_with, shelf.shown_prices)
        return replace(wanted, prices=np.where(shelf.stock > 0, wanted.prices, label))

    def _limits_on(self, shelf: Shelf, worth: Worth) -> ShelfLimits:
        """Choose the products that may change price now, by what each gains if it does."""
        limits = ShelfLimits(self.limits, shelf)
        is_calm = self.limits is not None and self.limits.calm is not None
        if self.limits is None or not (is_calm or self.limits.are_moves_limited):
            return limits
        wanted, shown = limits.apply(worth.wanted.prices), limits.shown
        gain, revenue = np.abs(wanted / shown - 1), np.zeros(shown.shape)
        if self.curves is not None:
            p_wanted, p_shown = (
                chance_at(self.curves.prices, self.curves.p_sale, prices) for prices in (wanted, shown)
            )
            gain, revenue = (wanted - worth.forgone) * p_wanted - (shown - worth.forgone) * p_shown, shown * p_shown
        if self.limits.rails.one_price is not None:  # where a zone has one price, the same ones move in its stores
            gain, revenue = (np.broadcast_to(values.mean(axis=0), values.shape) for values in (gain, revenue))
        if is_calm:
            limits = limits.calmed(wanted, gain, revenue)
            wanted = limits.apply(wanted)
        return limits.moving(wanted, gain) if self.limits.are_moves_limited else limits

    def stickers(self, wanted: Asked, prices: Floats, limits: ShelfLimits) -> dict[str, Floats | None]:
        """Return the stickers, EUR, and what they save; they stay as they were stuck.

        At opening they are those asked for that are below the price, where people and the catalog leave it free. One
        below what passes without a person is raised to that; it saves less, in proportion to what is left of the cut.
        """
        if limits.shelf.sticker is not None or wanted.sticker is None or wanted.saving is None:
            return {"sticker": limits.shelf.sticker}
        sticker, saving, is_free = wanted.sticker, wanted.saving, wanted.sticker < prices
        if self.limits is not None:
            is_free &= limits.given_by < 0
            ordered, rails = limits.ordered, self.limits.rails
            lowest = np.fmax(sticker, not_below(ordered.lowest, rails.price_ending, self.limits.money))
            sticker = np.where(is_free & ordered.bound_by("price"), lowest, sticker)
            is_free &= sticker < prices
            cut = np.where(is_free, prices - wanted.sticker, 1.0)
            saving = saving * (prices - sticker) / cut
        return {"sticker": np.where(is_free, sticker, np.nan), "saving": np.where(is_free, saving, np.nan)}

    @cached_property
    def _static_candidates(self) -> Candidates | None:
        """What can be tried where no limit looks at the price shown before, the same on every shelf; else None."""
        if self.exploration is None or not (self.limits is None or self.limits.are_static):
            return None
        shelf = anywhere(self.limits, (1, len(self.exploration.ladder)))
        return candidates_within(shelf, self.exploration, self.curves)


@dataclass(frozen=True)
class LearningStorefront(Storefront):
    """A storefront whose policy learns from the day's sales; a `catalog.decisions.pricing.LearnsWhileSelling`.

    `planned` is the outlook that prices are explored by: while a calm one stands, it does not change.
    """

    planned: Outlook | None = None

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Price every product of every store for one tick; before the first update ever, try no price."""
        assert isinstance(self.policy, LearningPolicy)  # noqa: S101 - made by `storefront_that_learns` alone
        if self.exploration is not None and self.policy.outlook.is_before_first_update:
            return replace(self, exploration=None).decide(shelf)
        return super().decide(shelf)

    def learned(self, sold: Sold) -> Self:
        """Return the storefront for the ticks after one; prices change when the policy's belief is updated."""
        return self.learned_all([sold])

    def learned_all(self, ticks: Iterable[Sold]) -> Self:
        """Return the storefront for the ticks after some; what lies between is not worked out."""
        assert isinstance(self.policy, LearningPolicy)  # noqa: S101 - made by `storefront_that_learns` alone
        policy, planned = self.policy, self.planned or self.policy.outlook
        before = planned
        calm = None if self.limits is None else self.limits.calm
        for sold in ticks:
            policy = policy.learned(sold)
            if calm is None or (sold.tick + 1) % calm.trial == 0:
                planned = policy.outlook
        front = replace(self, policy=policy, planned=planned)
        if policy.outlook is not self.policy.outlook:
            front = replace(front, curves=policy.outlook.curves)
        return front if planned is before else replace(front, exploration=planned.exploration)

    @property
    def lesson(self) -> Lesson | None:
        """What the policy has learned of the day."""
        return self.policy.lesson if isinstance(self.policy, LearningPolicy) else None


def storefront(
    catalog: Catalog,
    policy: PricingPolicy,
    orders: Orders | None = None,
    curves: DemandCurves | None = None,
    exploration: ExplorationPlan | None = None,
) -> Storefront:
    """Return a store that sells at a policy's prices, within the guardrails and what people ordered.

    Prices are kept calm where curves tell what a change earns; others explore as often as they were asked to.
    """
    limits = limits_of(catalog, orders, are_calm=curves is not None)
    return Storefront(policy, curves, exploration, limits, costs_that_count(catalog))


def storefront_that_learns(catalog: Catalog, start: DayStart, orders: Orders | None = None) -> LearningStorefront:
    """Return the store that prices from a belief, corrects it while it sells, and explores what is worth knowing.

    Where prices wait for a person, it explores among those that pass without one.
    """
    may_stand = None if orders is None else orders.approved_of(start.ladder)
    outlook = (start if may_stand is None else replace(start, may_stand=may_stand)).outlook()
    front = storefront(catalog, LearningPolicy(outlook), orders, outlook.curves, outlook.exploration)
    return LearningStorefront(**vars(front))


def storefront_before_champion(catalog: Catalog, name: str | None = None, orders: Orders | None = None) -> Storefront:
    """Return what prices without a price book: by default what the catalog says.

    That is the belief before anybody came, which learns from the day; or `static` or `rule`, with prices explored in a
    share of the time.
    """
    chosen = name or catalog.store.policies.before_champion
    if chosen not in {"static", "rule"}:
        return storefront_that_learns(catalog, start_of_day(catalog, believed_before_anybody_came(catalog)), orders)
    exploration = ExplorationPlan(catalog.store.exploration.before_champion, price_ladder(catalog))
    return storefront(catalog, policy_without_model(catalog, chosen), orders, exploration=exploration)
