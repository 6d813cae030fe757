"""Show other prices on purpose: the dice decide whether a price is tried and which one, by a chance that can be logged.

The logged propensity is the whole chance of the price that is shown in the end, given the shelf. Where limits look at
the price shown before, that price is part of the shelf, and in the ticks through which a tried price stands it came
from the same dice.

Limits bind what is tried like what is usually shown, so several candidates can end at one price. Where the day could
not go back from a candidate to the usual price, or a person would have to approve it, it is not tried. In a zone with
one price, one die decides for all of its stores.

It costs at most the budgeted share of expected revenue. A price is worth (price - what a sale forgoes) x chance of
sale, so trying in a share e of the time costs e x (worth of the usual price - mean worth of the candidates) a visit:
linear in e.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from serving.limits.limits import ShelfLimits, anywhere
from serving.optimise.curves import DemandCurves, chance_at
from serving.optimise.policies import Asked, Worth


@dataclass(frozen=True)
class ExplorationPlan:
    """How prices are tried.

    Attributes
    ----------
    share
        Chance of trying a price, in [0, 1], per store, product and tick, for products that have no budget.
    ladder
        Candidate prices, EUR, ascending, shape (n_products, n_prices).
    budget
        Share of expected revenue that trying may cost, shape (n_products,); NaN for products tried by `share`, None
        for no budget at all. A budget needs demand curves.
    allowed
        Which candidates may be tried, of the shape of the ladder, at least one of each product; None for all.
    """

    share: float
    ladder: Floats
    budget: Floats | None = None
    allowed: Flags | None = None

    @cached_property
    def choice(self) -> Flags:
        """Candidates that may be tried, shape (n_products, n_prices)."""
        return np.ones(self.ladder.shape, dtype=bool) if self.allowed is None else self.allowed

    @cached_property
    def counts(self) -> Ints:
        """How many candidates each product may try, shape (n_products,)."""
        return np.asarray(self.choice.sum(axis=1))

    @cached_property
    def positions(self) -> Ints:
        """Positions on the ladder, those that may be tried first, shape (n_products, n_prices)."""
        return np.argsort(~self.choice, axis=1, kind="stable")


@dataclass(frozen=True)
class Candidates:
    """Candidates within the limits.

    Attributes
    ----------
    prices
        EUR, shape (n_prices, n_stores or 1, n_products); NaN where a candidate may not be tried.
    counts
        How many of them each product has, shape (n_products,); in a store, fewer may be approved.
    mean_revenue, mean_chance
        Means over these of price x chance of sale, EUR per visit, and of the chance alone, shape (n_stores or 1,
        n_products); NaN without a budget.
    mean_beside
        Mean of what a visit brings beside its own sale, EUR, of the same shape, or 0 for nothing.
    """

    prices: Floats
    counts: Ints
    mean_revenue: Floats
    mean_chance: Floats
    mean_beside: Floats | float = 0.0

    @property
    def may_be_tried(self) -> Flags:
        """Which of them may be tried, in the shape of `prices`."""
        return np.isfinite(self.prices)

    def count_at(self, prices: Floats) -> Ints:
        """How many candidates end at each price, shape (n_stores, n_products); long rows compare fastest."""
        own = np.ascontiguousarray(prices.T)
        return (self.prices.swapaxes(1, 2) == own).view(np.int8).sum(axis=0, dtype=np.int64).T

    def mean_worth(self, forgone: Floats) -> Floats:
        """Mean of what the candidates are worth, EUR per visit, as in `serving.optimise.policies.Worth.of`."""
        return self.mean_revenue - forgone * self.mean_chance + self.mean_beside


def candidates_within(
    limits: ShelfLimits, exploration: ExplorationPlan, curves: DemandCurves | None, usual: Floats | float = 0.0
) -> Candidates:
    """Return what the limits of a shelf leave of every candidate.

    Parameters
    ----------
    usual
        Prices shown where nothing is tried, EUR, shape (n_stores, n_products); not read under static limits.
    """
    choice = exploration.choice.T[:, None, :]
    prices, tried = limits.candidates(exploration.ladder.T[:, None, :], usual)
    tried = tried & choice
    prices = np.where(tried, prices, usual)  # where a candidate is not tried, the usual price stands and costs nothing
    chances, beside = np.full(prices.shape, np.nan), np.zeros(prices.shape)
    if exploration.budget is not None and curves is not None:
        chances = np.where(choice, chance_at(curves.prices, curves.p_sale, prices), 0.0)
        beside = np.where(choice, curves.beside_at(prices), 0.0)
    return Candidates(
        prices=np.where(tried, prices, np.nan),
        counts=exploration.counts,
        mean_revenue=(prices * chances).sum(axis=0) / exploration.counts,
        mean_chance=chances.sum(axis=0) / exploration.counts,
        mean_beside=beside.sum(axis=0) / exploration.counts,
    )


HIGHEST_CHANCE = 0.5
"""Highest chance of a trial that a budget may lead to, however little a trial costs."""


def chance_on_budget(
    budget: Floats, worth: Worth, limits: ShelfLimits, usual: Floats, candidates: Candidates
) -> Floats:
    """Return the chance of a trial at which it costs the budgeted share, shape (n_stores, n_products).

    Where steps are limited, an earlier trial may have left the usual price away from where the policy wants it; what
    that costs is taken from the budget.

    Parameters
    ----------
    budget
        Share of expected revenue, shape (n_products,).
    usual
        Prices shown where nothing is tried, EUR, shape (n_stores, n_products).
    """
    p_usual = worth.p_sale(usual)
    own = (usual - worth.forgone) * p_usual + worth.beside(usual)
    affordable = budget * (usual * p_usual)
    if limits.limits is not None and not limits.limits.are_static:
        asked = limits.in_zone(worth.asked.prices)
        wanted = worth.of(anywhere(limits.limits, asked.shape).apply(asked))
        affordable = np.maximum(affordable - np.maximum(wanted - own, 0.0), 0.0)
    loss = own - candidates.mean_worth(worth.forgone)
    chance = np.full(loss.shape, HIGHEST_CHANCE)
    np.divide(affordable, loss, out=chance, where=loss * HIGHEST_CHANCE > affordable)
    return chance


@dataclass(frozen=True)
class Trial:
    """Prices after exploration, before the guardrails. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    explored
        Whether a candidate stands in for the policy's price.
    prices, p_sale
        The candidate's or the policy's price, EUR, and the chance of sale at it; NaN without a model.
    chance
        Chance with which a price was to be tried.
    candidates
        What could be tried; None where nothing is.
    """

    explored: Flags
    prices: Floats
    p_sale: Floats
    chance: Floats
    candidates: Candidates | None

    def propensity(self, shown: Floats, usual: Floats) -> Floats:
        """Return the chance with which the prices shown were to be shown: as a candidate, or as the usual price."""
        if self.candidates is None:
            return (shown == usual).astype(float)
        as_candidate = self.candidates.count_at(shown) * (self.chance / self.candidates.counts)
        tried = self.candidates.may_be_tried.sum(axis=0) / self.candidates.counts
        return as_candidate + (1 - self.chance * tried) * (shown == usual)


def no_trial(asked: Asked) -> Trial:
    """Return the policy's own prices, none of them tried."""
    shape = asked.prices.shape
    return Trial(np.zeros(shape, dtype=bool), asked.prices, asked.p_sale, np.zeros(shape), None)


