"""The assignment: prices of a week drawn by a seed, with all that has to be logged to learn from them.

A rule says with what chance each price of a product is shown in each store; `SlopeDraws` explores by what is believed,
`FairCoin` is a planned experiment. The draw itself is the same for all: each store and week is a block with dice of its
own, so that any block can be drawn again from the seed alone, whatever other stores there are. In a share of the blocks
the whole store is held at the owner's prices, so that what the prices bring can be told.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from serving.counts.price_room import PriceRoom

HELD_SHARE = 0.10
"""Share of store weeks that are held at the owner's prices."""
_DRAWS = 2_026_112_801  # sets the stream of these draws apart from others of the same seed
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
    is_held
        Which stores are held at the owner's prices, shape (n_stores,).
    step_from
        The prices that the next week's step is measured from, EUR: of a store that is held, those before it.
    stores, week, seed, design
        What the draw can be repeated from: numbers of the stores, shape (n_stores,), and of the week, the seed and the
        name of the rule. Store and week are the block.
    """

    prices: Floats
    propensity: Floats
    is_held: Flags
    step_from: Floats
    stores: Ints
    week: int
    seed: int
    design: str


def drawn_prices(
    room: PriceRoom,
    rule: DrawRule,
    seed: int,
    week: int,
    stores: Ints | None = None,
    held_share: float = HELD_SHARE,
) -> DrawnPrices:
    """Draw the prices of a week.

    Parameters
    ----------
    week
        Number of the week, or of any other slot of an experiment; the same for the same one always.
    stores
        Number of each store, the same for the same store always, shape (n_stores,); None counts them.
    held_share
        See `HELD_SHARE`. A held store goes to the owner's prices at once, however far that is, and back: the owner's
        prices need nobody's leave.
    """
    n_products, n_stores = room.owner.shape
    stores = np.arange(n_stores) if stores is None else stores
    families = np.arange(n_products) if rule.families is None else np.unique(rule.families, return_inverse=True)[1]
    dice = [_dice_of(seed, int(store), week).random(1 + n_products) for store in stores]
    is_held = np.array([own[0] < held_share for own in dice])
    thrown = np.stack([own[1 + families] for own in dice], axis=1)
    chances = rule.chances(room)
    chosen = _at(chances, thrown)
    asked = np.take_along_axis(room.prices, chosen, axis=2)[:, :, 0]
    prices = np.where(is_held, room.owner, asked)
    is_shown = np.abs(np.where(chances > 0, room.prices, np.inf) - prices[:, :, None]) < _SAME
    propensity = (1 - held_share) * (chances * is_shown).sum(axis=2)
    propensity += held_share * (np.abs(prices - room.owner) < _SAME)
    step_from = np.where(is_held, room.before, prices)
    return DrawnPrices(prices, propensity, is_held, step_from, stores, week, seed, rule.name)


def _at(chances: Floats, thrown: Floats) -> Ints:
    """Return which price each throw falls on, shape (n_products, n_stores, 1); never one without a chance."""
    up_to = np.cumsum(chances, axis=2)
    is_reached = (chances > 0) & (up_to > thrown[:, :, None] * up_to[:, :, -1:])
    return np.argmax(is_reached, axis=2)[:, :, None]


def _dice_of(seed: int, store: int, week: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, _DRAWS, store, week))))
