"""What a storefront shows where nothing is tried, and what it would show, had people ordered nothing.

The policy is asked once for both. How a price sells, and what the limits cost, is not worked out: a chain has millions
of prices that stand. Limits are applied to some stores at a time where no store's price depends on another one's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.pricing import Shelf
from serving.kinds_of_stores import shelf_of_rows
from serving.pricing_policy import Asked
from serving.storefront import Storefront

_BLOCK = 250_000  # prices that are limited at a time


@dataclass(frozen=True)
class UsualPrices:
    """The prices of some stores where nothing is tried. Arrays have shape (n_stores, n_products), prices in EUR.

    `prices`, `rule`, `clamps`, `sticker` and `saving` are as in `catalog.pricing.PriceDecision`.

    Attributes
    ----------
    shelf
        The stores' shelves.
    without
        What would be shown, had people ordered nothing.
    """

    shelf: Shelf
    prices: Floats
    rule: Ints
    clamps: NDArray[Any]
    without: Floats
    sticker: Floats | None
    saving: Floats | None


def usual_prices(front: Storefront, shelf: Shelf) -> Iterator[UsualPrices]:
    """Yield the prices that a storefront shows on shelves without exploration, of some stores at a time, in order."""
    front = replace(front, exploration=None)
    free = without_orders(front)
    if type(front).decide is not Storefront.decide:  # its stores have policies of their own
        own = front.decide(shelf)
        without = own if free is front else free.decide(shelf)
        yield UsualPrices(shelf, own.prices, own.rule, own.clamps, without.prices, own.sticker, own.saving)
        return
    if front.curves is not None and front.curves.by_tick is not None:
        front, free = (replace(one, curves=front.curves.at(shelf.ticks_left)) for one in (front, free))
    asked = front.supported(front.policy.ask(shelf))
    n_stores, n_products = shelf.stock.shape
    is_zone = front.limits is not None and front.limits.rails.one_price is not None
    step = n_stores if is_zone else max(1, _BLOCK // n_products)
    for first in range(0, n_stores, step):
        rows = slice(first, first + step)
        yield _limited((front, free), shelf_of_rows(shelf, rows), _asked_in(asked, rows))


def _limited(fronts: tuple[Storefront, Storefront], shelf: Shelf, asked: Asked) -> UsualPrices:
    """Return what is shown of what is asked for: with what people ordered, and without."""
    front, free = fronts
    limits = front.limits_on(shelf, asked).beside(asked.prices)
    prices, rule, clamps = limits.apply_with_trail(asked.prices, asked.rule, front.rules.index("exploration") + 1)
    without = prices
    if free.limits is not front.limits:
        without = free.limits_on(shelf, asked).beside(asked.prices).apply(asked.prices)
    stickers = front.stickers(asked, prices, shelf)
    return UsualPrices(shelf, prices, rule, clamps, without, stickers["sticker"], stickers.get("saving"))


def _asked_in(asked: Asked, rows: slice) -> Asked:
    sticker, saving = (None if own is None else own[rows] for own in (asked.sticker, asked.saving))
    return Asked(asked.prices[rows], asked.rule[rows], asked.p_sale[rows], asked.unit_value[rows], sticker, saving)


def without_orders(front: Storefront) -> Storefront:
    """Return a storefront to which nobody ordered anything."""
    if front.limits is None or front.limits.orders is None:
        return front
    return replace(front, limits=replace(front.limits, orders=None))
