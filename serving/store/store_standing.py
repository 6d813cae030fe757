"""Records of what holds in a store from its next tick on, and for each product of it: see `serving.store.standing`."""

import datetime as dt
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from etl.live.store_now import StoreNow
from serving.limits.orders import Orders, OrderSource, PriceOrder
from serving.limits.overruled import ByProduct, Overruled

Codes = NDArray[np.int8]
"""Positions among the names of rules."""


@dataclass(frozen=True)
class Standing:
    """What holds for one product in one store from a moment on. Prices in EUR.

    Attributes
    ----------
    moment
        When the store's next tick begins, UTC.
    price
        What stands from then on.
    rule
        What decided it, a key of `catalog.decisions.rules.RULES`.
    order, by, until
        The price change of a person behind it, who asked for it, and its end, UTC; None where there is none.
    limits
        Every limit that changed a price on the way, the last one last.
    without
        What would stand without anything that people ordered or have yet to approve.
    unmet
        The price that a person ordered where a limit keeps it from standing; None where it stands.
    """

    store: str
    sku: str
    moment: dt.datetime
    price: float
    rule: str
    order: str | None
    by: str | None
    until: dt.datetime | None
    limits: tuple[str, ...]
    without: float
    unmet: float | None


@dataclass(frozen=True)
class StandingPrices:
    """The prices of one store. Arrays have shape (n_products,), prices in EUR; `Standing` says what they mean.

    Attributes
    ----------
    rule, rules
        By which rule each price stands, as its position in `rules`.
    since
        From when each price stands, UTC: the next tick where it is another one than is shown.
    sticker, saving
        Stickers on units of the last day, EUR, and what each brings more than none, NaN for none; None where nobody
        sticks any. What one that is stuck already brings is not worked out anew.
    """

    prices: Floats
    rule: Codes
    rules: tuple[str, ...]
    limits: ByProduct
    without: Floats
    since: tuple[dt.datetime, ...]
    lost: tuple[Overruled, int]
    sticker: Floats | None = None
    saving: Floats | None = None


@dataclass(frozen=True)
class StoreStanding:
    """What holds in one store; its prices are worked out when somebody asks for one.

    Attributes
    ----------
    catalog
        The shelf that the store has: of one that is being sold, that of its day.
    orders
        What people ordered for the date.
    stock
        Units on the shelf at the next tick, shape (n_products,).
    opened_with
        Units at opening by the days on which they may be sold, shape (1, n_products, n_lives); None where the whole
        shelf is simply full then.
    is_ours
        Whether we price the store: every price is known then.
    work_out
        Works its prices out.
    """

    now: StoreNow
    catalog: Catalog
    orders: Orders | None
    stock: Ints
    opened_with: Ints | None
    is_ours: bool
    work_out: Callable[[], StandingPrices]

    @cached_property
    def known(self) -> StandingPrices:
        """All that is known of its prices."""
        return self.work_out()

    @property
    def prices(self) -> Floats:
        """What stands, EUR, shape (n_products,); NaN where a retailer's price is not known, and nobody set one."""
        return self.known.prices

    @property
    def are_known(self) -> Flags:
        """Whose price is known, shape (n_products,)."""
        return np.ones(len(self.catalog.skus), dtype=bool) if self.is_ours else ~np.isnan(self.prices)

    def of(self, sku: str) -> Standing | None:
        """Return what holds for a product; None where the store does not have it on its shelf today.

        So also where its price in the store of a retailer is not known, and nobody set one.
        """
        own = self.catalog.positions.get(sku)
        if own is None or math.isnan(self.prices[own]):
            return None
        rule, price = self.rule_of(own), float(self.prices[own])
        order = self._behind(sku, rule)
        source = None if order is None else order.source
        span = None if source is None else source.span(self.now.store)
        return Standing(
            store=self.now.store,
            sku=sku,
            moment=self.now.moment,
            price=price,
            rule=rule,
            order=None if source is None else source.id,
            by=None if source is None else source.proposer,
            until=None if span is None else span[1],
            limits=self.known.limits[own],
            without=float(self.known.without[own]),
            unmet=self._unmet(order, price),
        )

    def rule_of(self, position: int) -> str:
        """Return what decided the price of a product of the shelf."""
        return self.known.rules[self.known.rule[position]]

    def are_by(self, rules: Collection[str]) -> Flags:
        """Tell which prices one of some rules decided, shape (n_products,)."""
        return np.isin(self.known.rule, [code for code, name in enumerate(self.known.rules) if name in rules])

    @property
    def overruled(self) -> ByProduct:
        """Limits that would have another price than the one that stands; a stronger one stands against them."""
        lost, row = self.known.lost
        return lost.by_store[row]

    def order_of(self, sku: str) -> OrderSource | None:
        """Return the strongest order of a person that holds for a product at the next tick; None without one."""
        order = self._by_person(sku)
        return None if order is None else order.source

    def __iter__(self) -> Iterator[Standing]:
        """Yield what holds for each product on the store's shelf, in the order of the catalog."""
        yield from (found for sku in self.catalog.skus if (found := self.of(sku)) is not None)

    def _behind(self, sku: str, rule: str) -> PriceOrder | None:
        """Return the order behind a price, or the proposal that waits where that holds it."""
        if rule != "not_approved":
            return self._by_person(sku)
        waiting = [order for order in self._binding(sku) if order.kind == "price"]
        return waiting[-1] if waiting else None

    def _by_person(self, sku: str) -> PriceOrder | None:
        by_people = [order for order in self._binding(sku) if order.kind != "price"]
        return by_people[-1] if by_people else None

    def _binding(self, sku: str) -> Iterator[PriceOrder]:
        return iter(()) if self.orders is None else self.orders.binding(self.now.store, sku, self.now.tick)

    @staticmethod
    def _unmet(order: PriceOrder | None, price: float) -> float | None:
        """Return the price that a person ordered where another one stands."""
        if order is None or order.kind in {"price", "kill_switch"}:  # the last rule of all always stands
            return None
        return None if order.lowest == price else order.lowest
