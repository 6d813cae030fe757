"""What holds for each product in each store at its next tick: the price, who ordered it, and every limit that binds.

Shelf, quote, API, export, desk, price tags, alerts and refusals ask here, or ask the same storefront of the same orders
and limits. The order of the rules stands in `catalog.price_rules.LIMITS`, and each is applied in `serving.guardrails`.

Of a store that opens next, what stands is what its policy opens a full shelf with, without exploration. Of one that is
being sold, it is the price that is shown, within what people ordered and what limits it from the next tick on: what the
policy asks for then is known when the tick begins. A price that people no longer order gives way to the policy's.
"""

import datetime as dt
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from catalog.pricing import Shelf
from etl.live.calendar import catalog_of_the_day
from etl.live.day import LiveDay, SoldSoFar, sold_so_far, taught
from etl.live.shelf_state import standing_of
from etl.live.store_now import StoreNow
from etl.stock import opens_with
from serving.guardrails import guarded_with_trail
from serving.in_force import pricing_on, standing_prices
from serving.limits import limits_of, rule_given
from serving.open_book import Books, opened_once
from serving.order_book import at_once_now, orders_on
from serving.orders import AtOnce, Orders, OrderSource, PriceOrder
from serving.overruled import ORDERED, ByProduct, Overruled, limits_by_product
from serving.side_by_side import side_by_side
from serving.storefront import Storefront
from serving.usual_prices import usual_prices, without_orders
from warehouse.lake import Lake

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
        What decided it, a key of `catalog.price_rules.RULES`.
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
class StoreStanding:
    """What holds in one store. Arrays have shape (n_products,), prices in EUR; `Standing` says what they mean.

    Attributes
    ----------
    catalog
        The shelf that the store has: of one that is being sold, that of its day.
    rule, rules
        By which rule each price stands, as its position in `rules`.
    since
        From when each price stands, UTC: the next tick where it is another one than is shown.
    orders
        What people ordered for the date.
    stock
        Units on the shelf at the next tick.
    opened_with
        Units at opening by the days on which they may be sold, shape (1, n_products, n_lives); None where the whole
        shelf is simply full then.
    sticker, saving
        Stickers on units of the last day, EUR, and what each brings more than none, NaN for none; None where nobody
        sticks any. What one that is stuck already brings is not worked out anew.
    """

    now: StoreNow
    catalog: Catalog
    prices: Floats
    rule: Codes
    rules: tuple[str, ...]
    limits: ByProduct
    without: Floats
    since: tuple[dt.datetime, ...]
    orders: Orders | None
    stock: Ints
    opened_with: Ints | None
    lost: tuple[Overruled, int]
    sticker: Floats | None = None
    saving: Floats | None = None

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
            limits=self.limits[own],
            without=float(self.without[own]),
            unmet=self._unmet(order, price),
        )

    def rule_of(self, position: int) -> str:
        """Return what decided the price of a product of the shelf."""
        return self.rules[self.rule[position]]

    def are_by(self, rules: Collection[str]) -> Flags:
        """Tell which prices one of some rules decided, shape (n_products,)."""
        return np.isin(self.rule, [code for code, name in enumerate(self.rules) if name in rules])

    @property
    def overruled(self) -> ByProduct:
        """Limits that would have another price than the one that stands; a stronger one stands against them."""
        lost, row = self.lost
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


def standings(
    lake: Lake, catalog: Catalog, stores: Mapping[str, StoreNow], books: Books | None = None
) -> dict[str, StoreStanding]:
    """Return what holds in stores from the next tick of each on; `books` as in `serving.in_force.pricing_on`."""
    books = books or opened_once(lake)
    found, resting = dict[str, StoreStanding](), dict[tuple[dt.date, str], list[StoreNow]]()
    is_hourly = catalog.store.is_priced_hourly
    at_once = at_once_now(lake, {store: now.moment for store, now in stores.items()})
    for store, now in stores.items():
        if now.day is None:
            resting.setdefault((now.date, store if is_hourly else ""), []).append(now)
        else:
            found[store] = _during(lake, catalog, now, now.day, at_once, books)
    for (date, _), opening in resting.items():
        found.update(_at_opening(lake, catalog, date, opening, at_once, books))
    return found


