"""The assignment: prices of a week drawn by a seed, with all that has to be logged to learn from them.

A rule says with what chance each price of a product is shown in each store; `SlopeDraws` explores by what is believed,
`FairCoin` is a planned experiment. The draw itself is the same for all: each store and week is a block with dice of its
own, so that any block can be drawn again from the seed alone, whatever other stores there are.

So that what the prices bring can be told, a share of the time a whole store is held at the owner's prices. It walks
there by steps, as prices always move, and stands there for the rest of the hold. The weeks on the way tell nothing of
what prices bring: they are neither the owner's nor ours.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from plugins.own_store.learning.price_room import PriceRoom

HELD_SHARE = 0.10
"""Share of store weeks that belong to a hold, those on the way included."""
STANDS = 3
"""Weeks, or other slots, that a hold lasts at least once the store stands at the owner's prices."""
_DRAWS = 2_026_112_801  # sets the stream of these draws apart from others of the same seed
_HOLDS = 2_026_112_802
_SAME = 1e-9  # EUR


class DrawRule(Protocol):
    """What decides how likely each price is."""

    @property
    def name(self) -> str:
        """Name of the design, as it is logged."""

    @property
    def families(self) -> Ints | None:
        """Number of each product's family, shape (n_products,): a family shares its dice. None where none do."""

    def chances(self, room: PriceRoom) -> Floats:
        """Return the chance of each of the room's prices, shape (n_products, n_stores, n_prices + 1), summing to 1."""


@dataclass(frozen=True)
class DrawnPrices:
    """Prices of one week as they are shown and logged, arrays of shape (n_products, n_stores) unless said otherwise.

    Attributes
    ----------
    prices
        EUR.
    propensity
        The chance that the draw had of showing this price, above 0.
    in_hold, began
        Which stores are in a hold, and the first week of the hold, or of the stretch without one, that they are in,
        shape (n_stores,).
    is_home
        Which prices are the owner's.
    stores, week, seed, design
        What the draw can be repeated from: numbers of the stores, shape (n_stores,), and of the week, the seed and the
        name of the rule. Store and week are the block.
    """

    prices: Floats
    propensity: Floats
    in_hold: Flags
    began: Ints
    is_home: Flags
    stores: Ints
    week: int
    seed: int
    design: str

    def is_held(self, among: Flags | None = None) -> Flags:
        """Return which stores are in a hold and stand at the owner's prices, shape (n_stores,).

        Parameters
        ----------
        among
            The products that have to, shape (n_products, n_stores); None is all.
        """
        return self.in_hold & (self.is_home if among is None else self.is_home | ~among).all(axis=0)


def drawn_prices(
    room: PriceRoom, rule: DrawRule, seed: int, week: int, stores: Ints | None = None, held_share: float = HELD_SHARE
) -> DrawnPrices:
    """Draw the prices of a week.

    Parameters
    ----------
    week
        Number of the week, or of any other slot of an experiment; the same for the same one always.
    stores
        Number of each store, the same for the same store always, shape (n_stores,); None counts them.
    held_share
        See `HELD_SHARE`.
    """
    n_products, n_stores = room.owner.shape
    stores = np.arange(n_stores) if stores is None else stores
    families = np.arange(n_products) if rule.families is None else np.unique(rule.families, return_inverse=True)[1]
    dice = [_dice_of(seed, int(store), week).random((n_products,)) for store in stores]
    holds = [_hold_of(seed, int(store), week, hold_slots(room.band, room.step)) for store in stores]
    in_hold = np.array([die < held_share for die, _ in holds])
    thrown = np.stack([own[families] for own in dice], axis=1)
    chances = rule.chances(room)
    asked = np.take_along_axis(room.prices, _at(chances, thrown), axis=2)[:, :, 0]
    prices = np.where(in_hold, room.homeward, asked)
    is_shown = np.abs(np.where(chances > 0, room.prices, np.inf) - prices[:, :, None]) < _SAME
    propensity = (1 - held_share) * (chances * is_shown).sum(axis=2)
    propensity += held_share * (np.abs(prices - room.homeward) < _SAME)
    is_home = np.abs(prices - room.owner) < _SAME
    began = np.array([first for _, first in holds])
    return DrawnPrices(prices, propensity, in_hold, began, is_home, stores, week, seed, rule.name)


def hold_slots(band: float, step: float) -> int:
    """Return how many slots a hold lasts: as long as the way home may take, and `STANDS`."""
    return way_slots(band, step) + STANDS


def way_slots(band: float, step: float) -> int:
    """Return how many slots the way from the edge of the band to the owner's prices may take, in whole steps."""
    down, up = np.log1p(band) / -np.log1p(-step), -np.log1p(-band) / np.log1p(step)
    return int(np.ceil(max(down, up) - _SAME)) - 1


def _at(chances: Floats, thrown: Floats) -> Ints:
    """Return which price each throw falls on, shape (n_products, n_stores, 1); never one without a chance."""
    up_to = np.cumsum(chances, axis=2)
    is_reached = (chances > 0) & (up_to > thrown[:, :, None] * up_to[:, :, -1:])
    return np.argmax(is_reached, axis=2)[:, :, None]


def _dice_of(seed: int, store: int, week: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, _DRAWS, store, week))))


def _hold_of(seed: int, store: int, week: int, n_slots: int) -> tuple[float, int]:
    """Return what was thrown for the stretch of a store that a week lies in, from 0 to 1, and the stretch's first week.

    Stretches of stores begin in different weeks, so that not all stores are on their way at once.
    """
    begins = store % n_slots
    number = (week - begins) // n_slots
    dice = np.random.SeedSequence((seed, _HOLDS, store, n_slots, number % 2**32))
    return float(np.random.Generator(np.random.SFC64(dice)).random()), begins + number * n_slots
