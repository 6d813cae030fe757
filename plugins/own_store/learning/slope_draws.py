"""Explore by what is believed: each product in each store gets the best price under a slope drawn from the posterior.

The draw is both the experiment and the price (Thompson, "On the likelihood that one unknown probability exceeds
another", Biometrika 25, 1933): it differs between stores and weeks as long as the slope is uncertain, and exploration
fades because the posterior narrows. Where a few weeks would teach much about a slope, draws spread wider than the
posterior, and where they would teach little, less: what is spent on learning follows what is learned.

The log of the gain at a price is a line in the slope, so the slopes under which a price is best are an interval, and
the chance of the price is exact: the mass of the draws in it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr

from catalog.arrays import Floats, Ints
from plugins.own_store.learning.belief_from_units import UnitsBelief
from plugins.own_store.learning.price_room import PriceRoom

Objective = Literal["profit", "revenue"]
EXPLORING = 0.03
"""What the posterior is weighed against: six weeks of log prices that spread by 7 %, as weeks x variance."""
NARROWEST, WIDEST = 0.1, 2.0
"""Limits of how far draws spread, in standard deviations of the posterior."""
_LEAST_SPREAD = 1e-9
_NOTHING = 1e-12  # EUR, of a unit sold at cost


@dataclass(frozen=True)
class SlopeDraws:
    """Best prices under drawn slopes.

    Attributes
    ----------
    slopes, spreads
        Mean and standard deviation of the draws, shape (n_products,).
    objective
        What a price is best for.
    families
        None: each product is drawn by itself.
    lasting
        Share of what a low price sells in its first week that it still sells when it stays.
    """

    slopes: Floats
    spreads: Floats
    objective: Objective = "profit"
    families: Ints | None = None
    lasting: float = 1.0

    @classmethod
    def of(cls, belief: UnitsBelief, objective: Objective = "profit", periods: int = 1) -> "SlopeDraws":
        """Return the draws that a belief asks for; `periods` of it are one draw long, such as 7 days."""
        deviations = belief.slopes_deviation
        worth = EXPLORING * periods * belief.information * deviations**2
        breadth = np.where(belief.information > 0, np.clip(worth, NARROWEST, WIDEST), 1.0)  # of what never sold, none
        return cls(belief.slopes, breadth * deviations, objective, lasting=belief.stocking_up.lasting)

    @property
    def name(self) -> str:
        """Name of the design."""
        return f"best price for {self.objective} under a drawn slope"

    def chances(self, room: PriceRoom) -> Floats:
        """Return the chance that each price is the best one, shape as `room.prices`."""
        value, at = self._log_gains(room), room.log_ratios
        at = np.where(at < 0, self.lasting * at, at)
        lowest, highest = np.full(value.shape, -np.inf), np.full(value.shape, np.inf)
        for place in range(value.shape[2]):
            run = at[:, :, place, None] - at
            both = room.is_free & room.is_free[:, :, place, None] & (run != 0)
            border = (value - value[:, :, place, None]) / np.where(both, run, 1.0)
            lowest[:, :, place] = np.where(both & (run > 0), border, -np.inf).max(axis=2)
            highest[:, :, place] = np.where(both & (run < 0), border, np.inf).min(axis=2)
        spread = np.maximum(self.spreads, _LEAST_SPREAD)[:, None, None]
        mean = self.slopes[:, None, None]
        chance = ndtr((highest - mean) / spread) - ndtr((lowest - mean) / spread)
        chance = np.where(room.is_free, np.maximum(chance, 0.0), 0.0)
        return np.asarray(chance / chance.sum(axis=2, keepdims=True))

    def _log_gains(self, room: PriceRoom) -> Floats:
        """Return the log of what a unit of demand brings at each price under a slope of 0, shape as `room.prices`."""
        costs = room.costs[:, None, None] if self.objective == "profit" else 0.0
        gain = np.where(room.is_free, np.maximum(room.prices - costs, _NOTHING), 1.0)
        return np.asarray(np.log(gain))
