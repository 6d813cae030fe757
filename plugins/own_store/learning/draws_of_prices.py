"""The assignment: prices of a week drawn by a seed, with all that has to be logged to learn from them.

A rule says with what chance each price of a product is shown in each store; `SlopeDraws` explores by what is believed,
`FairCoin` is a planned experiment. The draw itself is the same for all: each store and week has dice of its own, so
that it can be drawn again from the seed alone, whatever other stores there are.

So that what the prices bring can be told, a share of product weeks is held: the product, with its family, shows the
owner's price in that store for that week. A return to the usual price surprises no shopper, so no step limits it, and
the next draw starts from the price that would have been shown.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from plugins.own_store.learning.price_room import PriceRoom

HELD_SHARE = 0.10
"""Share of product weeks that are held at first."""
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
        Shown, EUR.
    asked
        What the rule asked for, EUR: the next step is measured from it, also where the product is held.
    propensity
        The chance that the draw had of showing this price, above 0.
    is_held
        Where the owner's price is shown because the draw held it.
    stores, week, seed, design
        What the draw can be repeated from: numbers of the stores, shape (n_stores,), and of the week, the seed and the
        name of the rule.
    """

    prices: Floats
    asked: Floats
    propensity: Floats
    is_held: Flags
    stores: Ints
    week: int
    seed: int
    design: str


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
        Chance that a product is held in a store.
    """
    n_products, n_stores = room.owner.shape
    stores = np.arange(n_stores) if stores is None else stores
    families = np.arange(n_products) if rule.families is None else np.unique(rule.families, return_inverse=True)[1]

    def thrown(purpose: int) -> Floats:
        """Return a number from 0 to 1 for each product and store, the same for all products of a family."""
        dice = [_dice_of(seed, purpose, int(store), week).random((n_products,)) for store in stores]
        return np.stack([numbers[families] for numbers in dice], axis=1)

    chances, is_held = rule.chances(room), thrown(_HOLDS) < held_share
    asked = np.take_along_axis(room.prices, _at(chances, thrown(_DRAWS)), axis=2)[:, :, 0]
    prices = np.where(is_held, room.owner, asked)
    is_shown = np.abs(np.where(chances > 0, room.prices, np.inf) - prices[:, :, None]) < _SAME
    propensity = (1 - held_share) * (chances * is_shown).sum(axis=2)
    propensity += held_share * (np.abs(prices - room.owner) < _SAME)
    return DrawnPrices(prices, asked, propensity, is_held, stores, week, seed, rule.name)


def _at(chances: Floats, thrown: Floats) -> Ints:
    """Return which price each throw falls on, shape (n_products, n_stores, 1); never one without a chance."""
    up_to = np.cumsum(chances, axis=2)
    is_reached = (chances > 0) & (up_to > thrown[:, :, None] * up_to[:, :, -1:])
    return np.argmax(is_reached, axis=2)[:, :, None]


def _dice_of(seed: int, purpose: int, store: int, week: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, purpose, store, week))))
