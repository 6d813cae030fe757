"""The grocer whose shoppers stock up: a price below the owner's takes demand from the two weeks after it."""

from dataclasses import dataclass

import numpy as np

from evaluation.outside_store.stores.count_grocer import CountGrocer
from evaluation.outside_store.stores.outside_world import AttainableProfit, Floats, OwnersRules

CARRIED = (0.30, 0.15)
"""How much of what a low price sold is missing one week and two weeks after, as shares of the elasticity."""
_MOST_STEPS = 10  # after which the band's ends are reached
_FINENESS = 0.01  # distance of two prices that the clairvoyant weighs, of their logarithm


@dataclass(frozen=True)
class StockpilingGrocer(CountGrocer):
    """The grocer.

    Log demand is slope x (x_0 - 0.30 min(x_1, 0) - 0.15 min(x_2, 0)), with x_k the log of the price ratio k weeks ago.
    On the log, a price that stays low sells 55 % of what the slope promises; one week's offer looks like all of it.
    """

    def demand(self, prices: Floats) -> Floats:
        """Return each week's demand over that at the owner's prices, shape (n_weeks, n_stores, n_products)."""
        log_ratio = np.log(prices / self.owner_prices)
        effect, low = log_ratio.copy(), np.minimum(log_ratio, 0)
        for weeks_ago, share in enumerate(CARRIED, start=1):
            effect[weeks_ago:] -= share * low[:-weeks_ago]
        return np.exp(self.shelf.slopes * effect)

    def attainable(self, n_weeks: int) -> AttainableProfit:
        """Return the most that so many weeks together can earn: exact among prices 1 % apart.

        Dynamic programming over the prices of the last two weeks. What a last low price takes from weeks that are not
        counted costs nothing, for anybody. A single week can be beaten, all of them together cannot.
        """
        points = price_points(self.rules)
        best = [
            _best_path(points, slope, cost, n_weeks, self.rules)
            for slope, cost in zip(self.shelf.slopes, self.shelf.unit_cost_ratios, strict=True)
        ]
        prices = np.stack(best, axis=1)[:, None, :] * self.owner_prices
        return AttainableProfit(self.expected_profit(prices), prices, is_exact=True)


def price_points(rules: OwnersRules) -> Floats:
    """Return the price ratios that a clairvoyant weighs, shape (n_points,), ascending.

    They are 1 % apart at most; 1, the ends of the band and whatever steps of full length lead to are among them.
    """
    low, high = np.log(1 - rules.band), np.log(1 + rules.band)
    evenly = np.exp(np.concatenate([np.arange(0, low, -_FINENESS), np.arange(_FINENESS, high, _FINENESS)]))
    ends = [end for weeks in range(1, _MOST_STEPS) for end in rules.reach(weeks)]
    return np.unique(np.round([*evenly, *ends], 12))


def _best_path(points: Floats, slope: float, unit_cost: float, n_weeks: int, rules: OwnersRules) -> Floats:
    """Return the price ratios of one product that earn most together, shape (n_weeks,)."""
    low = np.minimum(np.log(points), 0)
    sold = points**slope * (points - unit_cost)  # by this week's price
    kept = np.exp(-slope * (CARRIED[0] * low[:, None] + CARRIED[1] * low))  # by the prices 1 and 2 weeks ago
    lowest, highest = rules.allowed(np.ones_like(points), points)
    forbidden = (points < lowest[:, None] - 1e-9) | (points > highest[:, None] + 1e-9)
    ahead = np.zeros((len(points), len(points)))  # what later weeks earn, by this week's price and the last one's
    choices: list[np.ndarray[tuple[int, ...], np.dtype[np.int64]]] = []
    for _ in range(n_weeks):
        # Axes: the price one week ago, two weeks ago, and now.
        worth = kept[:, :, None] * sold + ahead.T[:, None, :]
        worth[np.broadcast_to(forbidden[:, None, :], worth.shape)] = -np.inf
        choices.append(worth.argmax(axis=2))
        ahead = worth.max(axis=2)
    last = before = int(np.searchsorted(points, 1.0 - 1e-9))
    path = []
    for choice in reversed(choices):
        last, before = int(choice[last, before]), last
        path.append(points[last])
    return np.array(path)
