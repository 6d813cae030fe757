"""What a storefront shows where nothing is tried, and what it would show, had people ordered nothing.

The policy is asked once for both. How a price sells, and what the limits cost, is not worked out: a chain has millions
of prices that stand.
"""

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.pricing import Shelf
from serving.storefront import Storefront


@dataclass(frozen=True)
class UsualPrices:
    """The prices of a shelf where nothing is tried. Arrays have shape (n_stores, n_products), prices in EUR.

    `prices`, `rule`, `clamps`, `sticker` and `saving` are as in `catalog.pricing.PriceDecision`.

    Attributes
    ----------
    without
        What would be shown, had people ordered nothing.
    """

    prices: Floats
    rule: Ints
    clamps: NDArray[Any]
    without: Floats
    sticker: Floats | None
    saving: Floats | None


def usual_prices(front: Storefront, shelf: Shelf) -> UsualPrices:
    """Return the prices that a storefront shows on a shelf without exploration."""
    front = replace(front, exploration=None)
    free = without_orders(front)
    if type(front).decide is not Storefront.decide:  # its stores have policies of their own
        own = front.decide(shelf)
        without = own if free is front else free.decide(shelf)
        return UsualPrices(own.prices, own.rule, own.clamps, without.prices, own.sticker, own.saving)
    if front.curves is not None and front.curves.by_tick is not None:
        front, free = (replace(one, curves=front.curves.at(shelf.ticks_left)) for one in (front, free))
    asked = front.supported(front.policy.ask(shelf))
    limits = front.limits_on(shelf, asked).beside(asked.prices)
    prices, rule, clamps = limits.apply_with_trail(asked.prices, asked.rule, front.rules.index("exploration") + 1)
    alone = prices
    if free.limits is not front.limits:
        alone = free.limits_on(shelf, asked).beside(asked.prices).apply(asked.prices)
    stickers = front.stickers(asked, prices, shelf)
    return UsualPrices(prices, rule, clamps, alone, stickers["sticker"], stickers.get("saving"))


def without_orders(front: Storefront) -> Storefront:
    """Return a storefront to which nobody ordered anything."""
    if front.limits is None or front.limits.orders is None:
        return front
    return replace(front, limits=replace(front.limits, orders=None))
