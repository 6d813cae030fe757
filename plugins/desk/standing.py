"""What holds for each product in each store at its next tick: the price, who ordered it, and every limit that binds.

Shelf, quote, API, export, desk, price tags, alerts and refusals ask here, or ask the same storefront of the same orders
and limits. The order of the rules stands in `catalog.decisions.rules.LIMITS`, and each is applied in
`serving.limits.limits`.

Of a store that opens next, what stands is what its policy opens a full shelf with, without exploration. Of one that is
being sold, it is the price that is shown, within what people ordered and what limits it from the next tick on: what the
policy asks for then is known when the tick begins. A price that people no longer order gives way to the policy's.
"""

import datetime as dt
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise, starmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.decisions.rules import NO_CLAMPS
from catalog.load import Catalog
from etl.batches import stores_alike
from etl.calendar import StoreNow, catalog_of_the_day, stores_now
from etl.open_days import LiveDay, SoldSoFar, sold_so_far, taught
from etl.stock import opens_with
from plugins.desk.live_shelf import standing_of
from plugins.desk.price_changes.change import PriceChange
from serving.book.store import Books, opened_once
from serving.limits.limits import Limits, ShelfLimits, caps_beside, limits_of
from serving.limits.orders import AtOnce, Orders, PriceOrder, at_once_now, orders_on
from serving.store.in_force import kinds_on, pricing_on
from serving.store.storefront import Storefront
from warehouse.lake import Lake
from warehouse.origin import seller_of

CAPS = ("rivals", "families", "own_brands")
"""Rules by which prices of others keep one down."""
ORDERED = ("not_approved", "frozen", "event", "override", "kill_switch")
"""Rules by which a price is people's and not the policy's."""


