"""Who takes a substitute: a shopper who found her product too dear or sold out looks at those of its kind.

She takes substitute j, if it is on the shelf, with the chance w_j / (1 + sum of all w), where w_j = strength x
exp((multiplier - price of j / its base price) / noise): a multinomial logit on value less price (McFadden, "Conditional
logit analysis of qualitative choice behavior", 1974), in which leaving has the weight 1. One uniform number of her
visit decides, drawn before any price is known, so that two policies meet the same shoppers. She looks once: who comes
back later to see whether her price has fallen only waits for that, and who took a substitute does not come back.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.store_day import BOUGHT, TOO_EXPENSIVE
from catalog.load import Catalog

NOTHING = -1
"""Marks a visit after which nothing was taken instead."""


def chooses_substitutes(catalog: Catalog) -> bool:
    """Tell whether any shopper of the twin takes a substitute."""
    return catalog.store.substitution.strength > 0 and catalog.names_substitutes


class Choice(NamedTuple):
    """How the visitors of some stores choose, and what they took; n_visits is 0 where nobody does.

    Attributes
    ----------
    uniform, multiplier
        Of each visit: the number that decides, and the hidden budget multiplier, shape (n_visits,).
    substitutes
        Which products may be taken instead of which, shape (n_products, n_products).
    base_prices
        EUR, shape (n_products,).
    strength, noise
        As in `catalog.records.shoppers.Substitution`.
    taken, inventory, outcome
        Written in place, shape (n_visits,): position of the product taken, or `NOTHING`, its stock before, and whether
        it was taken, as `BOUGHT` or `TOO_EXPENSIVE`.
    """

    uniform: Floats
    multiplier: NDArray[np.float32]
    substitutes: Flags
    base_prices: Floats
    strength: float
    noise: float
    taken: NDArray[np.int16]
    inventory: NDArray[np.int32]
    outcome: NDArray[np.int8]

    @classmethod
    def of(cls, catalog: Catalog, multiplier: NDArray[np.float32], uniform: Floats | None) -> "Choice":
        """Return the choices of visits; `uniform` is None where nobody takes a substitute."""
        rules, drawn = catalog.store.substitution, np.empty(0) if uniform is None else uniform
        pairs = np.empty((0, 0), np.bool_) if uniform is None else catalog.substitutes  # of a long shelf a gigabyte
        shelf = (pairs, catalog.base_prices, rules.strength, rules.noise)
        return cls(
            drawn,
            multiplier,
            *shelf,
            taken=np.full(len(drawn), NOTHING, dtype=np.int16),
            inventory=np.zeros(len(drawn), dtype=np.int32),
            outcome=np.full(len(drawn), TOO_EXPENSIVE, dtype=np.int8),
        )


@numba.njit(cache=True, nogil=True)
def take_substitute(row: int, item: int, prices: Floats, stock: Ints, choice: Choice) -> None:
    """Let the shopper of a visit that did not buy take a substitute of its product, or leave.

    Parameters
    ----------
    row, item
        Row of the visit, and position of its product.
    prices, stock
        Prices, EUR, and units on the shelf of its store, shape (n_products,); stock is reduced in place.
    """
    n_products = len(stock)
    weights = np.zeros(n_products)
    for other in range(n_products):
        if choice.substitutes[item, other] and stock[other] > 0:
            value = choice.multiplier[row] - prices[other] / choice.base_prices[other]
            weights[other] = choice.strength * np.exp(value / choice.noise)
    left = choice.uniform[row] * (1.0 + weights.sum())
    for other in range(n_products):
        left -= weights[other]
        if weights[other] > 0 and left < 0:
            choice.taken[row] = other
            choice.inventory[row] = stock[other]
            choice.outcome[row] = BOUGHT
            stock[other] -= 1
            return
