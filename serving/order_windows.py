"""What people ordered for a date, as arrays: between which prices each product of each store may be in each tick."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats
from serving.price_changes.change import STRENGTH, Kind

_FREE = -1


@dataclass(frozen=True)
class PriceOrder:
    """The prices that a product may have in some ticks of a date: one price, or a range of them. Prices in EUR.

    Attributes
    ----------
    sku, store
        `store` is None for every store that has no order of its own.
    lowest, highest
        The same where one price stands.
    kind
        Of the price change behind it; `price` is an approval, or the lack of one.
    first_tick, end_tick
        Ticks that it binds, the end not included.
    accepted_cost
        Cost plus minimum margin that somebody accepted a price below; None where nobody did.
    """

    sku: str
    store: str | None
    lowest: float
    highest: float
    kind: Kind
    first_tick: int
    end_tick: int
    accepted_cost: float | None = None


@dataclass(frozen=True)
class Windows:
    """What binds the shelves of some stores in one tick. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    lowest, highest
        EUR; NaN where nothing binds.
    kind
        Position in `STRENGTH`, -1 where nothing binds.
    accepted_cost
        EUR; NaN where nobody accepted a price below cost plus minimum margin.
    """

    lowest: Floats
    highest: Floats
    kind: NDArray[np.int8]
    accepted_cost: Floats

    def bound_by(self, kind: Kind) -> Flags:
        """Tell which prices are bound by a kind of price change."""
        return np.asarray(self.kind == STRENGTH.index(kind))

    @cached_property
    def is_set(self) -> Flags:
        """Tell which products have one price that a person set, whatever the policy asks for."""
        return np.asarray(self.kind > STRENGTH.index("price"))

    @cached_property
    def is_fixed(self) -> Flags:
        """Tell which products can have one price alone."""
        return np.asarray(self.lowest == self.highest)


@dataclass(frozen=True)
class Orders:
    """The price orders of a date, for a shelf with `n_ticks` ticks a day; of equal strength, the later one holds."""

    orders: tuple[PriceOrder, ...]
    skus: tuple[str, ...]
    n_ticks: int

    def only(self, sku: str) -> "Orders":
        """Return the orders of one product, for a shelf that holds it alone."""
        return Orders(tuple(order for order in self.orders if order.sku == sku), (sku,), self.n_ticks)

    def at(self, stores: tuple[str, ...] | None, n_stores: int, ticks_left: int) -> Windows:
        """Return what binds in one tick; without names of stores, what binds every store without an order of its own.

        Parameters
        ----------
        n_stores
            How many shelves are asked about.
        """
        rows = [self._rows.get(store, 0) for store in stores or ("",) * n_stores]
        tick = min(max(self.n_ticks - ticks_left, 0), self.n_ticks - 1)  # a book may be of a longer day
        lowest, highest, kind, accepted = self._of_the_day
        return Windows(lowest[tick, rows], highest[tick, rows], kind[tick, rows], accepted[tick, rows])

    @property
    def fingerprint(self) -> str:
        """What tells these orders from any others."""
        return hashlib.sha256(repr(sorted(self.orders, key=repr)).encode()).hexdigest()

    @cached_property
    def stops_everything(self) -> bool:
        """Whether the kill switch is on for every product, in every store and the whole day."""
        on = {
            order.sku
            for order in self.orders
            if (order.kind, order.store, order.first_tick, order.end_tick) == ("kill_switch", None, 0, self.n_ticks)
        }
        return on.issuperset(self.skus)

    @cached_property
    def _rows(self) -> dict[str, int]:
        """The row of each store with an order of its own; row 0 is every other store."""
        named = dict.fromkeys(order.store for order in self.orders if order.store is not None)
        return {store: row for row, store in enumerate(named, start=1)}

    @cached_property
    def _of_the_day(self) -> tuple[Floats, Floats, NDArray[np.int8], Floats]:
        """Lowest and highest price, kind and accepted cost, shape (n_ticks, 1 + stores with orders, n_products)."""
        shape = (self.n_ticks, 1 + len(self._rows), len(self.skus))
        lowest, highest, accepted = (np.full(shape, np.nan) for _ in range(3))
        kind = np.full(shape, _FREE, dtype=np.int8)
        columns = {sku: column for column, sku in enumerate(self.skus)}
        for order in sorted(self.orders, key=lambda order: STRENGTH.index(order.kind)):
            if order.sku in columns:
                rows = slice(None) if order.store is None else self._rows[order.store]
                place = (slice(order.first_tick, order.end_tick), rows, columns[order.sku])
                lowest[place], highest[place] = order.lowest, order.highest
                kind[place] = STRENGTH.index(order.kind)
                accepted[place] = np.nan if order.accepted_cost is None else order.accepted_cost
        return lowest, highest, kind, accepted
