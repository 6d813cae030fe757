"""What a unit of stock is worth, and the price that follows: backward induction over stock and time.

Selling a unit now forgoes what it would bring later, so the best price maximises (price - value of a unit kept) x
chance of sale. After Gallego and van Ryzin, "Optimal dynamic pricing of inventories with stochastic demand over finite
horizons" (Management Science, 1994), in ticks: the price stands for a tick, and sales in it are Poisson.
"""

import numba
import numpy as np

from catalog.arrays import Floats, Ints

_TAIL = 8.0  # standard deviations of a Poisson count after which nothing is left to add


@numba.njit(cache=True, nogil=True)
def price_stock(gains: Floats, p_sale: Floats, visits: Floats, n_levels: int) -> tuple[Ints, Floats]:
    """Find the best candidate for every stock level and every number of ticks left, for one product.

    Parameters
    ----------
    gains, p_sale
        What one sale brings at each candidate, EUR (its price, or price less cost), and the chance of it, shape
        (n_prices,).
    visits
        Expected visits in each tick of the day, shape (n_ticks,).
    n_levels
        Stock levels, 0 included.

    Returns
    -------
    best : Ints
        Position of the best candidate, shape (n_levels, n_ticks); position t stands for t + 1 ticks left.
    value : Floats
        Expected gain until closing, EUR, shape (n_levels, n_ticks + 1); position t stands for t ticks left.
    """
    n_ticks, n_prices = len(visits), len(gains)
    best = np.zeros((n_levels, n_ticks), dtype=np.int64)
    value = np.zeros((n_levels, n_ticks + 1))
    for left in range(1, n_ticks + 1):
        value[1:, left] = -1.0
        for candidate in range(n_prices):
            mean = visits[n_ticks - left] * p_sale[candidate]
            most = min(n_levels - 1, int(mean + _TAIL * np.sqrt(mean) + _TAIL))
            chances = np.zeros(most + 1)
            chances[0] = np.exp(-mean)
            for sold in range(1, most + 1):
                chances[sold] = chances[sold - 1] * mean / sold
            for stock in range(1, n_levels):
                expected, rest = 0.0, 1.0
                for sold in range(min(stock, most + 1)):
                    expected += chances[sold] * (sold * gains[candidate] + value[stock - sold, left - 1])
                    rest -= chances[sold]
                expected += max(rest, 0.0) * stock * gains[candidate]  # all of it is sold
                if expected > value[stock, left]:
                    value[stock, left] = expected
                    best[stock, left - 1] = candidate
    return best, value
