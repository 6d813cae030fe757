"""Try prices on purpose, on a budget and within the guardrails: prices that never vary teach nothing.

What is tried is guarded like what is usually shown, so several candidates can end at one price; the logged propensity
is the whole chance of the price that stands in the end, given the shelf. Where limits look at the price shown before,
that price is part of the shelf, and in the ticks through which a tried price is held it came from the same dice.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from catalog.pricing import LIMITS, NO_CLAMPS, Policy, PriceDecision, Shelf
from serving.guardrails import Limits, guarded, guarded_with_trail, held, leaves_alone, movers, usable_prices

MOST_TRIED = 0.5
"""Highest chance of a trial that a budget may lead to, however little a trial costs."""


@dataclass(frozen=True)
class Trials:
    """What trying can lead to: guarded candidates, EUR, shape (n_prices, n_stores or 1, n_products).

    NaN where a candidate may not be tried. The means of price x chance of sale and of the chance alone are over the
    others, shape (n_stores or 1, n_products); NaN without a budget.
    """

    prices: Floats
    mean_revenue: Floats
    mean_chance: Floats

    def count_at(self, prices: Floats) -> Ints:
        """How many candidates end at each price, shape (n_stores, n_products); long rows compare fastest."""
        own = np.ascontiguousarray(prices.T)
        return (self.prices.swapaxes(1, 2) == own).view(np.int8).sum(axis=0, dtype=np.int64).T


@dataclass(frozen=True)
class Exploring:
    """Show a candidate price in a share of the time and the inner policy's price otherwise, both within the limits.

    Attributes
    ----------
    inner
        The policy that decides the rest of the time.
    share
        Chance of trying a price, in [0, 1], per store, product and tick, for products that have no budget.
    ladder
        Candidate prices, EUR, ascending, shape (n_products, n_prices).
    chances
        Chance of sale at the candidates, of the same shape; NaN without a model.
    limits
        The guardrails; None for a shelf that has none.
    budget
        Share of expected revenue that trying may cost, shape (n_products,); NaN for products tried by `share`.
    allowed
        Which candidates may be tried, of the shape of the ladder, at least one of each product; None for all.
    unit_costs
        What a unit costs where margin is the objective, else 0, EUR, shape (n_products,).
    """

    inner: Policy
    share: float
    ladder: Floats
    chances: Floats
    limits: Limits | None = None
    budget: Floats | None = None
    allowed: Flags | None = None
    unit_costs: Floats | float = 0.0

    @property
    def name(self) -> str:
        """The inner policy's name: exploration is how it is played, not another policy."""
        return self.inner.name

    @property
    def model_version(self) -> str | None:
        """The inner policy's model version."""
        return self.inner.model_version

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """The inner policy's rules, `exploration`, and those of the guardrails."""
        return (*self.inner.rules, "exploration", *(() if self.limits is None else LIMITS))

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Decide as the inner policy, or try a price where the dice say so, and keep both within the limits."""
        usual = self.inner.decide(shelf)
        may_move = self._may_move(usual, shelf)
        usual_prices = self._guarded(usual.prices, shelf, may_move)
        trials = self._trials(shelf, may_move)
        tried = self._chance_of_a_trial(usual, usual_prices, trials, shelf, may_move)

        explored, candidate = self._thrown(shelf.dice, tried)
        products = np.arange(len(self.ladder))
        asked = np.where(explored, self.ladder[products, candidate], usual.prices)
        p_asked = self._filled(np.where(explored, self.chances[products, candidate], usual.p_sale), asked, shelf)
        rule = np.where(explored, len(self.inner.rules), usual.rule)
        prices, clamps = asked, NO_CLAMPS
        if self.limits is not None and not (usual_prices is usual.prices and self._ladder_stands):
            first_rule = len(self.inner.rules) + 1
            prices, clamps = guarded_with_trail(self.limits, asked, shelf, may_move, first_rule)
            rule.flat[clamps["decision"]] = clamps["rule"]
            if self.limits.kill_switch:  # it decides also where it changes nothing
                rule = np.full(rule.shape, self.rules.index("kill_switch"))
        p_sale, cost = p_asked, 0.0 * p_asked
        if len(clamps):
            p_sale = self._filled(np.where(prices == asked, p_asked, np.nan), prices, shelf)
            kept = self._kept(usual)
            cost = np.where(prices == asked, cost, (asked - kept) * p_asked - (prices - kept) * p_sale)
        as_candidate = trials.count_at(prices) * (tried / self._counts)
        return PriceDecision(
            prices=prices,
            propensity=as_candidate + (1 - tried) * (prices == usual_prices) * usual.propensity,
            explored=explored,
            rule=rule,
            p_sale=p_sale,
            unit_value=usual.unit_value,
            unconstrained=asked,
            clamp_cost=cost,
            clamps=clamps,
        )

    @cached_property
    def _choice(self) -> Flags:
        """Candidates that may be tried, shape (n_products, n_prices)."""
        return np.ones(self.ladder.shape, dtype=bool) if self.allowed is None else self.allowed

    @cached_property
    def _counts(self) -> Ints:
        """How many candidates each product may try, shape (n_products,)."""
        return self._choice.sum(axis=1)

    @cached_property
    def _positions(self) -> Ints:
        """Positions on the ladder, those that may be tried first, shape (n_products, n_prices)."""
        return np.argsort(~self._choice, axis=1, kind="stable")

    @cached_property
    def _static_trials(self) -> Trials:
        """What trying leads to on a shelf that shows nothing yet, which is everywhere while the limits are static."""
        return self._guarded_trials(_nothing_shown((1, len(self.ladder))), None)

    @cached_property
    def _ladder_stands(self) -> bool:
        """Whether no limit changes any candidate."""
        return self.limits is None or leaves_alone(self.limits, self.ladder.T)

    def _thrown(self, dice: Floats, tried: Floats) -> tuple[Flags, Ints]:
        """Let the dice choose a candidate and, by what they leave, whether it is tried.

        So while the same dice stand, a tried price never gives way to another one, even where the chance of a trial
        moves with stock and time.
        """
        slot = dice * self._counts
        number = np.minimum(slot.astype(np.int64), self._counts - 1)
        return slot - number < tried, self._positions[np.arange(len(self._counts)), number]

    def _trials(self, shelf: Shelf, may_move: Flags | None) -> Trials:
        if self.limits is None or self.limits.are_static:
            return self._static_trials
        return self._guarded_trials(shelf, may_move)

    def _guarded_trials(self, shelf: Shelf, may_move: Flags | None) -> Trials:
        allowed = self._choice.T[:, None, :]
        prices = self._guarded(self.ladder.T[:, None, :], shelf, may_move)
        chances = np.full(prices.shape, np.nan)
        if self.budget is not None:
            chances = np.where(allowed, chance_at(self.ladder, self.chances, prices), 0.0)
        return Trials(
            prices=np.where(allowed, prices, np.nan),
            mean_revenue=(prices * chances).sum(axis=0) / self._counts,
            mean_chance=chances.sum(axis=0) / self._counts,
        )

    def _guarded(self, prices: Floats, shelf: Shelf, may_move: Flags | None) -> Floats:
        return prices if self.limits is None else guarded(self.limits, prices, shelf, may_move)

    def _may_move(self, usual: PriceDecision, shelf: Shelf) -> Flags | None:
        """Choose the products that may change price now; None while all may."""
        if self.limits is None or not self.limits.limits_movers:
            return None
        wanted, shown = self._guarded(usual.prices, shelf, None), usable_prices(shelf.shown_prices)
        gain = np.abs(wanted / shown - 1)
        if self.model_version is not None:
            kept = self._kept(usual)
            p_wanted, p_shown = (chance_at(self.ladder, self.chances, at) for at in (wanted, shown))
            gain = (wanted - kept) * p_wanted - (shown - kept) * p_shown
        return movers(self.limits, shelf, wanted, gain)

    def _chance_of_a_trial(
        self, usual: PriceDecision, usual_prices: Floats, trials: Trials, shelf: Shelf, may_move: Flags | None
    ) -> Floats:
        """Chance that a price is tried, shape (n_stores, n_products); 0 where nothing is left or the price is held."""
        tried = np.where(shelf.stock > 0, self.share, 0.0)
        if self.budget is not None:
            on_budget = self._affordable_chance(self.budget, usual, usual_prices, trials, shelf)
            tried = np.where(np.isnan(self.budget) | (shelf.stock == 0), tried, on_budget)
        if self.limits is None or self.limits.are_bounds_alone:
            return tried
        return np.where(held(self.limits, shelf, may_move), 0.0, tried)

    def _affordable_chance(
        self, budget: Floats, usual: PriceDecision, usual_prices: Floats, trials: Trials, shelf: Shelf
    ) -> Floats:
        """Chance of a trial at which it costs the budgeted share of expected revenue, shape (n_stores, n_products).

        A price is worth (price - what a sale forgoes) x chance of sale, so trying in a share e of the time costs e x
        (worth of the usual price - mean worth of the candidates) a visit: linear in e. Where steps are limited, an
        earlier trial may have left the usual price away from where the policy wants it; what that costs is taken from
        the budget.
        """
        kept = self._kept(usual)

        def worth(prices: Floats) -> tuple[Floats, Floats]:
            p_sale = self._filled(np.where(prices == usual.prices, usual.p_sale, np.nan), prices, shelf)
            return (prices - kept) * p_sale, prices * p_sale

        own, revenue = worth(usual_prices)
        affordable = budget * revenue
        if self.limits is not None and not self.limits.are_static:
            wanted, _ = worth(self._guarded(usual.prices, _nothing_shown(usual.prices.shape), None))
            affordable = np.maximum(affordable - np.maximum(wanted - own, 0.0), 0.0)
        loss = own - (trials.mean_revenue - kept * trials.mean_chance)
        chance = np.full(loss.shape, MOST_TRIED)
        np.divide(affordable, loss, out=chance, where=loss * MOST_TRIED > affordable)
        return chance

    def _kept(self, usual: PriceDecision) -> Floats:
        """Return what a sale forgoes, EUR: the value of the unit kept and, for margin, its cost."""
        return np.nan_to_num(usual.unit_value) + self.unit_costs

    def _filled(self, p_sale: Floats, prices: Floats, shelf: Shelf) -> Floats:
        """Return chances of sale, those that are NaN read from the demand curve at the prices if there is a model."""
        if self.model_version is None or not (unknown := np.isnan(p_sale)).any():
            return p_sale
        return np.where(unknown, chance_at(self.ladder, self.chances, prices) * (shelf.stock > 0), p_sale)


def _nothing_shown(shape: tuple[int, ...]) -> Shelf:
    """Return shelves on which only static limits bind."""
    return Shelf(np.ones(shape, dtype=np.int64), np.full(shape, np.nan), 1, np.zeros(shape))


def chance_at(ladder: Floats, chances: Floats, prices: Floats) -> Floats:
    """Chance of sale at any prices, shape (..., n_products), on straight lines between the candidates."""
    by_product = zip(np.moveaxis(prices, -1, 0), ladder, chances, strict=True)
    return np.stack([np.interp(own, candidates, known) for own, candidates, known in by_product], axis=-1)
