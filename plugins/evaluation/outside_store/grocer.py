"""A grocer that is not ours: negative binomial weeks, a constant elasticity for each product, and a clairvoyant.

It imports numpy alone, so that nothing is shared with what it examines. Prices stand for a week and are given as all
weeks so far, shape (n_weeks, n_stores, n_products). So a week's sales are a pure function of what was charged until its
end, and every draw is keyed by seed and week: equal prices sell equal units, whoever asks and whenever.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

WEEK = 7  # days
BAND, STEP = 0.25, 0.10
"""What the owner allows: distance from his own price, and change from one week to the next, as shares."""
CARRIED = (0.30, 0.15)
"""Of shoppers who stock up: how much of what a low price sold is missing one and two weeks later, as shares."""
PAIR = 2
"""Products of a category of substitutes, side by side on the shelf."""
WEEKDAYS = np.array([0.82, 0.84, 0.90, 1.00, 1.28, 1.44, 0.72])
"""Demand of each weekday over the mean one, Monday first, shape (7,)."""

_SLOPE, _SLOPE_SD, _STEEPEST, _FLATTEST = -2.2, 0.9, -4.5, -0.4
_CHEAPEST, _DEAREST = 0.55, 0.75  # unit cost as a share of the owner's price
_LEVEL_SD = 0.3  # of the log of a product's and of a store's demand
_LEAST_TAKEN, _MOST_TAKEN = 0.15, 0.35  # share of a category's shoppers that takes a product at the owner's prices
_SEASON, _YEAR = 0.10, 52.0  # amplitude of the year as a share, and weeks
_CHAIN_SD = 0.08  # of the log of a week's demand in all stores
_LOCAL_SD, _LOCAL_RHO = 0.15, 0.7  # of the log of a week's demand in one store
_SHAPE = 56.0  # of the negative binomial of a week's units
_SHELF, _CHAIN, _LOCAL, _FRAILTY, _DAYS = range(5)  # random streams
_FINENESS = 0.01  # distance of two prices that a clairvoyant weighs, of their logarithm
_MOST_STEPS = 10  # after which the band's ends are reached
_TOLERANCE = 1e-9


def _stream(seed: int, purpose: int, week: int = 0) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence((seed, purpose, week)))


@dataclass(frozen=True)
class Grocer:
    """The grocer.

    Attributes
    ----------
    units_a_day
        Units that a product sells in a store, on average.
    shoppers
        `plain`: log demand is slope x log price ratio. `stock up`: it is slope x (x_0 - 0.30 min(x_1, 0) - 0.15
        min(x_2, 0)), with x_k the log ratio k weeks ago; a price that stays low sells 55 % of what one week's offer
        does. `substitute`: a multinomial logit of value less price over the two products of a category, or neither.
    shock_of
        What has good and bad times of its own that last (AR(1)): each store, each product in it, or None.
    """

    seed: int
    n_stores: int = 10
    units_a_day: float = 10.0
    n_products: int = 20
    shoppers: Literal["plain", "stock up", "substitute"] = "plain"
    shock_of: Literal["store", "product"] | None = None

    @property
    def stores(self) -> tuple[str, ...]:
        """Ids."""
        return tuple(f"G{number:02d}" for number in range(1, self.n_stores + 1))

    @property
    def skus(self) -> tuple[str, ...]:
        """Stock-keeping units."""
        return tuple(f"P{number:02d}" for number in range(1, self.n_products + 1))

    @cached_property
    def owner_prices(self) -> Floats:
        """EUR, shape (n_stores, n_products)."""
        return np.tile(self._drawn[0], (self.n_stores, 1))

    @cached_property
    def unit_costs(self) -> Floats:
        """EUR, shape (n_products,)."""
        return self._drawn[1]

    @cached_property
    def slopes(self) -> Floats:
        """Slope of log demand on the log of the price ratio, shape (n_products,)."""
        return self._drawn[2]

    @cached_property
    def mean_units(self) -> Floats:
        """Units of an average week at the owner's prices, shape (n_stores, n_products)."""
        return self._drawn[3]

    @cached_property
    def _drawn(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Owner's prices, costs and slopes, shape (n_products,) each, and mean units."""
        dice, count = _stream(self.seed, _SHELF), self.n_products
        prices = np.round(np.exp(dice.uniform(np.log(1.0), np.log(5.0), count)), 2).astype(np.float64)
        costs = np.round(prices * dice.uniform(_CHEAPEST, _DEAREST, count), 2)
        drawn = dice.normal(_SLOPE, _SLOPE_SD, 20 * count + 100)
        slopes = drawn[(drawn > _STEEPEST) & (drawn < _FLATTEST)][:count]
        levels = dice.normal(0, _LEVEL_SD, count) + dice.normal(0, _LEVEL_SD, (self.n_stores, 1))
        levels = np.exp(levels + dice.normal(0, _LEVEL_SD / 2, (self.n_stores, count)))
        return prices, costs, slopes, WEEK * self.units_a_day * levels / levels.mean()

    @cached_property
    def _taken(self) -> Floats:
        """Share of a category's shoppers that takes each product at the owner's prices, shape (n_products,)."""
        return _stream(self.seed + 1, _SHELF).uniform(_LEAST_TAKEN, _MOST_TAKEN, self.n_products)

    @cached_property
    def _sensitivity(self) -> Floats:
        """Utility lost for each EUR, the same for both products of a category, shape (n_products,)."""
        by_product = -self.slopes / ((1 - self._taken) * self.owner_prices[0])
        return np.repeat(by_product.reshape(-1, PAIR).mean(axis=1), PAIR)

    def demand(self, prices: Floats) -> Floats:
        """Return each week's demand over that at the owner's prices, shape (n_weeks, n_stores, n_products)."""
        if self.shoppers == "substitute":
            pull = self._taken * np.exp(-self._sensitivity * (prices - self.owner_prices))
            taken = self._taken.reshape(-1, PAIR).sum(axis=1)
            of_category = 1 - taken + pull.reshape(*pull.shape[:-1], -1, PAIR).sum(axis=-1)
            return pull / self._taken / np.repeat(of_category, PAIR, axis=-1)
        effect = np.log(prices / self.owner_prices)
        if self.shoppers == "stock up":
            low = np.minimum(effect, 0)
            for weeks_ago, share in enumerate(CARRIED, start=1):
                effect[weeks_ago:] -= share * low[:-weeks_ago]
        return np.exp(self.slopes * effect)

    def season(self, week: int) -> float:
        """Return the expected demand of a week over that of a mean week."""
        return 1 + _SEASON * float(np.sin(2 * np.pi * week / _YEAR))

    def play_week(self, prices: Floats) -> Ints:
        """Return the units of the last week by day, shape (7, n_stores, n_products).

        Each cell has uniform numbers of its own, so one product's price never moves another one's luck. Given its mean,
        a week is negative binomial: Poisson by day, times a gamma variable of each store, product and week.
        """
        week, mean = len(prices) - 1, self.mean_units * self.demand(prices)[-1]
        gamma = _stream(self.seed, _FRAILTY, week).gamma(_SHAPE, 1 / _SHAPE, mean.shape)
        mean = mean * gamma * self._effects(week) * self.season(week)
        uniform = _stream(self.seed, _DAYS, week).random((WEEK, *mean.shape))
        return poisson_of(uniform, mean * WEEKDAYS[:, None, None] / WEEKDAYS.sum())

    def _effects(self, week: int) -> Floats:
        """Return the factor of a week's demand, mean 1, shape (n_stores, 1) or (n_stores, n_products)."""
        shape = (self.n_stores, self.n_products if self.shock_of == "product" else 1)
        effect = np.full(shape, _CHAIN_SD * _stream(self.seed, _CHAIN, week).standard_normal() - _CHAIN_SD**2 / 2)
        if self.shock_of is not None:
            shocks = [_stream(self.seed, _LOCAL, past).standard_normal(shape) for past in range(week + 1)]
            state = shocks[0]
            for shock in shocks[1:]:
                state = _LOCAL_RHO * state + np.sqrt(1 - _LOCAL_RHO**2) * shock
            effect += _LOCAL_SD * state - _LOCAL_SD**2 / 2
        return np.exp(effect)

    def at_owner_prices(self, n_weeks: int) -> Floats:
        """Return weeks at the owner's prices, EUR, shape (n_weeks, n_stores, n_products)."""
        return np.tile(self.owner_prices, (n_weeks, 1, 1))

    def expected_profit(self, prices: Floats) -> Floats:
        """Return what weeks earn on average over all luck but the season, EUR, shape (n_weeks, n_stores, n_products).

        The season of a week is left out, too: it would weigh weeks, and no learner has a part in it.
        """
        return (prices - self.unit_costs) * self.mean_units * self.demand(prices)

    def best_prices(self, n_weeks: int) -> Floats:
        """Return the prices that earn most in so many weeks after the owner's, EUR, (n_weeks, n_stores, n_products).

        Plain shoppers: exact, for profit has a single peak in each price, and the way there is as fast as the rules
        allow. Shoppers who stock up: exact for all weeks together, among prices 1 % apart. Substitutes: the best pair
        that can be reached by each week, which bounds what can be earned from above.
        """
        prices, before = self.at_owner_prices(n_weeks), self.owner_prices
        if self.shoppers == "substitute":
            return self._best_pairs(prices)
        ratios = self.unit_costs / self.owner_prices[0]
        if self.shoppers == "stock up":
            paths = [_best_path(slope, cost, n_weeks) for slope, cost in zip(self.slopes, ratios, strict=True)]
            return prices * np.stack(paths, axis=1)[:, None, :]
        best = self.owner_prices * best_ratio(self.slopes, ratios)
        for week in range(n_weeks):
            prices[week] = before = np.clip(best, *allowed(self.owner_prices, before))
        return prices

    def _best_pairs(self, prices: Floats) -> Floats:
        """Return the best prices of each category's pair; its products sell in other proportions in each store."""
        points = price_points()
        for first in range(0, self.n_products, PAIR):
            worth = self._worth_of_pairs(first, points)
            for week in range(len(prices)):
                low, high = reach(week + 1)
                far = (points < low - _TOLERANCE) | (points > high + _TOLERANCE)
                within = np.where(far[:, None] | far, -np.inf, worth)
                best = within.reshape(self.n_stores, -1).argmax(axis=1)
                ratios = points[np.stack(np.unravel_index(best, worth.shape[1:]), axis=1)]
                prices[week, :, first : first + PAIR] *= ratios
        return prices

    def _worth_of_pairs(self, first: int, points: Floats) -> Floats:
        """Return a category's weekly profit at each pair of price ratios, EUR, (n_stores, n_points, n_points)."""
        both = slice(first, first + PAIR)
        owner, taken = self.owner_prices[0, both], self._taken[both]
        pull = taken * np.exp(-self._sensitivity[both] * np.outer(points - 1, owner))
        shoppers = self.mean_units[:, both] / taken  # of the category, as each product's sales tell it
        margin = np.outer(points, owner) - self.unit_costs[both]
        earned = shoppers[:, None, :] * pull * margin  # shape (n_stores, n_points, PAIR)
        others = 1 - taken.sum() + pull[:, :1] + pull[:, 1]
        return (earned[:, :, None, 0] + earned[:, None, :, 1]) / others


def allowed(owner: Floats, before: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and the highest price after a price that stood, EUR, both shaped like `before`."""
    lowest = np.maximum(owner * (1 - BAND), before * (1 - STEP))
    highest = np.minimum(owner * (1 + BAND), before * (1 + STEP))
    return np.minimum(lowest, highest), highest


def reach(weeks: int) -> tuple[float, float]:
    """Return the lowest and the highest price ratio that so many weeks after the owner's price can reach."""
    return max(1 - BAND, (1 - STEP) ** weeks), min(1 + BAND, (1 + STEP) ** weeks)


def best_ratio(slopes: Floats, unit_cost_ratios: Floats) -> Floats:
    """Return the price ratio within the band that earns most where elasticity is constant; shapes are equal."""
    falls = slopes < -1
    peak = unit_cost_ratios * slopes / np.where(falls, 1 + slopes, 1.0)
    return np.clip(np.where(falls, peak, np.inf), 1 - BAND, 1 + BAND)


def price_points() -> Floats:
    """Return the price ratios that a clairvoyant weighs, shape (n_points,), ascending.

    They are 1 % apart at most; 1, the ends of the band and whatever steps of full length lead to are among them.
    """
    low, high = np.log(1 - BAND), np.log(1 + BAND)
    evenly = np.exp(np.concatenate([np.arange(0, low, -_FINENESS), np.arange(_FINENESS, high, _FINENESS)]))
    ends = [end for weeks in range(1, _MOST_STEPS) for end in reach(weeks)]
    return np.unique(np.round([*evenly, *ends], 12))


def _best_path(slope: float, unit_cost: float, n_weeks: int) -> Floats:
    """Return the price ratios of one product, sold to shoppers who stock up, that earn most together, (n_weeks,)."""
    points = price_points()
    low = np.minimum(np.log(points), 0)
    sold = points**slope * (points - unit_cost)  # by this week's price
    kept = np.exp(-slope * (CARRIED[0] * low[:, None] + CARRIED[1] * low))  # by the prices 1 and 2 weeks ago
    lowest, highest = allowed(np.ones_like(points), points)
    forbidden = (points < lowest[:, None] - _TOLERANCE) | (points > highest[:, None] + _TOLERANCE)
    ahead = np.zeros((len(points), len(points)))  # what later weeks earn, by this week's price and the last one's
    choices = list[Ints]()
    for _ in range(n_weeks):
        worth = kept[:, :, None] * sold + ahead.T[:, None, :]  # axes: the price one week ago, two weeks ago, and now
        worth[np.broadcast_to(forbidden[:, None, :], worth.shape)] = -np.inf
        choices.append(worth.argmax(axis=2))
        ahead = worth.max(axis=2)
    last = before = int(np.searchsorted(points, 1.0 - _TOLERANCE))
    path = []
    for choice in reversed(choices):
        last, before = int(choice[last, before]), last
        path.append(points[last])
    return np.array(path)


def poisson_of(uniform: Floats, mean: Floats) -> Ints:
    """Return the Poisson quantile of each uniform number, which never falls as the mean rises; shapes are equal."""
    term = np.exp(-mean)
    below, units = term.copy(), np.zeros(mean.shape, dtype=np.int64)
    most = int(mean.max(initial=0.0) + 12 * np.sqrt(mean.max(initial=0.0)) + 20)
    for count in range(1, most):
        left = uniform >= below
        if not left.any():
            break
        units += left
        term = term * (mean / count)
        below += term
    return units
