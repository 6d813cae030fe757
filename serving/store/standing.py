"""What holds for each product in each store at its next tick: the price, who ordered it, and every limit that binds.

Shelf, quote, API, export, desk, price tags, alerts and refusals ask here, or ask the same storefront of the same orders
and limits. The order of the rules stands in `catalog.decisions.rules.LIMITS`, and each is applied in
`serving.limits.guardrails`.

Of a store that opens next, what stands is what its policy opens a full shelf with, without exploration. Of one that is
being sold, it is the price that is shown, within what people ordered and what limits it from the next tick on: what the
policy asks for then is known when the tick begins. A price that people no longer order gives way to the policy's.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from etl.batches import stores_alike
from etl.live.calendar import catalog_of_the_day
from etl.live.day import LiveDay, SoldSoFar, sold_so_far, taught
from etl.live.shelf_state import standing_of
from etl.live.store_now import StoreNow, stores_now
from etl.stock import opens_with
from serving.book.store import Books, opened_once
from serving.limits.guardrails import guarded_with_trail, side_by_side
from serving.limits.limits import Limits, limits_of, rule_given
from serving.limits.orders import AtOnce, at_once_now, orders_on
from serving.limits.overruled import ORDERED, ByProduct, Overruled, limits_by_product
from serving.store.in_force import kinds_on, pricing_on, standing_prices, storefront_on
from serving.store.store_standing import StandingPrices, StoreStanding
from serving.store.storefront import Storefront
from warehouse.lake import Lake


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
    if front.curves is not None and front.curves.by_tick is not None:
        front = replace(front, curves=front.curves.at(shelf.ticks_left))
    asked, free = front.supported(front.policy.ask(shelf), shelf), without_orders(front)
    limits = front.limits_on(shelf, asked).beside(asked.prices)
    prices, rule, clamps = limits.apply_with_trail(asked.prices, asked.rule, front.rules.index("exploration") + 1)
    without = prices
    if free is not front:
        without = free.limits_on(shelf, asked).beside(asked.prices).apply(asked.prices)
    stickers = front.stickers(asked, prices, shelf)
    return UsualPrices(shelf, front.limits, prices, rule, clamps, without, stickers["sticker"], stickers.get("saving"))


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
    found, resting = dict[str, StoreStanding](), dict[tuple[dt.date, str], list[StoreNow]]()
    is_hourly, together = catalog.store.is_priced_hourly, dict(stores)
    if catalog.store.guardrails.one_price is not None:
        of_chain = stores_now(lake, catalog, catalog.store.stores).items()
        together = {store: now for store, now in of_chain if now.day is None} | together
    at_once = at_once_now(lake, {store: now.moment for store, now in together.items()})
    for store, now in together.items():
        if now.day is None:
            resting.setdefault((now.date, store if is_hourly else ""), []).append(now)
        elif (sold := sold_so_far(lake, now.day, now.tick)) is not None:
            found[store] = _during(lake, catalog, now, (now.day, sold), at_once, books)
        else:  # that day and the next have closed since `stores` was read
            found.update(standings(lake, catalog, stores_now(lake, catalog, (store,)), books))
    for (date, _), opening in resting.items():
        found.update(_at_opening(lake, catalog, date, opening, at_once, books))
    return {store: own for store, own in found.items() if store in stores}


def openings_without_orders(lake: Lake, catalog: Catalog, date: dt.date) -> Floats:
    """Return what every store would open a date with, had people ordered nothing, EUR, shape (n_stores, n_products)."""
    clocks = catalog.store.clock_of
    stores = [StoreNow(store, date, 0, clocks(store).opening_of(date), None) for store in catalog.store.stores]
    found = _at_opening(lake, catalog, date, stores, {}, opened_once(lake))
    return np.stack([found[store].known.without for store in catalog.store.stores])


def _at_opening(
    lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[StoreNow], at_once: AtOnce, books: Books
) -> dict[str, StoreStanding]:
    """Return what stores open a date with, those of each kind together."""
    now, found = {own.store: own for own in stores}, dict[str, StoreStanding]()
    for alike in stores_alike(tuple(now), kinds_on(lake, catalog, date, books=books)):
        found |= _alike_at_opening(lake, catalog, date, [now[store] for store in alike], at_once, books)
    return found


def _alike_at_opening(
    lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[StoreNow], at_once: AtOnce, books: Books
) -> dict[str, StoreStanding]:
    """Return what stores of one kind open a date with."""
    names = tuple(now.store for now in stores)
    front = storefront_on(lake, catalog, date, names, at_once, books)
    shape = (len(names), len(catalog.skus))
    opened = opens_with(lake, catalog, names, date)
    at = (opened.stock, np.broadcast_to(np.nan, shape), catalog.store.opening.ticks, np.broadcast_to(0.0, shape))
    shelf = Shelf(*at, stores=names, opened_with=opened.opened_with, business_date=date)
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
    sticker, lost = None if began.sticker is None else began.sticker[0], (Overruled(limits, prices, shelf), 0)
    held = prices[0], rule.astype(np.int8), tuple(rules.tolist()), bound, without, tuple(since), lost, sticker
    return StoreStanding(
        *(now, catalog, orders, began.stock[0], began.opened_with, outside is None), partial(StandingPrices, *held)
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
    return usual_prices(without_orders(front), shelf).prices[0]
