"""What price changes mean for a business date: the orders that bind its prices.

Each store follows an order from its own next tick on. The tick is recorded with the order, so the orders of a date that
was sold are still those that bound it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from catalog.load import Catalog
from plugins.desk.law.shown import day_prices_before
from plugins.desk.price_changes.change import PriceChange
from plugins.desk.price_changes.proposals import passing, proposals_on
from plugins.desk.price_changes.record import changes_by_people, changes_by_people_on, changes_named
from plugins.desk.rival_caps import rival_caps
from serving.limits.orders import AtOnce, Orders, PriceOrder, PriceRanges
from warehouse.lake import Lake
from warehouse.origin import sells_outside


def orders_on(
    lake: Lake,
    catalog: Catalog,
    date: dt.date,
    stores: Sequence[str] | None = None,
    at_once: AtOnce | None = None,
) -> Orders:
    """Return the orders of a date: what waits moves within what passes, what people declined or set stands.

    See `serving.limits.orders.orders_on`.
    """
    named = catalog.store.stores if stores is None else tuple(stores)
    changes, ranges = _by_approval(lake, catalog, date, named)
    for change in sorted(_changes_by_people(lake, date, at_once), key=lambda change: change.rank):
        changes += _by_person(catalog, date, change, named, at_once or {})
    caps = rival_caps(lake, catalog, date)
    return Orders(tuple(changes), catalog.skus, catalog.store.opening.ticks, caps, ranges)


def _changes_by_people(lake: Lake, date: dt.date, at_once: AtOnce | None) -> list[PriceChange]:
    """Return what people asked for that bears on a date, or binds it although it counts from a later one."""
    changes, wanted = changes_by_people_on(lake, date), {name for names in (at_once or {}).values() for name in names}
    ids = {change.id for change in changes}
    return [*changes, *changes_named(lake, wanted - ids)] if wanted - ids else changes


def at_once_now(lake: Lake, moments: Mapping[str, dt.datetime]) -> dict[str, tuple[str, ...]]:
    """Return by store the ids of orders that count from later than its next tick.

    See `serving.limits.orders.at_once_now`.
    """
    if not moments:
        return {}
    people = changes_by_people(lake, min(moments.values()))
    changes = [change for change in people if change.last == "approved" and change.is_at_once]
    found = {
        store: tuple(change.id for change in changes if _counts_from_later(change, store, moment))
        for store, moment in moments.items()
    }
    return {store: names for store, names in found.items() if names}


def _counts_from_later(change: PriceChange, store: str, moment: dt.datetime) -> bool:
    span = change.span(store)
    return span is not None and moment < span[0] and (span[1] is None or moment < span[1])


def _by_person(
    catalog: Catalog, date: dt.date, change: PriceChange, stores: Sequence[str], at_once: AtOnce
) -> Iterator[PriceOrder]:
    """Yield what a person ordered for a date, product by product."""
    terms = change.terms
    wanted = None if terms.kind == "kill_switch" else terms.new_price
    for store, (first, end) in _ticks_by_store(catalog, date, change, stores, at_once):
        for product in catalog.products:
            if terms.sku in {None, product.sku}:
                price = product.base_price if wanted is None else wanted
                yield PriceOrder(product.sku, store, price, price, terms.kind, first, end, terms.accepted_cost, change)


def _ticks_by_store(
    catalog: Catalog, date: dt.date, change: PriceChange, stores: Sequence[str], at_once: AtOnce
) -> Iterator[tuple[str | None, tuple[int, int]]]:
    """Yield in which ticks of a date a change holds in which store; None is every store, where they are the same."""
    ticks = {store: _ticks_in(catalog, date, change, store, at_once) for store in stores if change.is_of(store)}
    if change.terms.store is None and len(set(ticks.values())) == 1:
        ticks = {None: next(iter(ticks.values()))}  # type: ignore[dict-item]
    yield from ((store, tick) for store, tick in ticks.items() if tick is not None)


def _ticks_in(
    catalog: Catalog, date: dt.date, change: PriceChange, store: str, at_once: AtOnce | None = None
) -> tuple[int, int] | None:
    span = change.span(store)
    if span is None:
        return None
    clock = catalog.store.clock_of(store)
    start = clock.opening_of(date) if change.id in (at_once or {}).get(store, ()) else span[0]
    return clock.ticks_within(date, start, span[1])


def _by_approval(
    lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str]
) -> tuple[list[PriceOrder], PriceRanges | None]:
    """Return what people decided about proposals, and between which prices each other product passes by rule.

    Outside stores show their own prices, and drawn ones within a design that was approved: none of them waits.
    """
    proposals, all_stores = proposals_on(lake, catalog, date), catalog.store.stores
    stores = tuple(store for store in stores if store in all_stores)  # the twin may play more than the catalog has
    rows = [all_stores.index(store) for store in stores]
    decided = {place: change for place, change in proposals.documents.items() if place[0] in rows}
    if not catalog.store.approval.is_asked_for or sells_outside(lake.store, catalog.store):
        rejected = [(place, change) for place, change in decided.items() if change.last == "rejected"]
        olds = ((place, change, change.terms.old_price) for place, change in rejected)
        return [_range(catalog, change, place, (old, old)) for place, change, old in olds if old is not None], None
    yesterday = day_prices_before(lake, catalog, date, None if stores == all_stores else stores)
    passes = passing(catalog, slice(None), yesterday)
    lowest, highest = np.fmin(passes[0], proposals.price[rows]), np.fmax(passes[1], proposals.price[rows])
    orders = list[PriceOrder]()
    for place, change in decided.items():
        place_now = rows.index(place[0]), place[1]
        orders += _decided(catalog, date, change, place, (float(passes[0][place_now]), float(passes[1][place_now])))
        lowest[place_now] = highest[place_now] = np.nan
    return orders, PriceRanges(tuple(stores), lowest, highest, source=proposals)


def _decided(
    catalog: Catalog, date: dt.date, change: PriceChange, place: tuple[int, int], passes: tuple[float, float]
) -> Iterator[PriceOrder]:
    """Yield what a proposal makes of a product's day.

    Its price moves within what passes by rule. An approval adds the price that was approved. From the tick on in which
    a person declines it or takes the approval back, the old price stands.
    """
    terms, store, (lowest, highest) = change.terms, catalog.store.stores[place[0]], passes
    yield _range(catalog, change, place, (lowest, highest))
    ticks = _ticks_in(catalog, date, change, store)
    if ticks is not None and terms.new_price is not None:
        yield _range(catalog, change, place, (min(lowest, terms.new_price), max(highest, terms.new_price)), ticks)
    if change.last in {"rejected", "withdrawn"} and terms.old_price is not None:
        declined = change.events[-1].counts_from(store)
        if (ticks := catalog.store.clock_of(store).ticks_within(date, declined, None)) is not None:
            yield _range(catalog, change, place, (terms.old_price, terms.old_price), ticks)


def _range(
    catalog: Catalog,
    proposal: PriceChange,
    place: tuple[int, int],
    prices: tuple[float, float],
    ticks: tuple[int, int] | None = None,
) -> PriceOrder:
    (store, sku), (first, end) = place, ticks or (0, catalog.store.opening.ticks)
    return PriceOrder(catalog.skus[sku], catalog.store.stores[store], *prices, "price", first, end, source=proposal)
