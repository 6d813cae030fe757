"""What people ordered for a date, as arrays: between which prices each product of each store may be in each tick.

A plugin that keeps people's orders registers for `catalog.hooks.ORDERS`. Without one, a lake in which people ordered
something is refused: a kill switch must not be forgotten because a package is missing.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats
from catalog.hooks import ORDERS
from catalog.load import Catalog
from catalog.names import EMPTY_GROUP
from warehouse.lake import Lake

Kind = Literal["price", "event", "override", "freeze", "kill_switch"]

STRENGTH: tuple[Kind, ...] = ("price", "event", "override", "freeze", "kill_switch")
"""Where several orders cover a price, the kind that comes last here holds; of one kind, the one recorded last."""

Span = tuple[dt.datetime, dt.datetime | None]
"""From when until when, UTC; None is no end."""

AtOnce = Mapping[str, Collection[str]]
"""By store, the ids of orders that bind it although they count from a later moment: see `at_once_now`."""

RivalCaps = tuple[tuple[str, float], ...]
"""Products, by sku, with the highest price, EUR, that rivals' prices allow; a product without a limit is left out."""

_FREE = -1
_PRICE_CHANGES = "price_changes"


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
        Of the price change behind it; `price` is an approval, or the lack of one, `event` an event of the catalog.
    first_tick, end_tick
        Ticks that it binds, the end not included.
    accepted_cost
        Cost plus minimum margin that somebody accepted a price below; None where nobody did.
    source
        The record behind it; None for what passes by rule, and for an event.
    """

    sku: str
    store: str | None
    lowest: float
    highest: float
    kind: Kind
    first_tick: int
    end_tick: int
    accepted_cost: float | None = None
    source: Any = field(default=None, compare=False, repr=False)

    @property
    def strength(self) -> int:
        """Position of its kind in `STRENGTH`."""
        return STRENGTH.index(self.kind)


@dataclass(frozen=True, eq=False)
class PriceRanges:
    """Between which prices products of some stores pass without a person, all day.

    Attributes
    ----------
    lowest, highest
        EUR, shape (n_stores, n_products); NaN where a product does not pass, or an order says more.
    source
        The record behind them, as of an order.
    """

    stores: tuple[str, ...]
    lowest: Floats
    highest: Floats
    source: object = None


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
        """Return which prices are bound by a kind of price change."""
        return np.asarray(self.kind == STRENGTH.index(kind))

    @cached_property
    def is_set(self) -> Flags:
        """Return which products have one price that a person or an event set, whatever the policy asks for."""
        return np.asarray(self.kind > STRENGTH.index("price"))

    @cached_property
    def is_fixed(self) -> Flags:
        """Return which products can have one price alone."""
        return np.asarray(self.lowest == self.highest)


NO_WINDOWS = Windows(np.array(np.nan), np.array(np.nan), np.array(_FREE, dtype=np.int8), np.array(np.nan))
"""Nothing binds any shelf."""


@dataclass(frozen=True)
class Orders:
    """The price orders of a date, for a shelf with `n_ticks` ticks a day; of equal strength, the later one holds.

    `rival_caps` are no orders, but known of the date as they are: the highest prices that rivals' prices allow.
    `ranges` are what passes by rule, the weakest of all; None where nothing has to be approved.
    """

    orders: tuple[PriceOrder, ...]
    skus: tuple[str, ...]
    n_ticks: int
    rival_caps: RivalCaps = ()
    ranges: PriceRanges | None = None

    @property
    def are_none(self) -> bool:
        """Whether nothing binds the date."""
        return not (self.are_ordered or self.rival_caps)

    @property
    def are_ordered(self) -> bool:
        """Whether people, events or rules of approval bind any price."""
        return bool(self.orders) or self.ranges is not None

    def only(self, sku: str) -> "Orders":
        """Return the orders of one product, for a shelf that holds it alone."""
        orders, ranges = tuple(order for order in self.orders if order.sku == sku), self.ranges
        if ranges is not None:
            column = [self.skus.index(sku)]
            ranges = replace(ranges, lowest=ranges.lowest[:, column], highest=ranges.highest[:, column])
        caps = tuple(cap for cap in self.rival_caps if cap[0] == sku)
        return replace(self, orders=orders, skus=(sku,), rival_caps=caps, ranges=ranges)

    def windows(self, stores: tuple[str, ...] | None, n_stores: int, ticks_left: int) -> Windows:
        """Return what binds in one tick; without names of stores, what binds every store without an order of its own.

        Parameters
        ----------
        n_stores
            Number of shelves.
        """
        begins, lines, day = self._of_the_day
        numbers = [lines.get(store, 0) for store in stores or ("",) * n_stores]
        together = slice(numbers[0], numbers[0] + len(numbers)) if numbers else slice(0)
        rows = together if numbers == list(range(together.stop))[together] else numbers  # a chain's are not copied
        tick = min(max(self.n_ticks - ticks_left, 0), self.n_ticks - 1)  # a book may be of a longer day
        part = int(np.searchsorted(begins, tick, side="right")) - 1
        return Windows(
            day.lowest[part, rows], day.highest[part, rows], day.kind[part, rows], day.accepted_cost[part, rows]
        )

    def approved_of(self, prices: Floats) -> Flags | None:
        """Return which prices need nobody's approval in some store; None where no product has a range of them.

        Where one price stands, as after a decline, nothing is tried: that is no range.

        Parameters
        ----------
        prices
            EUR, shape (n_products, n_prices).
        """
        approved, rows = np.zeros(prices.shape, dtype=bool), {sku: row for row, sku in enumerate(self.skus)}
        ranges = {(order.sku, order.lowest, order.highest) for order in self.orders if order.kind == "price"}
        for sku, lowest, highest in (entry for entry in ranges if entry[1] < entry[2]):
            approved[rows[sku]] |= (lowest <= prices[rows[sku]]) & (prices[rows[sku]] <= highest)
        if self.ranges is not None:
            low, high = self.ranges.lowest[..., None], self.ranges.highest[..., None]
            approved |= ((low < high) & (low <= prices) & (prices <= high)).any(axis=0)
        elif all(lowest >= highest for _, lowest, highest in ranges):
            return None
        return approved | ~approved.any(axis=1, keepdims=True)

    def binding(self, store: str, sku: str, tick: int) -> list[PriceOrder]:
        """Return the orders that bind a product of a store in a tick, the strongest last."""
        orders = self._by_product.get(sku, ())
        return [order for order in orders if order.store in {None, store} and order.first_tick <= tick < order.end_tick]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over orders, caps and ranges."""
        orders, caps = repr(sorted(self.orders, key=repr)), repr(self.rival_caps) if self.rival_caps else ""
        digest = hashlib.sha256(f"{orders}{caps}".encode())
        if (ranges := self.ranges) is not None:
            digest.update(repr(ranges.stores).encode() + ranges.lowest.tobytes() + ranges.highest.tobytes())
        return digest.hexdigest()

    @cached_property
    def stops_everything(self) -> bool:
        """Whether the kill switch is on for every product, in every store and the whole day."""
        all_day = ("kill_switch", None, 0, self.n_ticks)
        stops = {
            order.sku for order in self.orders if (order.kind, order.store, order.first_tick, order.end_tick) == all_day
        }
        return stops.issuperset(self.skus)

    @cached_property
    def _by_strength(self) -> list[PriceOrder]:
        return sorted(self.orders, key=lambda order: order.strength)

    @cached_property
    def _by_product(self) -> dict[str, list[PriceOrder]]:
        by_product: dict[str, list[PriceOrder]] = {}
        for order in self._by_strength:
            by_product.setdefault(order.sku, []).append(order)
        return by_product

    @cached_property
    def _of_the_day(self) -> tuple[list[int], dict[str, int], Windows]:
        """Return the windows of the day, shape (n_begins, 1 + stores with orders, n_products).

        Before them: the ticks from which other windows hold, ascending, from 0 on; and the row of each store with an
        order of its own, beside row 0 of every other store.
        """
        turns = {tick for order in self.orders for tick in (order.first_tick, order.end_tick) if tick < self.n_ticks}
        begins, ranged = sorted(turns | {0}), () if self.ranges is None else self.ranges.stores
        named = dict.fromkeys((*ranged, *(order.store for order in self.orders if order.store is not None)))
        rows, columns = dict(zip(named, count(1))), dict(zip(self.skus, count()))
        shape = (len(begins), 1 + len(rows), len(self.skus))
        lowest, highest, accepted = (np.full(shape, np.nan) for _ in range(3))
        kind = np.full(shape, _FREE, dtype=np.int8)
        if self.ranges is not None:
            with_ranges = slice(1, 1 + len(ranged))
            lowest[:, with_ranges], highest[:, with_ranges] = self.ranges.lowest, self.ranges.highest
            kind[:, with_ranges][:, ~np.isnan(self.ranges.lowest)] = STRENGTH.index("price")
        for order in self._by_strength:
            if order.sku in columns:
                parts = slice(*np.searchsorted(begins, (order.first_tick, order.end_tick)))
                cell = (parts, slice(None) if order.store is None else rows[order.store], columns[order.sku])
                lowest[cell], highest[cell], kind[cell] = order.lowest, order.highest, order.strength
                accepted[cell] = np.nan if order.accepted_cost is None else order.accepted_cost
        return begins, rows, Windows(lowest, highest, kind, accepted)


