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
from typing import NamedTuple

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from serving.limits.limits import ShelfLimits, anywhere
from serving.optimise.curves import DemandCurves, chance_at, chance_on_shelf
from serving.optimise.policies import Asked


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
class Worth:
    """What is needed to value prices on a shelf. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    curves
        Demand curves; None without a model.
    wanted
        What the policy asks for: its own chance of sale counts at its own price.
    forgone
        What a sale forgoes, EUR: the value of the unit kept and, for margin, its cost.
    stock
        Units on the shelf.
    """

    curves: DemandCurves | None
    wanted: Asked
    forgone: Floats
    stock: Ints

    def of(self, prices: Floats) -> Floats:
        """Return what prices are worth, EUR per visit, with what they bring beside a sale."""
        p_sale = chance_on_shelf(self.curves, prices, self.stock, self.wanted.prices, self.wanted.p_sale)
        return (prices - self.forgone) * p_sale + (0.0 if self.curves is None else self.curves.beside_at(prices))


@dataclass(frozen=True)
class Candidates:
    """Candidates within the limits.

    Attributes
    ----------
    prices
        EUR, shape (n_prices, n_stores or 1, n_products); NaN where a candidate may not be tried.
    counts
        Number of candidates of each product, shape (n_products,); in a store, fewer may be approved.
    mean_revenue, mean_chance, mean_beside
        Means over these of price x chance of sale, of the chance, and of what a visit brings beside its own sale, EUR
        per visit, shape (n_stores or 1, n_products); NaN without a budget.
    """

    prices: Floats
    counts: Ints
    mean_revenue: Floats
    mean_chance: Floats
    mean_beside: Floats

    def propensity(self, shown: Floats, usual: Floats, chance: Floats) -> Floats:
        """Return the chance with which the prices shown were to be shown, as a candidate or as the usual price.

        `chance` is that of a trial; all have shape (n_stores, n_products).
        """
        of_long_rows = self.prices.swapaxes(1, 2) == np.ascontiguousarray(shown.T)  # which compare fastest
        ends_here = of_long_rows.view(np.int8).sum(axis=0, dtype=np.int64).T
        may_be_tried = np.isfinite(self.prices).sum(axis=0) / self.counts
        return ends_here * (chance / self.counts) + (1 - chance * may_be_tried) * (shown == usual)


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
    wanted, worth_of_usual = worth.wanted, worth.of(usual)
    affordable = budget * (usual * chance_on_shelf(worth.curves, usual, worth.stock, wanted.prices, wanted.p_sale))
    if limits.counts_detours:
        of_zone = limits.in_zone(wanted.prices)
        away = worth.of(anywhere(limits.limits, of_zone.shape).apply(of_zone)) - worth_of_usual
        away = away if limits.stays is None else np.where(limits.stays, 0.0, away)
        affordable = np.maximum(affordable - np.maximum(away, 0.0), 0.0)
    loss = worth_of_usual - (candidates.mean_revenue - worth.forgone * candidates.mean_chance + candidates.mean_beside)
    highest: Floats | float = HIGHEST_CHANCE
    if limits.limits is not None and limits.limits.calm is not None:  # few candidates are within reach at a time
        highest = np.minimum(highest * candidates.counts / np.maximum(np.isfinite(candidates.prices).sum(axis=0), 1), 1)
    chance = np.array(np.broadcast_to(highest, loss.shape))
    np.divide(affordable, loss, out=chance, where=loss * highest > affordable)
    return chance


class Trial(NamedTuple):
    """Prices after exploration, before the guardrails. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    explored
        Whether a candidate stands in for the policy's price.
    prices, p_sale
        The candidate's or the policy's price, EUR, and the chance of sale at it; NaN without a model.
    chance
        Chance with which a price was to be tried.
    """

    explored: Flags
    prices: Floats
    p_sale: Floats
    chance: Floats


def try_prices(
    exploration: ExplorationPlan, worth: Worth, limits: ShelfLimits, usual: Floats, candidates: Candidates
) -> Trial:
    """Put a candidate in the place of the policy's price where the dice say so.

    The dice choose a candidate and, by what they leave, whether it is tried. So while the same dice stand, a tried
    price never gives way to another one, even where the chance of a trial moves with stock and time.

    Parameters
    ----------
    usual
        Prices shown where nothing is tried, EUR, shape (n_stores, n_products).
    """
    chance, dice = _chance_of_a_trial(exploration, worth, limits, usual, candidates), limits.shelf.dice
    slot = (np.broadcast_to(dice[0], dice.shape) if limits.have_one_price else dice) * exploration.counts
    number = np.minimum(slot.astype(np.int64), exploration.counts - 1)
    product = np.arange(len(exploration.ladder))
    cell = product, exploration.positions[product, number]
    may_be_tried = np.broadcast_to(np.isfinite(candidates.prices), (len(candidates.prices), *number.shape))
    explored = (slot - number < chance) & np.take_along_axis(may_be_tried, cell[1][None], axis=0)[0]
    return Trial(
        explored=explored,
        prices=np.where(explored, exploration.ladder[cell], worth.wanted.prices),
        p_sale=np.where(explored, np.nan if worth.curves is None else worth.curves.p_sale[cell], worth.wanted.p_sale),
        chance=chance,
    )


def _chance_of_a_trial(
    exploration: ExplorationPlan, worth: Worth, limits: ShelfLimits, usual: Floats, candidates: Candidates
) -> Floats:
    """Chance that a price is tried, shape (n_stores, n_products); 0 where the shelf is empty or the price is fixed.

    So beside a sticker, too: there the label is not the lowest price, and teaches nothing.
    """
    sells = worth.stock > 0
    if worth.wanted.sticker is not None:
        sells = sells & np.isnan(worth.wanted.sticker)
    chance: Floats | float = exploration.share
    if exploration.budget is not None:
        on_budget = chance_on_budget(exploration.budget, worth, limits, usual, candidates)
        chance = np.where(np.isfinite(exploration.budget), on_budget, chance)
    chance = np.where(sells & limits.may_explore, chance, 0.0)
    if not limits.have_one_price:
        return chance
    # the chance of the store that affords the least, so that none pays beyond its budget
    least = np.where(limits.may_explore & (worth.stock > 0), chance, np.inf).min(axis=0)
    return np.where(limits.may_explore & np.isfinite(least), least, 0.0)
