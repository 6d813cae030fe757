"""What a peer is told before it has sold anything, and the plan that it makes of what it takes for true.

It is told the ladder, what a sale brings and the clock of the day, but neither demand nor footfall. Its candidates are
the product's own, after the guardrails that do not look at the price shown before, so no peer plans with a price that
it may not show.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.ladder import price_ladder
from catalog.load import Catalog
from serving.limits.limits import anywhere, limits_of
from serving.optimise.policies import Asked, asked_without_model, costs_that_count
from serving.optimise.recursion import NO_STICKER, solve_day

_HOUR = 60  # minutes
_DAYS_OF_WEEK, _SATURDAY = 7, 5


@dataclass(frozen=True)
class KnownShelf:
    """What is known of a shelf without a sale.

    Attributes
    ----------
    candidates
        Prices that may be shown, EUR, ascending, shape (n_products, n_prices).
    base_prices, unit_costs
        EUR, shape (n_products,); a cost is 0 where revenue is the objective.
    n_ticks
        Ticks of a day.
    hour
        Ticks of an hour, at least one: how long a plan stands.
    """

    candidates: Floats
    base_prices: Floats
    unit_costs: Floats
    n_ticks: int
    hour: int

    @cached_property
    def gains(self) -> Floats:
        """What one sale brings at each candidate, EUR, shape (n_products, n_prices)."""
        return self.candidates - self.unit_costs[:, None]

    @cached_property
    def distance(self) -> Floats:
        """Price ratio less 1 of each candidate, shape (n_products, n_prices)."""
        return self.candidates / self.base_prices[:, None] - 1

    def ask(self, candidate: Ints) -> Asked:
        """Ask for the prices of candidates, shape (n_stores, n_products)."""
        prices = self.candidates[np.arange(candidate.shape[1]), candidate]
        return asked_without_model(prices, np.zeros(candidate.shape, dtype=np.int64))

    def time_and_weekend(self, tick: int, day: int, n_rows: int) -> Floats:
        """Return time of day, -1 at opening to 1 at closing, and whether it is a weekend, shape (n_rows, 2).

        Days count from 0, a Monday.
        """
        weekend = float(day % _DAYS_OF_WEEK >= _SATURDAY)
        return np.tile([2 * (tick + 0.5) / self.n_ticks - 1, weekend], (n_rows, 1))

    def position_of(self, prices: Floats) -> Ints:
        """Return the candidate nearest to each price, shape (n_stores, n_products), of prices of that shape, EUR."""
        return np.abs(self.candidates[None] - prices[:, :, None]).argmin(axis=2)


def known_before_opening(catalog: Catalog) -> KnownShelf:
    """Return what a catalog tells about its shelf."""
    ladder, opening = price_ladder(catalog), catalog.store.opening
    candidates = anywhere(limits_of(catalog), (1, len(catalog.skus))).apply(ladder.T[:, None, :])[:, 0, :].T
    return KnownShelf(
        candidates=np.ascontiguousarray(candidates),
        base_prices=catalog.base_prices,
        unit_costs=costs_that_count(catalog),
        n_ticks=opening.ticks,
        hour=max(1, _HOUR // opening.tick_minutes),
    )


@dataclass(frozen=True)
class ShelfPlan:
    """The best candidate of each product, by units on the shelf and ticks left: shape (n_products, n_levels, n_left).

    Position t of the last axis stands for t + 1 ticks left.
    """

    best: Ints

    def candidates_on(self, shelf: Shelf) -> Ints:
        """Return the candidate for each store and product, shape (n_stores, n_products)."""
        stock = np.clip(shelf.stock, 1, self.best.shape[1] - 1)
        return self.best[np.arange(len(self.best)), stock, shelf.ticks_left - 1]


def plan_for(known: KnownShelf, p_sale: Floats, visits: Floats, most_units: int) -> ShelfPlan:
    """Solve the recursion for the rest of a day.

    Parameters
    ----------
    p_sale
        Chance of sale at each candidate, shape (n_products, n_prices).
    visits
        Expected visits to each product in the ticks left, shape (n_products, n_left).
    most_units
        The most units of any product on a shelf.
    """
    solved = [
        solve_day(gains, np.outer(chances, coming), np.zeros((1, most_units + 1)), NO_STICKER, 0.0)[0][:, 0].T
        for gains, chances, coming in zip(known.gains, p_sale, visits, strict=True)
    ]
    return ShelfPlan(np.stack(solved))
