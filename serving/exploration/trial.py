"""Whether a price is tried in this tick, and which one: the dice decide, by a chance that can be logged.

The logged propensity is the whole chance of the price that is shown in the end, given the shelf. Where limits look at
the price shown before, that price is part of the shelf, and in the ticks through which a tried price stands it came
from the same dice.
"""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from serving.exploration.budget import chance_on_budget
from serving.exploration.candidates import Candidates
from serving.exploration.plan import ExplorationPlan
from serving.pricing_policy import Asked
from serving.shelf_limits import ShelfLimits
from serving.worth import Worth


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
    explored, candidate = _throw(exploration, limits.shelf.dice, chance)
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
    """Chance that a price is tried, shape (n_stores, n_products); 0 where the shelf is empty or the price is fixed."""
    in_stock = worth.stock > 0
    chance = np.where(in_stock, exploration.share, 0.0)
    if exploration.budget is not None:
        on_budget = chance_on_budget(exploration.budget, worth, limits, usual, candidates)
        chance = np.where(np.isfinite(exploration.budget) & in_stock, on_budget, chance)
    may_explore = limits.may_explore
    return chance if may_explore is None else np.where(may_explore, chance, 0.0)


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
