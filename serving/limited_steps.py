"""What a policy asked for in the steps of a price book that a limit changed: few, so it is kept for these alone.

What must hold: where the price is the one that was asked for, so is its chance of sale.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from serving.price_steps import pieces


class Limited(NamedTuple):
    """Steps with another price than the policy asked for.

    Attributes
    ----------
    limited_step
        Position of each of them among all steps, ascending, shape (n_limited,).
    asked
        Price before any limit, EUR, of the same shape.
    asked_from
        Where the chances of each begin, and where the last ones end, shape (n_limited + 1,).
    p_asked
        Chance of sale at that price; 0 with an empty shelf, NaN where nobody knows, shape (n_chances,).
    """

    limited_step: Ints
    asked: Floats
    asked_from: NDArray[np.int32]
    p_asked: Floats

    @classmethod
    def among(cls, prices: Floats, asked: Floats, chance_from: NDArray[np.int32], p_asked: Floats) -> "Limited":
        """Return those among all steps, of which the price is given, the one asked for, and the chances at that."""
        own = np.flatnonzero(prices != asked)
        asked_from, chances = pieces(chance_from, own)
        return cls(own, asked[own], asked_from, p_asked[chances])

    def before_limits(self, step: Ints, since: Ints, prices: Floats, p_sale: Floats) -> tuple[Floats, Floats]:
        """Return of states the price asked for, EUR, and the chance of sale at it.

        Parameters
        ----------
        step, since
            Step of each, and how many ticks after the first one of that.
        prices, p_sale
            What the limits make of them, of the same shape.
        """
        if not len(self.limited_step):
            return prices, p_sale
        row, is_own = self._rows(step)
        asked, p_asked, row = prices.copy(), p_sale.copy(), row[is_own]
        asked[is_own] = self.asked[row]
        p_asked[is_own] = self.p_asked[np.minimum(self.asked_from[row] + since[is_own], self.asked_from[row + 1] - 1)]
        return asked, p_asked

    def take(self, steps: Ints) -> "Limited":
        """Return those among some steps, in this order."""
        row, is_own = self._rows(steps)
        asked_from, chances = pieces(self.asked_from, row[is_own])
        return Limited(np.flatnonzero(is_own), self.asked[row[is_own]], asked_from, self.p_asked[chances])

    def after(self, n_steps: int) -> "Limited":
        """Return them as they are where so many steps come before."""
        return self._replace(limited_step=self.limited_step + n_steps)

    def _rows(self, step: Ints) -> tuple[Ints, NDArray[Any]]:
        """Return where each step would be among these, and whether it is there."""
        row = np.searchsorted(self.limited_step, step)
        return row, np.append(self.limited_step, -1)[row] == step
