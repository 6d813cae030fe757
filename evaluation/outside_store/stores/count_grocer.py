"""A grocer whose till tells units alone: negative binomial weeks, a constant elasticity for each product."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluation.outside_store.stores.outside_world import RULES, WEEK, AttainableProfit, Floats, Ints, OwnersRules
from evaluation.outside_store.stores.store_luck import SHELF, StoreLuck, stream

_SLOPE, _SLOPE_SD, _STEEPEST, _FLATTEST = -2.2, 0.9, -4.5, -0.4
_CHEAPEST, _DEAREST = 0.55, 0.75  # unit cost as a share of the owner's price
_LEVEL_SD = 0.3  # of the log of a product's and of a store's demand


@dataclass(frozen=True)
class GrocerShelf:
    """What is on the shelf, drawn from a seed.

    Attributes
    ----------
    owner_prices, unit_costs
        EUR, shape (n_stores, n_products) and (n_products,).
    slopes
        Slope of log demand on the log of the price ratio, shape (n_products,).
    mean_units
        Units of an average week at the owner's prices, shape (n_stores, n_products).
    """

    owner_prices: Floats
    unit_costs: Floats
    slopes: Floats
    mean_units: Floats

    @property
    def unit_cost_ratios(self) -> Floats:
        """Unit cost over the owner's price, shape (n_products,)."""
        return self.unit_costs / self.owner_prices[0]


def draw_shelf(seed: int, n_stores: int, n_products: int, units_a_day: float) -> GrocerShelf:
    """Draw a shelf; on average over stores and products, a product sells `units_a_day` in a store."""
    dice = stream(seed, SHELF)
    prices = np.round(np.exp(dice.uniform(np.log(1.0), np.log(5.0), n_products)), 2)
    costs = np.round(prices * dice.uniform(_CHEAPEST, _DEAREST, n_products), 2)
    drawn = dice.normal(_SLOPE, _SLOPE_SD, 20 * n_products + 100)
    slopes = drawn[(drawn > _STEEPEST) & (drawn < _FLATTEST)][:n_products]
    levels = dice.normal(0, _LEVEL_SD, n_products) + dice.normal(0, _LEVEL_SD, (n_stores, 1))
    levels = np.exp(levels + dice.normal(0, _LEVEL_SD / 2, (n_stores, n_products)))
    mean_units = WEEK * units_a_day * levels / levels.mean()
    return GrocerShelf(np.tile(prices, (n_stores, 1)), costs, slopes, mean_units)


@dataclass(frozen=True)
class CountGrocer:
    """The grocer.

    Attributes
    ----------
    units_a_day
        Units that a product sells in a store, on average.
    has_local_shocks, has_shocks_by_product
        Whether each store has good and bad times of its own, and whether each product in it has them.
    """

    seed: int
    n_stores: int = 10
    units_a_day: float = 10.0
    n_products: int = 20
    has_local_shocks: bool = False
    has_shocks_by_product: bool = False
    rules: OwnersRules = RULES

    @cached_property
    def shelf(self) -> GrocerShelf:
        """What nobody but the examiner sees."""
        return draw_shelf(self.seed, self.n_stores, self.n_products, self.units_a_day)

    @cached_property
    def luck(self) -> StoreLuck:
        """What happens whatever the prices are."""
        is_local = self.has_local_shocks or self.has_shocks_by_product
        return StoreLuck(self.seed, self.n_stores, self.n_products, is_local, self.has_shocks_by_product)

    @property
    def stores(self) -> tuple[str, ...]:
        """Ids."""
        return tuple(f"G{number:02d}" for number in range(1, self.n_stores + 1))

    @property
    def skus(self) -> tuple[str, ...]:
        """Stock-keeping units."""
        return tuple(f"P{number:02d}" for number in range(1, self.n_products + 1))

    @property
    def owner_prices(self) -> Floats:
        """EUR, shape (n_stores, n_products)."""
        return self.shelf.owner_prices

    @property
    def unit_costs(self) -> Floats:
        """EUR, shape (n_products,)."""
        return self.shelf.unit_costs

    def play_week(self, prices: Floats) -> Ints:
        """Return the units of the last week by day, shape (7, n_stores, n_products)."""
        return self.luck.sell(len(prices) - 1, self.shelf.mean_units * self.demand(prices)[-1])

    def expected_profit(self, prices: Floats) -> Floats:
        """Return what weeks earn on average over all luck but the season, EUR, shape (n_weeks, n_stores, n_products).

        The season of a week is left out, too: it would weigh weeks, and no learner has a part in it.
        """
        return (prices - self.unit_costs) * self.shelf.mean_units * self.demand(prices)

    def demand(self, prices: Floats) -> Floats:
        """Return each week's demand over that at the owner's prices, shape (n_weeks, n_stores, n_products)."""
        return (prices / self.owner_prices) ** self.shelf.slopes

    def attainable(self, n_weeks: int) -> AttainableProfit:
        """Return the most that so many weeks can earn: exact.

        Profit has a single peak in the price, and a week's price matters to no other week. So the best is to go
        towards the peak as fast as the rules allow, which in every week is the nearest price to it that can be reached.
        """
        best = self.owner_prices * best_ratio(self.shelf.slopes, self.shelf.unit_cost_ratios, self.rules)
        prices, before = np.empty((n_weeks, *best.shape)), self.owner_prices
        for week in range(n_weeks):
            prices[week] = before = np.clip(best, *self.rules.allowed(self.owner_prices, before))
        return AttainableProfit(self.expected_profit(prices), prices, is_exact=True)


def best_ratio(slopes: Floats, unit_cost_ratios: Floats, rules: OwnersRules) -> Floats:
    """Return the price ratio within the band that earns most where elasticity is constant; shapes are equal."""
    falls = slopes < -1
    peak = unit_cost_ratios * slopes / np.where(falls, 1 + slopes, 1.0)
    return np.clip(np.where(falls, peak, np.inf), 1 - rules.band, 1 + rules.band)
