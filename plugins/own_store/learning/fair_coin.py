"""A planned experiment: a fair coin shows listed products above or below their price, and how much it can tell.

A coin is thrown for each product, store and slot; a slot is a week, a day or half a week. Products of a family share
their coins, so that one is not dear while the other is cheap. The power is that of the studentised comparison: a
noncentral t distribution, with the variation of units given (negative binomial).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import nctdtr, stdtrit

from catalog.arrays import Flags, Floats, Ints
from plugins.own_store.learning.price_room import PriceRoom

_LEVEL = 0.05
_FEWEST_SLOTS = 4
_MOST_SLOTS = 3650
_NOISE = 1e-9


@dataclass(frozen=True)
class FairCoin:
    """Prices a step above or below the middle of the room.

    Attributes
    ----------
    step
        As a share of the price; each side is the nearest price of the ladder to it. The next throw may turn from one
        side to the other, so the sides are never farther apart than the step of the room.
    products
        Which products take part, shape (n_products,). The others keep their price.
    families
        See `DrawRule`.
    """

    step: float
    products: Flags
    families: Ints | None = None

    @property
    def name(self) -> str:
        """Name of the design."""
        return f"fair coin of +-{self.step:.1%} around the price"

    def chances(self, room: PriceRoom) -> Floats:
        """Return a half for either side and 1 for the price before of who takes no part, shape as `room.prices`.

        A product that has no price on one of the sides takes no part in that store, and neither does its family.
        """
        low, high = self.sides(room)
        takes_part = self.takes_part(room)
        chances = np.zeros(room.prices.shape)
        for place in (low, high):
            np.put_along_axis(chances, place[:, :, None], 0.5 * takes_part[:, :, None], axis=2)
        chances[:, :, -1] = np.where(takes_part, 0.0, 1.0)
        return chances

    def sides(self, room: PriceRoom) -> tuple[Ints, Ints]:
        """Return the place of the lower and of the higher price, shape (n_products, n_stores) each."""
        is_lower, is_higher, middle = self._reached(room)
        low = np.where(is_lower, np.abs(room.prices - middle * (1 - self.step)), np.inf)
        high = np.where(is_higher, np.abs(room.prices - middle * (1 + self.step)), np.inf)
        return np.argmin(low, axis=2), np.argmin(high, axis=2)

    def takes_part(self, room: PriceRoom) -> Flags:
        """Return which products take part in which stores, shape (n_products, n_stores)."""
        is_lower, is_higher, _ = self._reached(room)
        able = (is_lower.any(axis=2) & is_higher.any(axis=2)) | ~self.products[:, None]
        if self.families is not None:
            able = np.stack([able[self.families == family].all(axis=0) for family in self.families])
        return np.asarray(able & self.products[:, None])

    def _reached(self, room: PriceRoom) -> tuple[Flags, Flags, Floats]:
        """Return which prices may be the lower and the higher side, shape as `room.prices`, and the middle, EUR."""
        middle = room.around[:, :, None]
        widest = room.step / (2 + room.step) + _NOISE
        is_lower = room.is_free & (room.prices < middle) & (room.prices >= middle * (1 - widest))
        return is_lower, room.is_free & (room.prices > middle) & (room.prices <= middle * (1 + widest)), middle


def power_of_coin(
    slope: float, step: float, n_slots: int, units: float, shape: float, n_products: int = 1, n_terms: int = 1
) -> float:
    """Return the chance that a slope is told, before the experiment starts.

    Parameters
    ----------
    slope
        True change of log units with the log price.
    step
        See `FairCoin`.
    n_slots
        Slots of all stores together: each is one throw for the product.
    units
        Expected in a slot.
    shape
        Of the negative binomial: units vary by units + units^2 / shape.
    n_products
        Products that are looked at together; Holm's correction is at worst Bonferroni's.
    n_terms
        What usual demand is explained by, such as levels of stores: each takes a slot.
    """
    n_slots -= n_terms - 1
    if n_slots < _FEWEST_SLOTS or step <= 0:
        return 0.0
    half = (np.log1p(step) - np.log1p(-step)) / 2
    error = np.sqrt((1 / units + 1 / shape) / n_slots) / half
    free = n_slots - 2
    critical = float(stdtrit(free, 1 - _LEVEL / n_products / 2))
    missed = float(nctdtr(free, abs(slope) / error, critical))
    return 1.0 - (missed if np.isfinite(missed) else 0.0)  # far off, where it is not computed, nothing is missed


def slots_wanted(
    slope: float, step: float, units: float, shape: float, n_products: int = 1, power: float = 0.8, n_terms: int = 1
) -> int | None:
    """Return how many slots tell a slope with a power, all stores together; None where ten years of days do not."""
    for n_slots in range(_FEWEST_SLOTS, _MOST_SLOTS + 1):
        if power_of_coin(slope, step, n_slots, units, shape, n_products, n_terms) >= power:
            return n_slots
    return None
