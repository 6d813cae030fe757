"""The grocer with two substitutes in each category: who finds one dear takes the other one, or neither."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluation.outside_store.stores.count_grocer import CountGrocer, GrocerShelf
from evaluation.outside_store.stores.outside_world import AttainableProfit, Floats
from evaluation.outside_store.stores.stockpiling_grocer import price_points
from evaluation.outside_store.stores.store_luck import SHELF, stream

_LEAST_TAKEN, _MOST_TAKEN = 0.15, 0.35  # share of a category's shoppers that takes a product at the owner's prices
PAIR = 2  # products of a category, side by side on the shelf


@dataclass(frozen=True)
class SubstitutesGrocer(CountGrocer):
    """The grocer.

    A shopper of a category takes the product with the highest value - sensitivity x price + Gumbel noise, or nothing
    (a multinomial logit). Own elasticity at the owner's prices is the product's slope, averaged over the category.
    """

    @cached_property
    def taken(self) -> Floats:
        """Share of a category's shoppers that takes each product at the owner's prices, shape (n_products,)."""
        return stream(self.seed + 1, SHELF).uniform(_LEAST_TAKEN, _MOST_TAKEN, self.n_products)

    @cached_property
    def sensitivity(self) -> Floats:
        """Utility lost for each EUR, the same for both products of a category, shape (n_products,)."""
        shelf: GrocerShelf = self.shelf
        by_product = -shelf.slopes / ((1 - self.taken) * self.owner_prices[0])
        return np.repeat(by_product.reshape(-1, PAIR).mean(axis=1), PAIR)

    def demand(self, prices: Floats) -> Floats:
        """Return each week's demand over that at the owner's prices, shape (n_weeks, n_stores, n_products)."""
        pull = self.taken * np.exp(-self.sensitivity * (prices - self.owner_prices))
        taken = self.taken.reshape(-1, PAIR).sum(axis=1)
        of_category = 1 - taken + pull.reshape(*pull.shape[:-1], -1, PAIR).sum(axis=-1)
        return pull / self.taken / np.repeat(of_category, PAIR, axis=-1)

    def attainable(self, n_weeks: int) -> AttainableProfit:
        """Return what so many weeks can earn: an upper bound, exact where the prices keep the largest step.

        Each week has the best pair of prices, 1 % apart, out of those that can be reached from the owner's by then.
        """
        points = price_points(self.rules)
        # The products of a category may sell in other proportions in each store, so each store has its own best.
        prices = np.tile(self.owner_prices, (n_weeks, 1, 1))
        for first in range(0, self.n_products, PAIR):
            worth = self._worth_of_pairs(first, points)
            for week in range(n_weeks):
                low, high = self.rules.reach(week + 1)
                far = (points < low - 1e-9) | (points > high + 1e-9)
                within = np.where(far[:, None] | far, -np.inf, worth)
                best = within.reshape(self.n_stores, -1).argmax(axis=1)
                ratios = points[np.stack(np.unravel_index(best, worth.shape[1:]), axis=1)]
                prices[week, :, first : first + PAIR] *= ratios
        is_exact = bool(self.rules.kept(self.owner_prices, prices).all())
        return AttainableProfit(self.expected_profit(prices), prices, is_exact)

    def _worth_of_pairs(self, first: int, points: Floats) -> Floats:
        """Return a category's weekly profit at each pair of price ratios, EUR, (n_stores, n_points, n_points)."""
        both = slice(first, first + PAIR)
        owner, taken = self.owner_prices[0, both], self.taken[both]
        pull = taken * np.exp(-self.sensitivity[both] * np.outer(points - 1, owner))
        shoppers = self.shelf.mean_units[:, both] / taken  # of the category, as each product's sales tell it
        margin = np.outer(points, owner) - self.unit_costs[both]
        earned = shoppers[:, None, :] * pull * margin  # shape (n_stores, n_points, PAIR)
        others = 1 - taken.sum() + pull[:, :1] + pull[:, 1]
        return (earned[:, :, None, 0] + earned[:, None, :, 1]) / others
