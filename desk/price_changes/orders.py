"""What price changes mean for a business date: the orders that bind its prices.

Each store follows an order from its own next tick on. The tick is recorded with the order, so the orders of a date that
was sold are still those that bound it.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from catalog.load import Catalog
from desk.price_changes.change import PriceChange
from desk.price_changes.passed import proposals_on
from desk.price_changes.passing import passing
from desk.price_changes.record import changes_by_people, changes_named, changes_on
from desk.price_changes.shown import opening_prices_before
from serving.orders import AtOnce, Orders, PriceOrder, PriceRanges
from warehouse.lake import Lake
from warehouse.origin import sells_outside


def orders_on(
    lake: Lake,
    catalog: Catalog,
    date: dt.date,
    stores: Sequence[str] | None = None,
    at_once: AtOnce | None = None,
) -> Orders:
    """Return the orders of a date: what waits or is rejected keeps its old price, what people set stands.

    See `serving.order_book.orders_on`.
    """
    named = catalog.store.stores if stores is None else tuple(stores)
    found, ranges = _by_approval(lake, catalog, date, named)
    for change in sorted(_changes_that_bind(lake, date, at_once), key=lambda change: change.rank):
        if change.terms.kind != "price":
            found += _by_person(catalog, date, change, named, at_once or {})
    return Orders(tuple(found), catalog.skus, catalog.store.opening.ticks, ranges=ranges)


def _changes_that_bind(lake: Lake, date: dt.date, at_once: AtOnce | None) -> list[PriceChange]:
    """Return the price changes that bear on a date, and those that bind it although they count from a later one."""
    changes, wanted = changes_on(lake, date), {name for names in (at_once or {}).values() for name in names}
    known = {change.id for change in changes}
    return [*changes, *changes_named(lake, wanted - known)] if wanted - known else changes


def at_once_now(lake: Lake, moments: Mapping[str, dt.datetime]) -> dict[str, tuple[str, ...]]:
    """Return by store the ids of orders that count from later than its next tick.

    See `serving.order_book.at_once_now`.
    """
    if not moments:
        return {}
    people = changes_by_people(lake, min(moments.values()))
    asked = [change for change in people if change.last == "approved" and change.is_at_once]
    found = {
        store: tuple(change.id for change in asked if _counts_from_later(change, store, moment))
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
    yield from ((store, own) for store, own in ticks.items() if own is not None)


def _ticks_in(
    catalog: Catalog, date: dt.date, change: PriceChange, store: str, at_once: AtOnce | None = None
) -> tuple[int, int] | None:
    span, clock = change.span(store), catalog.store.clock_of(store)
    if span is not None and change.id in (at_once or {}).get(store, ()):
        span = clock.opening_of(date), span[1]
    return None if span is None else clock.ticks_within(date, *span)


def _by_approval(
    lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str]
) -> tuple[list[PriceOrder], PriceRanges | None]:
    """Return what people decided about proposals, and between which prices each other product passes by rule.

    Outside stores show their own prices, and drawn ones within a design that was approved: none of them waits.
    """
    proposals, all_stores = proposals_on(lake, catalog, date), catalog.store.stores
    decided = {
        (all_stores[row], catalog.skus[column]): (row, column, change)
        for (row, column), change in proposals.documents.items()
        if all_stores[row] in stores
    }
    if not catalog.store.approval.is_asked_for or sells_outside(lake.store, catalog.store):
        olds = ((sku, store, change) for (store, sku), (_, _, change) in decided.items() if change.last == "rejected")
        return [
            _range(catalog, change, sku, store, (old, old))
            for sku, store, change in olds
            if (old := change.terms.old_price) is not None
        ], None
    passes = passing(catalog, catalog.products, opening_prices_before(lake, catalog, date))
    lowest, highest = np.fmin(passes[0], proposals.passed.price), np.fmax(passes[1], proposals.passed.price)
    orders = list[PriceOrder]()
    for place, (row, column, change) in decided.items():
        orders += _decided(catalog, date, change, (float(passes[0][row, column]), float(passes[1][row, column])), place)
        lowest[row, column] = highest[row, column] = np.nan
    own = [all_stores.index(store) for store in stores]
    return orders, PriceRanges(tuple(stores), lowest[own], highest[own], proposals)


def _decided(
    catalog: Catalog, date: dt.date, change: PriceChange, passes: tuple[float, float], place: tuple[str, str]
) -> Iterator[PriceOrder]:
    """Yield what a proposal makes of a product's day: until it is approved, the old price stands."""
    (store, sku), (lowest, highest), terms = place, passes, change.terms
    stands = passes if terms.old_price is None else (terms.old_price, terms.old_price)
    yield _range(catalog, change, sku, store, stands)
    ticks = _ticks_in(catalog, date, change, store)
    if ticks is not None and terms.new_price is not None:
        wider = min(lowest, terms.new_price), max(highest, terms.new_price)
        yield _range(catalog, change, sku, store, wider, ticks)


def _range(
    catalog: Catalog,
    proposal: PriceChange,
    sku: str,
    store: str | None,
    prices: tuple[float, float],
    ticks: tuple[int, int] | None = None,
) -> PriceOrder:
    first, end = ticks or (0, catalog.store.opening.ticks)
    return PriceOrder(sku, store, *prices, "price", first, end, source=proposal)