@dataclass(frozen=True)
class ByProduct(Sequence[tuple[str, ...]]):
    """Limits of each product of a store by name, the last one applied last; named when somebody asks for a product.

    Attributes
    ----------
    n_products
        How many products the store has.
    product, rule
        The product of each limit, ascending, and its position in `rules`, shape (n_limits,).
    """

    n_products: int
    product: Ints
    rule: Ints
    rules: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many products there are."""
        return self.n_products

    def __getitem__(self, index: Any) -> Any:
        """Return the limits of one product."""
        position = range(self.n_products)[index]
        first, end = np.searchsorted(self.product, (position, position + 1))
        return tuple(self.rules[rule] for rule in self.rule[first:end].tolist())


def limits_by_product(clamps: NDArray[Any], rules: tuple[str, ...], shape: tuple[int, int]) -> list[ByProduct]:
    """Return which limits changed a price on the way, for each store; `shape` is (n_stores, n_products)."""
    in_order = clamps[np.argsort(clamps["decision"], kind="stable")]
    store, product = np.divmod(in_order["decision"], shape[1])
    begins = np.searchsorted(store, np.arange(shape[0] + 1)).tolist()
    return [ByProduct(shape[1], product[row], in_order["rule"][row], rules) for row in starmap(slice, pairwise(begins))]


def overruled_by(limits: Limits | None, prices: Floats, shelf: Shelf) -> list[ByProduct]:
    """Return which limits the prices that stand do not keep, EUR, shape (n_stores, n_products), for each store.

    The limits are applied to the prices that stand, which are theirs already: whatever one changes again, a stronger
    one has changed back. A bound that is kept, and a price that waits while another one is ordered, are left out; of
    several bounds that are not kept, the one that is applied later is named only where it is the stricter one.
    """
    if limits is None:
        return limits_by_product(NO_CLAMPS, (), prices.shape)
    beside = replace(limits, caps=caps_beside(limits, prices)) if limits.links else limits
    _, clamps = ShelfLimits(beside, shelf).trail(prices)
    stands, after = prices.ravel()[clamps["decision"]], clamps["after"]
    rule = np.array(limits.rules)[clamps["rule"]]
    is_kept = np.where(after < clamps["before"], after >= stands, after <= stands)
    is_kept = np.where(np.isin(rule, ORDERED), after == stands, is_kept) | (rule == "not_approved")
    return limits_by_product(clamps[~is_kept], limits.rules, prices.shape)


class Overruled:
    """Which limits the prices of some stores do not keep, worked out when somebody asks.

    Parameters
    ----------
    limits
        What limits the prices; None where nothing does.
    prices
        Those that stand, EUR, shape (n_stores, n_products).
    """

    def __init__(self, limits: Limits | None, prices: Floats, shelf: Shelf) -> None:
        self._limits, self._prices, self._shelf = limits, prices, shelf

    @cached_property
    def by_store(self) -> list[ByProduct]:
        """The limits of each store."""
        return overruled_by(self._limits, self._prices, self._shelf)


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
    def details(self) -> StandingPrices:
        """All that is known of its prices."""
        return self.work_out()

    @property
    def prices(self) -> Floats:
        """What stands, EUR, shape (n_products,); NaN where a retailer's price is not known, and nobody set one."""
        return self.details.prices

    @property
    def are_known(self) -> Flags:
        """Whose price is known, shape (n_products,)."""
        return np.ones(len(self.catalog.skus), dtype=bool) if self.is_ours else ~np.isnan(self.prices)

    def of(self, sku: str) -> Standing | None:
        """Return what holds for a product; None where the store does not have it on its shelf today.

        So also where its price in the store of a retailer is not known, and nobody set one.
        """
        position = self.catalog.positions.get(sku)
        if position is None or math.isnan(self.prices[position]):
            return None
        rule, price = self.rule_of(position), float(self.prices[position])
        order = self._behind(sku, rule)
        source: PriceChange | None = None if order is None else order.source
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
            limits=self.details.limits[position],
            without=float(self.details.without[position]),
            unmet=self._unmet(order, price),
        )

    def rule_of(self, position: int) -> str:
        """Return what decided the price of a product of the shelf."""
        return self.details.rules[self.details.rule[position]]

    def are_by(self, rules: Collection[str]) -> Flags:
        """Return which prices one of some rules decided, shape (n_products,)."""
        return np.isin(self.details.rule, [code for code, name in enumerate(self.details.rules) if name in rules])

    @property
    def overruled(self) -> ByProduct:
        """Limits that would have another price than the one that stands; a stronger one stands against them."""
        lost, row = self.details.lost
        return lost.by_store[row]

    def order_of(self, sku: str) -> PriceChange | None:
        """Return the strongest order of a person that holds for a product at the next tick; None without one."""
        order = self._by_person(sku)
        source: PriceChange | None = None if order is None else order.source
        return source

    def __iter__(self) -> Iterator[Standing]:
        """Yield what holds for each product on the store's shelf, in the order of the catalog."""
        yield from (standing for sku in self.catalog.skus if (standing := self.of(sku)) is not None)

    def _behind(self, sku: str, rule: str) -> PriceOrder | None:
        """Return the order behind a price, or the proposal that waits where that holds it."""
        if rule != "not_approved":
            return self._by_person(sku)
        waiting = [order for order in self._binding(sku) if order.kind == "price"]
        return waiting[-1] if waiting else None

    def _by_person(self, sku: str) -> PriceOrder | None:
        by_people = [order for order in self._binding(sku) if order.kind != "price"]
        return by_people[-1] if by_people else None

    def _binding(self, sku: str) -> Sequence[PriceOrder]:
        return () if self.orders is None else self.orders.binding(self.now.store, sku, self.now.tick)

    @staticmethod
    def _unmet(order: PriceOrder | None, price: float) -> float | None:
        """Return the price that a person ordered where another one stands."""
        if order is None or order.kind in {"price", "kill_switch"}:  # the last rule of all always stands
            return None
        return None if order.lowest == price else order.lowest


