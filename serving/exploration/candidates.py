"""What exploration can lead to: each candidate price as the guardrails leave it.

Limits bind what is tried like what is usually shown, so several candidates can end at one price.
"""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from serving.curves import DemandCurves, chance_at
from serving.exploration.plan import ExplorationPlan
from serving.shelf_limits import ShelfLimits


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
    """

    prices: Floats
    counts: Ints
    mean_revenue: Floats
    mean_chance: Floats

    @property
    def may_be_tried(self) -> Flags:
        """Which of them may be tried, in the shape of `prices`."""
        return np.isfinite(self.prices)

    def count_at(self, prices: Floats) -> Ints:
        """How many candidates end at each price, shape (n_stores, n_products); long rows compare fastest."""
        own = np.ascontiguousarray(prices.T)
        return (self.prices.swapaxes(1, 2) == own).view(np.int8).sum(axis=0, dtype=np.int64).T

    def mean_worth(self, forgone: Floats) -> Floats:
        """Mean over the candidates of (price - what a sale forgoes) x chance of sale, EUR per visit."""
        return self.mean_revenue - forgone * self.mean_chance


def candidates_within(limits: ShelfLimits, exploration: ExplorationPlan, curves: DemandCurves | None) -> Candidates:
    """Return what the limits of a shelf leave of every candidate."""
    ladder = exploration.ladder.T[:, None, :]
    allowed = exploration.choice.T[:, None, :] & limits.approves(ladder)
    prices = limits.apply(ladder)
    chances = np.full(prices.shape, np.nan)
    if exploration.budget is not None and curves is not None:
        chances = np.where(allowed, chance_at(curves.prices, curves.p_sale, prices), 0.0)
    return Candidates(
        prices=np.where(allowed, prices, np.nan),
        counts=exploration.counts,
        mean_revenue=(prices * chances).sum(axis=0) / exploration.counts,
        mean_chance=chances.sum(axis=0) / exploration.counts,
    )