def _at_opening(
    lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[StoreNow], at_once: AtOnce, books: Books
) -> dict[str, StoreStanding]:
    """Return what stores open a date with."""
    names = tuple(now.store for now in stores)
    front = pricing_on(lake, catalog, date, stores=names, at_once=at_once, books=books).policy
    assert isinstance(front, Storefront)  # noqa: S101 - every policy in force is one
    shape = (len(names), len(catalog.skus))
    opened = opens_with(lake, catalog, names, date)
    at = (opened.stock, np.broadcast_to(np.nan, shape), catalog.store.opening.ticks, np.broadcast_to(0.0, shape))
    shelf = Shelf(*at, stores=names, opened_with=opened.opened_with, business_date=date)
    found, since = dict[str, StoreStanding](), {now.moment: (now.moment,) * shape[1] for now in stores}
    for usual in usual_prices(front, shelf):
        limits = limits_by_product(usual.clamps, front.rules, usual.prices.shape)
        lost, first = Overruled(front.limits, usual.prices, usual.shelf), len(found)
        for row, now in enumerate(stores[first : first + len(limits)]):
            place = first + row
            found[now.store] = StoreStanding(
                now=now,
                catalog=catalog,
                prices=usual.prices[row],
                rule=usual.rule[row].astype(np.int8),
                rules=front.rules,
                limits=limits[row],
                without=usual.without[row],
                since=since[now.moment],
                orders=None if front.limits is None else front.limits.orders,
                stock=opened.stock[place],
                opened_with=None if opened.opened_with is None else opened.opened_with[place : place + 1],
                lost=(lost, row),
                sticker=None if usual.sticker is None else usual.sticker[row],
                saving=None if usual.saving is None else usual.saving[row],
            )
    return found


def _during(lake: Lake, catalog: Catalog, now: StoreNow, day: LiveDay, at_once: AtOnce, books: Books) -> StoreStanding:
    """Return what a store shows from the next tick of its live day on, as far as that is known before it begins."""
    catalog, sold = catalog_of_the_day(lake, catalog, day), sold_so_far(lake, day)
    assert sold is not None  # noqa: S101 - a day that is being sold has rows
    began = standing_of(lake, catalog, day, sold, now.tick)
    left = catalog.store.opening.ticks - now.tick
    at = (began.stock, began.shown, left, np.zeros(began.shown.shape), began.opened_at)
    marks = (began.sticker, None if began.by_life is None else began.by_life[..., 0])
    shelf = Shelf(*at, (now.store,), began.changes, began.opened_with, now.date, *marks)
    orders = orders_on(lake, catalog, now.date, (now.store,), at_once)
    outside = standing_prices(lake, catalog, now.date) if catalog.store.sales == "outside" else None
    limits = limits_of(catalog, orders, outside)
    rows = sold.rows.repricings.select(["sku", "tick", "binding_rule", "clamps"]).to_pylist()  # in order of time
    newest = {row["sku"]: (row["tick"], row["binding_rule"]) for row in rows}
    was_peoples = {row["sku"]: _is_peoples(row) for row in rows}
    given = np.broadcast_to(rule_given(limits, shelf), began.shown.shape)[0]
    is_peoples = (given >= 0) | np.array([was_peoples[sku] for sku in catalog.skus])
    by_policy = _prices_by_policy(lake, catalog, day, sold, shelf, books) if is_peoples.any() else began.shown[0]
    without = np.where(is_peoples, by_policy, began.shown[0])
    prices, clamps = guarded_with_trail(side_by_side(limits, without[None], shelf), without[None], shelf)
    bound = limits_by_product(clamps, limits.rules, prices.shape)[0]
    clock, by, since = catalog.store.clock_of(now.store), list[str](), list[dt.datetime]()
    for own, sku in enumerate(catalog.skus):
        tick, rule = newest[sku]
        is_new = prices[0, own] != began.shown[0, own]
        ordered = limits.rules[given[own]] if given[own] >= 0 else ""
        by.append(bound[own][-1] if bound[own] else ordered or ("stock_value" if rule in ORDERED else rule))
        since.append(now.moment if is_new else clock.moment_of(now.date, tick))
    rules, rule = np.unique(by, return_inverse=True)
    held = now, catalog, prices[0], rule.astype(np.int8), tuple(rules.tolist()), bound, without, tuple(since), orders
    sticker = None if began.sticker is None else began.sticker[0]
    return StoreStanding(
        *held, began.stock[0], began.opened_with, (Overruled(limits, prices, shelf), 0), sticker=sticker
    )


def _is_peoples(row: dict[str, Any]) -> bool:
    """Tell whether people ordered a price that was shown, also where floor, ceiling or cost changed it then."""
    return row["binding_rule"] in ORDERED or any(clamp["rule"] in ORDERED for clamp in row["clamps"] or ())


def _prices_by_policy(
    lake: Lake, catalog: Catalog, day: LiveDay, sold: SoldSoFar, shelf: Shelf, books: Books
) -> Floats:
    """Return what a store's policy asks for in its next tick within the limits, had people ordered nothing, EUR."""
    policy = pricing_on(lake, catalog, day.business_date, stores=(day.store,), books=books).policy
    front = taught(policy, sold.rows, catalog, sold.mark.tick)
    assert isinstance(front, Storefront)  # noqa: S101 - every policy in force is one
    return next(usual_prices(without_orders(front), shelf)).prices[0]