class OrderBook(Protocol):
    """The keeper of people's orders."""

    def orders_on(
        self,
        lake: Lake,
        catalog: Catalog,
        date: dt.date,
        stores: Sequence[str] | None = None,
        at_once: AtOnce | None = None,
    ) -> Orders:
        """Return the orders of people for a date, and the caps of rivals' prices; parameters as of `orders_on`."""
        ...

    def at_once_now(self, lake: Lake, moments: Mapping[str, dt.datetime]) -> AtOnce:
        """Return by store the ids of orders that count from later than its next tick, as `at_once_now`."""
        ...


def orders_on(
    lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str] | None = None, at_once: AtOnce | None = None
) -> Orders:
    """Return the orders of a date, the prices of the catalog's events on it, and what rivals' prices allow.

    Any order of a person ends an event.

    Parameters
    ----------
    stores
        The stores that are priced; None is every store of the catalog.
    at_once
        Orders that bind the date although they count from a later moment.
    """
    book, n_ticks = _order_book(lake), catalog.store.opening.ticks
    events = tuple(
        PriceOrder(sku, None, price, price, "event", 0, n_ticks)
        for event in catalog.store.guardrails.frozen_during
        if event.holds_on(date)
        for sku, price in event.prices.items()
    )
    if book is None:
        return Orders(events, catalog.skus, n_ticks)
    of_people = book.orders_on(lake, catalog, date, stores, at_once)
    return replace(of_people, orders=(*events, *of_people.orders))


def at_once_now(lake: Lake, moments: Mapping[str, dt.datetime]) -> AtOnce:
    """Return by store the ids of orders that count from later than the tick that the store sells next.

    What people ordered at once holds at the next tick whatever it is: a store may sell a date that it left out, sell a
    day again from its opening, or open earlier since.

    Parameters
    ----------
    moments
        When the next tick of each store begins, UTC.
    """
    book = _order_book(lake)
    return {} if book is None else book.at_once_now(lake, moments)


def orders_stamp(lake: Lake) -> dict[dt.date, int]:
    """Return a number for each business date with recorded orders, which changes with what is recorded."""
    return {} if _order_book(lake) is None else lake.changes(_PRICE_CHANGES)


def _order_book(lake: Lake) -> OrderBook | None:
    """Return the keeper of people's orders; None without one, where nobody ordered anything.

    Raises
    ------
    SettingError
        When people ordered something, and no plugin can read it.
    """
    book = ORDERS.only()
    if book is None:
        files = (lake.root / _PRICE_CHANGES).glob("**/part-*.parquet")  # without the desk, it is no table of ours
        if any(file.stem != f"part-{EMPTY_GROUP}" for file in files):
            ORDERS.needed("price changes of people in the lake")
    return book
