"""Two ways to see that a model no longer holds: the residuals that the store watches, and the first demo's coin.

The coin rule compared the share of right calls among the last 50 decisions with a coin. A call is right when a chance
of one half or more met a purchase or a lower one a refusal, and whoever met an empty shelf was counted as a refusal.
"""

import numpy as np

from catalog.arrays import Flags, Floats

RULES = ("residuals", "coin")
_LAST = 50
_COIN = 0.5


def coin_alarms(p_sale: Floats, purchased: Flags) -> bool:
    """Tell whether, after any decision of a day, fewer than half of the last 50 calls were right.

    Parameters
    ----------
    p_sale
        Chance of sale at the price shown, in order of time, shape (n_visits,).
    purchased
        Whether a unit was bought; False for who met an empty shelf, shape (n_visits,).
    """
    right = np.cumsum(np.concatenate([[0], (p_sale >= _COIN) == purchased]))
    windows = right[_LAST:] - right[:-_LAST]
    return bool((windows < _COIN * _LAST).any())
