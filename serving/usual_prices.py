"""What a storefront shows where nothing is tried, and what it would show, had people ordered nothing.

The policy is asked once for both. How a price sells, and what the limits cost, is not worked out: a chain has millions
of prices that stand. Limits are applied to some stores at a time where no store's price depends on another one's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.pricing import Shelf
from serving.limits import Limits
from serving.pricing_policy import Asked
from serving.storefront import Storefront

_BLOCK = 250_000  # prices that are limited at a time


@dataclass(frozen=True)
class UsualPrices:
    """The prices of some stores where nothing is tried. Arrays have shape (n_stores, n_products), prices in EUR.

    `prices`, `rule`, `clamps`, `sticker` and `saving` are as in `catalog.pricing.PriceDecision`.

    Attributes
    ----------
    shelf, limits
        The stores' shelves, and what limits their prices.
    without
        What would be shown, had people ordered nothing.
    """

    shelf: Shelf
    limits: Limits | None
    prices: Floats
    rule: Ints
    clamps: NDArray[Any]
    without: Floats
    sticker: Floats | None
    saving: Floats | None


class UsualPricesOfStores:
    """The prices that a storefront shows on shelves without exploration, worked out some stores at a time.

    Attributes
    ----------
    at_once
        How many stores: all of them where the price of one depends on another one's.
    """

    def __init__(self, front: Storefront, shelf: Shelf) -> None:
        """Work nothing out yet."""
        front = replace(front, exploration=None)
        n_stores, n_products = shelf.stock.shape
        is_zone = front.limits is not None and front.limits.rails.one_price is not None
        self.at_once = n_stores if is_zone else max(1, _BLOCK // n_products)
        if front.curves is not None and front.curves.by_tick is not None:
            front = replace(front, curves=front.curves.at(shelf.ticks_left))
        self._front, self._shelf = front, shelf

    def from_store(self, first: int) -> UsualPrices:
        """Return those of the stores that are worked out together, from a first one on."""
        rows = slice(first, first + self.at_once)
        shelf, limits = _shelf_of_rows(self._shelf, rows), self._front.limits
        if limits is not None and limits.orders is not None and shelf.stores is not None:
            limits = replace(limits, orders=limits.orders.among(shelf.stores))
        return _limited(replace(self._front, limits=limits), shelf, _asked_in(self._asked, rows))

    def __iter__(self) -> Iterator[UsualPrices]:
        """Yield those of all stores, in order."""
        return map(self.from_store, range(0, len(self._shelf.stock), self.at_once))

    @cached_property
    def _asked(self) -> Asked:
        """What the policy asks for, with and without what people ordered."""
        return self._front.supported(self._front.policy.ask(self._shelf), self._shelf)


def _limited(front: Storefront, shelf: Shelf, asked: Asked) -> UsualPrices:
    """Return what is shown of what is asked for: with what people ordered, and without."""
    limits, free = front.limits_on(shelf, asked).beside(asked.prices), without_orders(front)
    prices, rule, clamps = limits.apply_with_trail(asked.prices, asked.rule, front.rules.index("exploration") + 1)
    without = prices
    if free is not front:
        without = free.limits_on(shelf, asked).beside(asked.prices).apply(asked.prices)
    stickers = front.stickers(asked, prices, shelf)
    return UsualPrices(shelf, front.limits, prices, rule, clamps, without, stickers["sticker"], stickers.get("saving"))


def _shelf_of_rows(shelf: Shelf, rows: slice) -> Shelf:
    """Return the shelves of some stores."""
    opening = None if shelf.opening_prices is None else shelf.opening_prices[rows]
    stores = None if shelf.stores is None else shelf.stores[rows]
    own = (shelf.stock[rows], shelf.shown_prices[rows], shelf.ticks_left, shelf.dice[rows])
    changes = np.broadcast_to(shelf.changes, shelf.stock.shape)[rows]
    opened_with = None if shelf.opened_with is None else shelf.opened_with[rows]
    sticker = None if shelf.sticker is None else shelf.sticker[rows]
    on_last_day = None if shelf.on_last_day is None else shelf.on_last_day[rows]
    return Shelf(*own, opening, stores, changes, opened_with, shelf.business_date, sticker, on_last_day)


def _asked_in(asked: Asked, rows: slice) -> Asked:
    sticker, saving = (None if own is None else own[rows] for own in (asked.sticker, asked.saving))
    return Asked(asked.prices[rows], asked.rule[rows], asked.p_sale[rows], asked.unit_value[rows], sticker, saving)


def without_orders(front: Storefront) -> Storefront:
    """Return a storefront to which nobody ordered anything."""
    if front.limits is None or front.limits.orders is None:
        return front
    return replace(front, limits=replace(front.limits, orders=None))
