"""Price orders as arrays: between which prices each product of each store may be in each tick, and why."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats
from catalog.records.price_orders import OrderRule, PriceOrder

STRENGTH: tuple[OrderRule, ...] = ("not_approved", "override", "freeze", "kill_switch")
"""Where several orders bind a price, the one that comes last here holds; of equal ones, the one that came last."""

_FREE = -1
_Arrays = tuple[Floats, Floats, NDArray[np.int8]]


@dataclass(frozen=True)
class Windows:
    """What binds the shelves of some stores in one tick. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    lowest, highest
        EUR; NaN where nothing binds.
    rule
        Position in `STRENGTH`, -1 where nothing binds.
    """

    lowest: Floats
    highest: Floats
    rule: NDArray[np.int8]

    def bound_by(self, rule: str) -> Flags:
        """Tell which prices are bound by a rule."""
        return np.asarray(self.rule == STRENGTH.index(rule))

    @cached_property
    def is_set(self) -> Flags:
        """Tell which products have one price that a person set, whatever it was asked for."""
        return np.asarray(self.rule > STRENGTH.index("not_approved"))

    @cached_property
    def is_fixed(self) -> Flags:
        """Tell which products can have one price alone."""
        return np.asarray(self.lowest == self.highest)


@dataclass(frozen=True)
class Orders:
    """The price orders of a date, for a shelf with `n_ticks` ticks a day."""

    orders: tuple[PriceOrder, ...]
    skus: tuple[str, ...]
    n_ticks: int
    _kept: dict[tuple[str, ...], _Arrays] = field(default_factory=dict, compare=False, repr=False)

    def only(self, sku: str) -> "Orders":
        """Return the orders of one product, for a shelf that holds it alone."""
        return Orders(tuple(order for order in self.orders if order.sku == sku), (sku,), self.n_ticks)

    def at(self, stores: tuple[str, ...] | None, n_stores: int, ticks_left: int) -> Windows:
        """Return what binds in one tick; without names of stores, that is what binds every store."""
        named = stores or ("",) * n_stores
        if named not in self._kept:
            self._kept[named] = self._of_the_day(named)
        tick = self.n_ticks - ticks_left
        lowest, highest, rule = self._kept[named]
        return Windows(lowest[tick], highest[tick], rule[tick])

    def _of_the_day(self, stores: tuple[str, ...]) -> _Arrays:
        """Return lowest and highest price and rule in each tick, shape (n_ticks, n_stores, n_products)."""
        shape = (self.n_ticks, len(stores), len(self.skus))
        lowest, highest = np.full(shape, np.nan), np.full(shape, np.nan)
        rule = np.full(shape, _FREE, dtype=np.int8)
        columns = {sku: column for column, sku in enumerate(self.skus)}
        rows = {store: [row for row, name in enumerate(stores) if name == store] for store in set(stores)}
        for order in sorted(self.orders, key=lambda order: STRENGTH.index(order.rule)):
            own = list(range(len(stores))) if order.store is None else rows.get(order.store, [])
            if order.sku in columns and own:
                place = (slice(order.first_tick, order.end_tick), own, columns[order.sku])
                lowest[place], highest[place] = order.lowest, order.highest
                rule[place] = STRENGTH.index(order.rule)
        return lowest, highest, rule
