"""The product in an outside store: what each night believes and draws, as a policy that the scorer can play.

It is made of the parts that `training.next_draw` calls, in the same order, without lake and calendar. A store week of a
hold counts as tried: its prices are there to tell what the others bring.
"""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from catalog.arrays import Floats
from evaluation.outside_store.stores.weekly_seller import WeekPrices, WeeksSeen
from serving.counts.belief_from_units import UnitsBelief, believed_of_units
from serving.counts.belief_priors import ToldPrior
from serving.counts.draws_of_prices import HELD_SHARE, DrawnPrices, drawn_prices
from serving.counts.price_room import PriceRoom
from serving.counts.slope_draws import SlopeDraws
from serving.counts.unit_rows import UnitRows
from serving.drawn_room import LADDER_PRICES


@dataclass(frozen=True)
class NightInStores:
    """What a night believes, what it draws, and the prices that are best by that belief without a draw."""

    belief: UnitsBelief
    drawn: DrawnPrices
    surest: Floats


def drawn(seen: WeeksSeen, _: np.random.Generator) -> WeekPrices:
    """Draw each store's prices of the next week from all weeks so far."""
    seed = zlib.crc32(np.ascontiguousarray(seen.units[0]).tobytes())  # a hold lasts weeks, so all weeks have one seed
    found = night_of(seen, seen.prices[-1], seed).drawn
    return WeekPrices(found.prices.T, np.broadcast_to(found.in_hold[:, None], seen.owner_prices.shape))


def night_of(
    seen: WeeksSeen,
    step_from: Floats,
    seed: int,
    told: ToldPrior | None = None,
    held_share: float = HELD_SHARE,
    before: UnitsBelief | None = None,
) -> NightInStores:
    """Believe what all weeks so far tell, and draw the next week.

    Parameters
    ----------
    step_from
        Prices that the next step is measured from, EUR, shape (n_stores, n_products).
    told
        What a log told of the slopes.
    before
        The belief of the week before, from which a search begins sooner.
    """
    rows = rows_of(seen)
    belief = believed_of_units(rows, told, before=before)
    rule, room, number = SlopeDraws.of(belief), _room(seen, step_from), len(seen.prices)
    found = drawn_prices(room, rule, seed, number, held_share=held_share)
    surest = drawn_prices(room, replace(rule, spreads=0 * rule.spreads), seed, number, held_share=0.0)
    return NightInStores(belief, found, surest.prices.T)


def rows_of(seen: WeeksSeen) -> UnitRows:
    """Return units and log price ratios as a belief takes them."""
    units, ratios = seen.units.transpose(2, 1, 0), (seen.prices / seen.owner_prices).transpose(2, 1, 0)
    return UnitRows(units.astype(float), np.ones(units.shape), np.log(ratios))


def _room(seen: WeeksSeen, step_from: Floats) -> PriceRoom:
    """Return what may be drawn: whole cents in the band, no farther than a step from where it is measured from."""
    owner, rules = seen.owner_prices, seen.rules
    even = np.round(owner[0][:, None] * np.linspace(1 - rules.band, 1 + rules.band, LADDER_PRICES), 2)
    lowest, highest = np.ceil(owner[0] * (1 - rules.band) * 100), np.floor(owner[0] * (1 + rules.band) * 100)
    ladder = np.clip(even, lowest[:, None] / 100, highest[:, None] / 100)
    return PriceRoom(ladder, owner.T, step_from.T, seen.unit_costs, rules.band, rules.step)
