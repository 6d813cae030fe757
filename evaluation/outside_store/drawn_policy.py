"""The product in an outside store: what each night believes and draws, as a policy that the scorer can play.

It is made of the parts that `training.next_draw` calls, in the same order, without lake and calendar. A store week that
is held counts as tried: its prices are there to tell what the others bring. The scorer keeps the owner's largest step
for held weeks, too.
"""

import numpy as np

from catalog.arrays import Floats
from evaluation.outside_store.stores.weekly_seller import WeekPrices, WeeksSeen
from serving.counts.belief_from_units import believed_of_units
from serving.counts.draws_of_prices import drawn_prices
from serving.counts.price_room import PriceRoom
from serving.counts.slope_draws import SlopeDraws
from serving.counts.unit_rows import UnitRows
from training.next_draw import LADDER_PRICES


def drawn(seen: WeeksSeen, dice: np.random.Generator) -> WeekPrices:
    """Draw each store's prices of the next week from all weeks so far."""
    units, ratios = seen.units.transpose(2, 1, 0), (seen.prices / seen.owner_prices).transpose(2, 1, 0)
    belief = believed_of_units(UnitRows(units.astype(float), np.ones(units.shape), np.log(ratios)))
    room = PriceRoom(
        _ladder(seen), seen.owner_prices.T, seen.prices[-1].T, seen.unit_costs, seen.rules.band, seen.rules.step
    )
    found = drawn_prices(room, SlopeDraws.of(belief), int(dice.integers(2**31)), len(seen.prices))
    return WeekPrices(found.prices.T, np.broadcast_to(found.is_held[:, None], seen.owner_prices.shape))


def _ladder(seen: WeeksSeen) -> Floats:
    band = np.linspace(1 - seen.rules.band, 1 + seen.rules.band, LADDER_PRICES)
    return np.round(seen.owner_prices[0][:, None] * band, 2)