@dataclass(frozen=True)
class UsualPrices:
    """The prices of some stores where nothing is tried. Arrays have shape (n_stores, n_products), prices in EUR.

    `prices`, `rule`, `clamps`, `sticker` and `saving` are as in `catalog.decisions.pricing.PriceDecision`.

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


def usual_prices(front: Storefront, shelf: Shelf) -> UsualPrices:
    """Return what a storefront shows on shelves without exploration: with what people ordered, and without."""
    front = replace(front, exploration=None)
    decision, free = front.decide(shelf), without_orders(front)
    without = decision.prices if free is front else free.decide(shelf).prices
    shown = decision.prices, decision.rule, decision.clamps
    return UsualPrices(shelf, front.limits, *shown, without, decision.sticker, decision.saving)


def without_orders(front: Storefront) -> Storefront:
    """Return a storefront to which nobody ordered anything."""
    if front.limits is None or front.limits.orders is None:
        return front
    return replace(front, limits=replace(front.limits, orders=None))


def standings(
    lake: Lake, catalog: Catalog, stores: Mapping[str, StoreNow], books: Books | None = None
) -> dict[str, StoreStanding]:
    """Return what holds in stores from the next tick of each on; `books` as in `serving.store.in_force.pricing_on`.

    Where the stores of a zone show one price, all of them that open next are worked out, whichever are asked about.
    """
    books = books or opened_once(lake)
    standing, resting = dict[str, StoreStanding](), dict[tuple[dt.date, str], list[StoreNow]]()
    is_hourly, together = catalog.store.is_priced_hourly, dict(stores)
    if catalog.store.guardrails.one_price is not None:
        of_chain = stores_now(lake, catalog, catalog.store.stores).items()
        together = {store: now for store, now in of_chain if now.day is None} | together
    at_once = at_once_now(lake, {store: now.moment for store, now in together.items()})
    for store, now in together.items():
        if now.day is None:
            resting.setdefault((now.date, store if is_hourly else ""), []).append(now)
        elif (sold := sold_so_far(lake, now.day, now.tick)) is not None:
            standing[store] = _during(lake, catalog, now, (now.day, sold), at_once, books)
        else:  # that day and the next have closed since `stores` was read
            standing.update(standings(lake, catalog, stores_now(lake, catalog, (store,)), books))
    for (date, _), opening in resting.items():
        standing.update(_at_opening(lake, catalog, date, opening, at_once, books))
    return {store: in_store for store, in_store in standing.items() if store in stores}


def openings_without_orders(lake: Lake, catalog: Catalog, date: dt.date) -> Floats:
    """Return what every store would open a date with, had people ordered nothing, EUR, shape (n_stores, n_products)."""
    clocks = catalog.store.clock_of
    stores = [StoreNow(store, date, 0, clocks(store).opening_of(date), None) for store in catalog.store.stores]
    standing = _at_opening(lake, catalog, date, stores, {}, opened_once(lake))
    return np.stack([standing[store].details.without for store in catalog.store.stores])


def _at_opening(
    lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[StoreNow], at_once: AtOnce, books: Books
) -> dict[str, StoreStanding]:
    """Return what stores open a date with, those of each kind together."""
    now, standing = {opening.store: opening for opening in stores}, dict[str, StoreStanding]()
    for alike in stores_alike(tuple(now), kinds_on(lake, catalog, date, books=books)):
        standing |= _alike_at_opening(lake, catalog, date, [now[store] for store in alike], at_once, books)
    return standing


def _alike_at_opening(
    lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[StoreNow], at_once: AtOnce, books: Books
) -> dict[str, StoreStanding]:
    """Return what stores of one kind open a date with."""
    names = tuple(now.store for now in stores)
    front = pricing_on(lake, catalog, date, stores=names, at_once=at_once, books=books).policy
    assert isinstance(front, Storefront)  # noqa: S101 - every policy in force is one
    shape = (len(names), len(catalog.skus))
    opened = opens_with(lake, catalog, names, date)
    shelf = Shelf(
        stock=opened.stock,
        shown_prices=np.broadcast_to(np.nan, shape),
        ticks_left=catalog.store.opening.ticks,
        dice=np.broadcast_to(0.0, shape),
        stores=names,
        opened_with=opened.opened_with,
        business_date=date,
    )
    limits, prices = front.limits, _OpeningPrices(front, shelf, stores)
    return {
        now.store: StoreStanding(
            now=now,
            catalog=catalog,
            orders=None if limits is None else limits.orders,
            stock=opened.stock[row],
            opened_with=None if opened.opened_with is None else opened.opened_with[row : row + 1],
            is_ours=limits is None or limits.standing is None,
            work_out=partial(prices.of, row),
        )
        for row, now in enumerate(stores)
    }


class _OpeningPrices:
    """What some stores open with: worked out together, when somebody asks about one of them."""

    def __init__(self, front: Storefront, shelf: Shelf, stores: Sequence[StoreNow]) -> None:
        self._front, self._shelf, self._stores = front, shelf, stores

    def of(self, row: int) -> StandingPrices:
        """Return those of the store in a row."""
        usual, limits, lost = self._found
        return StandingPrices(
            prices=usual.prices[row],
            rule=usual.rule[row].astype(np.int8),
            rules=self._front.rules,
            limits=limits[row],
            without=usual.without[row],
            since=(self._stores[row].moment,) * usual.prices.shape[1],
            lost=(lost, row),
            sticker=None if usual.sticker is None else usual.sticker[row],
            saving=None if usual.saving is None else usual.saving[row],
        )

    @cached_property
    def _found(self) -> tuple[UsualPrices, list[ByProduct], Overruled]:
        usual = usual_prices(self._front, self._shelf)
        limits = limits_by_product(usual.clamps, self._front.rules, usual.prices.shape)
        return usual, limits, Overruled(usual.limits, usual.prices, usual.shelf)


def _during(
    lake: Lake, catalog: Catalog, now: StoreNow, live: tuple[LiveDay, SoldSoFar], at_once: AtOnce, books: Books
) -> StoreStanding:
    """Return what a store shows from the next tick of its live day on, as far as that is known before it begins."""
    day, sold = live
    catalog = catalog_of_the_day(lake, catalog, day)
    began = standing_of(lake, catalog, day, sold, now.tick)
    shelf = Shelf(
        stock=began.stock,
        shown_prices=began.shown,
        ticks_left=catalog.store.opening.ticks - now.tick,
        dice=np.zeros(began.shown.shape),
        opening_prices=began.opened_at,
        stores=(now.store,),
        changes=began.changes,
        opened_with=began.opened_with,
        business_date=now.date,
        sticker=began.sticker,
        on_last_day=None if began.by_life is None else began.by_life[..., 0],
        lately=began.lately,
    )
    orders = orders_on(lake, catalog, now.date, (now.store,), at_once)
    seller = seller_of(lake.store, catalog.store)
    outside = None if seller is None else seller.standing_prices(lake, catalog, now.date)
    limits = limits_of(catalog, orders, outside)
    rows = sold.rows.repricings.select(["sku", "tick", "binding_rule", "clamps"]).to_pylist()  # in order of time
    newest = {row["sku"]: (row["tick"], row["binding_rule"]) for row in rows}
    was_peoples = {row["sku"]: _is_peoples(row) for row in rows}
    within = ShelfLimits(limits, shelf)
    given = np.broadcast_to(within.given_by, began.shown.shape)[0]
    is_peoples = (given >= 0) | np.array([was_peoples[sku] for sku in catalog.skus])
    by_policy = _prices_by_policy(lake, catalog, day, sold, shelf, books) if is_peoples.any() else began.shown[0]
    without = np.where(is_peoples, by_policy, began.shown[0])
    prices, clamps = within.beside(without[None]).trail(without[None])
    bound = limits_by_product(clamps, limits.rules, prices.shape)[0]
    clock, by, since = catalog.store.clock_of(now.store), list[str](), list[dt.datetime]()
    for position, sku in enumerate(catalog.skus):
        tick, rule = newest[sku]
        is_new = prices[0, position] != began.shown[0, position]
        ordered = limits.rules[given[position]] if given[position] >= 0 else ""
        by.append(bound[position][-1] if bound[position] else ordered or ("stock_value" if rule in ORDERED else rule))
        since.append(now.moment if is_new else clock.moment_of(now.date, tick))
    rules, rule = np.unique(by, return_inverse=True)
    return StoreStanding(
        now=now,
        catalog=catalog,
        orders=orders,
        stock=began.stock[0],
        opened_with=began.opened_with,
        is_ours=outside is None,
        work_out=partial(
            StandingPrices,
            prices=prices[0],
            rule=rule.astype(np.int8),
            rules=tuple(rules.tolist()),
            limits=bound,
            without=without,
            since=tuple(since),
            lost=(Overruled(limits, prices, shelf), 0),
            sticker=None if began.sticker is None else began.sticker[0],
        ),
    )


def _is_peoples(row: dict[str, Any]) -> bool:
    """Return whether people ordered a price that was shown, also where floor, ceiling or cost changed it then."""
    return row["binding_rule"] in ORDERED or any(clamp["rule"] in ORDERED for clamp in row["clamps"] or ())


def _prices_by_policy(
    lake: Lake, catalog: Catalog, day: LiveDay, sold: SoldSoFar, shelf: Shelf, books: Books
) -> Floats:
    """Return what a store's policy asks for in its next tick within the limits, had people ordered nothing, EUR."""
    policy = pricing_on(lake, catalog, day.business_date, stores=(day.store,), books=books).policy
    front = taught(policy, sold.rows, catalog, sold.mark.tick)
    assert isinstance(front, Storefront)  # noqa: S101 - every policy in force is one
    return usual_prices(without_orders(front), shelf).prices[0]
