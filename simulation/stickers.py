"""What shoppers do before a shelf on which units on their last day carry a sticker, beside younger ones at the label.

A sticker stands while units on their last day are left and it is below the price on the label. A shopper who does not
look for freshness takes such a unit if she can pay the sticker. One who takes the freshest takes a young unit if she
can pay its price, else one with a sticker if she can pay that. So whoever can pay the sticker buys.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.store_day import BOUGHT, OUT_OF_STOCK, TOO_EXPENSIVE
from simulation.selling import STAYED_AWAY


@numba.njit(cache=True, nogil=True)
def sell_tick_with_stickers(
    spans: Ints,
    visits: tuple[NDArray[np.int16], NDArray[np.float32], Ints],
    picks_freshest: NDArray[np.bool_],
    prices: tuple[Floats, Floats],
    by_life: Ints,
    decided: tuple[NDArray[np.int32], NDArray[np.int8], Floats, Floats],
    marked: tuple[Ints, Ints],
) -> None:
    """Sell one tick and take the units: what `sell_tick` and `take_units` do, in one pass, and with stickers.

    Parameters
    ----------
    spans, visits, picks_freshest, by_life
        As in `simulation.selling.sell_tick` and `simulation.stock.take_units`; `by_life` is reduced in place.
    prices
        Prices on the labels and on the stickers, EUR, NaN where there is none, each shape (n_stores, n_products).
    decided
        Written in place, each shape (n_visits,): stock before each decision; outcome; the price of the unit that was
        bought, or the lowest one seen, EUR; and the sticker that stood, EUR, NaN where none did.
    marked
        Counts that are added to, each shape (n_stores, n_products): visits before a sticker, and those that bought.
    """
    product, willing_price, first_visit = visits
    inventory, outcome, price, sticker = decided
    some_wait, some_pick = len(first_visit) > 0, len(picks_freshest) > 0
    for store in range(len(spans)):
        for row in range(spans[store, 0], spans[store, 1]):
            if some_wait and first_visit[row] >= 0 and outcome[first_visit[row]] != TOO_EXPENSIVE:
                outcome[row] = STAYED_AWAY
                continue
            item = product[row]
            units, label, on_sticker = by_life[store, item], prices[0][store, item], prices[1][store, item]
            left, takes_freshest = units.sum(), some_pick and picks_freshest[row]
            inventory[row], price[row], sticker[row] = left, label, np.nan
            if left == 0:
                outcome[row] = OUT_OF_STOCK
                continue
            stands = units[0] > 0 and on_sticker < label
            if stands:
                sticker[row] = on_sticker
                marked[0][store, item] += 1
                takes_freshest = takes_freshest and left > units[0] and label <= willing_price[row]
                price[row] = label if takes_freshest else on_sticker
            if price[row] > willing_price[row]:
                outcome[row] = TOO_EXPENSIVE
                continue
            outcome[row] = BOUGHT
            marked[1][store, item] += stands
            at = len(units) - 1 if takes_freshest else 0
            while units[at] == 0:
                at += -1 if takes_freshest else 1
            units[at] -= 1