def try_prices(
    exploration: ExplorationPlan, worth: Worth, limits: ShelfLimits, usual: Floats, candidates: Candidates
) -> Trial:
    """Put a candidate in the place of the policy's price where the dice say so.

    Parameters
    ----------
    usual
        Prices shown where nothing is tried, EUR, shape (n_stores, n_products).
    """
    chance = _chance_of_a_trial(exploration, worth, limits, usual, candidates)
    dice = limits.shelf.dice
    if limits.have_one_price:
        dice = np.broadcast_to(dice[0], dice.shape)
    explored, candidate = _throw(exploration, dice, chance)
    cell = np.arange(len(exploration.ladder)), candidate
    explored = explored & _chosen(candidates.may_be_tried, candidate)
    p_tried = np.nan if worth.curves is None else worth.curves.p_sale[cell]
    return Trial(
        explored=explored,
        prices=np.where(explored, exploration.ladder[cell], worth.asked.prices),
        p_sale=np.where(explored, p_tried, worth.asked.p_sale),
        chance=chance,
        candidates=candidates,
    )


def _chance_of_a_trial(
    exploration: ExplorationPlan, worth: Worth, limits: ShelfLimits, usual: Floats, candidates: Candidates
) -> Floats:
    """Chance that a price is tried, shape (n_stores, n_products); 0 where the shelf is empty or the price is fixed.

    So beside a sticker, too: there the label is not the lowest price, and teaches nothing.
    """
    in_stock = worth.stock > 0
    if worth.asked.sticker is not None:
        in_stock = in_stock & np.isnan(worth.asked.sticker)
    chance = np.where(in_stock, exploration.share, 0.0)
    if exploration.budget is not None:
        on_budget = chance_on_budget(exploration.budget, worth, limits, usual, candidates)
        chance = np.where(np.isfinite(exploration.budget) & in_stock, on_budget, chance)
    if limits.have_one_price:  # the chance of the store that affords the least, so that none pays beyond its budget
        chance = np.where(limits.may_explore & (worth.stock > 0), chance, np.inf).min(axis=0)
    return np.where(limits.may_explore & np.isfinite(chance), chance, 0.0)


def _chosen(values: Flags, candidate: Ints) -> Flags:
    """Return the values of the candidates that the dice chose, shape (n_stores, n_products).

    Parameters
    ----------
    values
        Shape (n_prices, n_stores or 1, n_products).
    """
    of_every_store = np.broadcast_to(values, (len(values), *candidate.shape))
    return np.take_along_axis(of_every_store, candidate[None], axis=0)[0]


def _throw(exploration: ExplorationPlan, dice: Floats, chance: Floats) -> tuple[Flags, Ints]:
    """Let the dice choose a candidate and, by what they leave, whether it is tried.

    So while the same dice stand, a tried price never gives way to another one, even where the chance of a trial moves
    with stock and time.
    """
    slot = dice * exploration.counts
    number = np.minimum(slot.astype(np.int64), exploration.counts - 1)
    return slot - number < chance, exploration.positions[np.arange(len(exploration.counts)), number]
