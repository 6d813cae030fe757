"""What shoppers do: they meet prices and stock, one tick at a time, for many stores at once.

A shopper buys one unit if the shelf has one and the price is at most base price x multiplier. Within a tick prices do
not change and shoppers come in order of time, so the last unit goes to the first shopper who can pay. A return takes
place only if its first visit, in an earlier tick, met a price that was too high.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.store_day import BOUGHT, OUT_OF_STOCK, TOO_EXPENSIVE

STAYED_AWAY = -1
"""Marks a return that did not take place: no visit, and no outcome."""


@numba.njit(cache=True, nogil=True)
def sell_tick(
    spans: Ints,
    visits: tuple[NDArray[np.int16], NDArray[np.float32], Ints],
    prices: Floats,
    stock: Ints,
    inventory: NDArray[np.int32],
    outcome: NDArray[np.int8],
) -> None:
    """Sell one tick: decide the outcome of each of its visits.

    Parameters
    ----------
    spans
        First row of the tick's visits in each store, and the one after its last, shape (n_stores, 2).
    visits
        Product that each visit looks at, the most it would pay for it (EUR), and the row of the visit that a return
        repeats, below 0 where it is none: each shape (n_visits,), the last one empty where nobody waits.
    prices
        Prices shown in this tick, EUR, shape (n_stores, n_products).
    stock
        Units on the shelf, shape (n_stores, n_products); reduced in place.
    inventory, outcome
        Written in place, shape (n_visits,): stock before each decision, index into `catalog.store_day.OUTCOMES`, or
        `STAYED_AWAY`.
    """
    product, willing_price, first_visit = visits
    some_wait = len(first_visit) > 0
    for store in range(len(spans)):
        for row in range(spans[store, 0], spans[store, 1]):
            if some_wait and first_visit[row] >= 0 and outcome[first_visit[row]] != TOO_EXPENSIVE:
                outcome[row] = STAYED_AWAY
                continue
            item = product[row]
            left = stock[store, item]
            inventory[row] = left
            if left == 0:
                outcome[row] = OUT_OF_STOCK
            elif prices[store, item] <= willing_price[row]:
                outcome[row] = BOUGHT
                stock[store, item] = left - 1
            else:
                outcome[row] = TOO_EXPENSIVE


@numba.njit(cache=True, nogil=True)
def count_tick(
    spans: Ints, product: NDArray[np.int16], outcome: NDArray[np.int8], visits: Ints, met: Ints, bought: Ints
) -> None:
    """Count one tick's visits, those that found stock, and those that bought, of each store and product.

    `visits`, `met` and `bought`, shape (n_stores, n_products), are added to in place; the rest is as in `sell_tick`.
    """
    for store in range(len(spans)):
        for row in range(spans[store, 0], spans[store, 1]):
            if outcome[row] == STAYED_AWAY:
                continue
            item = product[row]
            visits[store, item] += 1
            met[store, item] += outcome[row] != OUT_OF_STOCK
            bought[store, item] += outcome[row] == BOUGHT
