"""What price changes mean for a business date: the orders that bind its prices, whoever asks for them.

Each store follows an order from its own next tick on. The tick is recorded with the order, so the orders of a date that
was sold are still those that bound it.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence

from catalog.load import Catalog
from serving.order_windows import Orders, PriceOrder
from serving.price_changes.change import PriceChange, newest_of_each
from serving.price_changes.passing import passing
from serving.price_changes.record import changes_by_people, changes_named, changes_on
from serving.price_changes.yesterday import opening_prices_before
from warehouse.lake import Lake


def orders_on(
    lake: Lake,
    catalog: Catalog,
    date: dt.date,
    stores: Sequence[str] | None = None,
    at_once: Collection[str] = (),
) -> Orders:
    """Return the orders of a date: what waits or is rejected keeps its old price, what people set stands.

    Parameters
    ----------
    stores
        The stores that are priced; None is every store of the catalog.
    at_once
        Ids of orders that bind the whole date although they were given for a later one: see `given_for_later`.
    """
    changes = changes_on(lake, date)
    known = {change.id for change in changes}
    changes += [change for change in changes_named(lake, at_once) if change.id not in known]
    return orders_among(lake, catalog, changes, date, stores, at_once)


def given_for_later(lake: Lake, catalog: Catalog, date: dt.date, store: str) -> tuple[str, ...]:
    """Return the ids of orders in force that a store follows from a later date on than one it sells now.

    A store may sell a date that it left out before. What people ordered at once binds that one, too.
    """
    end = catalog.store.clock_of(store).closing_of(date)
    return tuple(
        change.id
        for change in changes_by_people(lake, end)
        if change.last == "approved"
        and (span := change.span(store)) is not None
        and end <= span[0]
        and change.is_at_once
    )


def orders_among(
    lake: Lake,
    catalog: Catalog,
    changes: Iterable[PriceChange],
    date: dt.date,
    stores: Sequence[str] | None = None,
    at_once: Collection[str] = (),
) -> Orders:
    """Return what some price changes order for a date, the weakest first, as `orders_on` does of all of them."""
    named = catalog.store.stores if stores is None else tuple(stores)
    ranked = sorted(changes, key=lambda change: change.rank)
    proposals = [change for change in ranked if change.terms.kind == "price"]
    found = list(_by_approval(lake, catalog, date, proposals, named))
    for change in ranked:
        if change.terms.kind != "price":
            found += _by_person(catalog, date, change, named, is_at_once=change.id in at_once)
    return Orders(tuple(found), catalog.skus, catalog.store.opening.ticks)


def _by_person(
    catalog: Catalog, date: dt.date, change: PriceChange, stores: Sequence[str], *, is_at_once: bool
) -> Iterator[PriceOrder]:
    """Yield what a person ordered for a date, product by product."""
    terms = change.terms
    wanted = None if terms.kind == "kill_switch" else terms.new_price
    whole_day = (0, catalog.store.opening.ticks)
    of_stores = _ticks_by_store(catalog, date, change, stores)
    for store, (first, end) in ((store, whole_day) for store in stores) if is_at_once else of_stores:
        for product in catalog.products:
            if terms.sku in {None, product.sku}:
                price = product.base_price if wanted is None else wanted
                yield PriceOrder(product.sku, store, price, price, terms.kind, first, end, terms.accepted_cost)


def _ticks_by_store(
    catalog: Catalog, date: dt.date, change: PriceChange, stores: Sequence[str]
) -> Iterator[tuple[str | None, tuple[int, int]]]:
    """Yield in which ticks of a date a change holds in which store; None is every store, where they are the same."""
    ticks = {store: _ticks_in(catalog, date, change, store) for store in stores if change.is_of(store)}
    if change.terms.store is None and len(set(ticks.values())) == 1:
        ticks = {None: next(iter(ticks.values()))}  # type: ignore[dict-item]
    yield from ((store, own) for store, own in ticks.items() if own is not None)


def _ticks_in(catalog: Catalog, date: dt.date, change: PriceChange, store: str) -> tuple[int, int] | None:
    span = change.span(store)
    return None if span is None else catalog.store.clock_of(store).ticks_within(date, *span)


def _by_approval(
    lake: Lake, catalog: Catalog, date: dt.date, proposals: Sequence[PriceChange], stores: Sequence[str]
) -> Iterator[PriceOrder]:
    """Yield between which prices each product may be: what passes by rule, and what was approved by a person."""
    newest = newest_of_each(proposals)
    if not catalog.store.approval.is_asked_for:
        for (store, sku), change in newest.items():
            old = change.terms.old_price
            if store in stores and sku in catalog.skus and change.last == "rejected" and old is not None:
                yield _range(catalog, sku, store, old, old)
        return
    yesterday = opening_prices_before(lake, catalog, date)
    for store in stores:
        for product in catalog.products:
            proposal = newest.get((store, product.sku))
            lowest, highest = passing(catalog, product, yesterday.get((store, product.sku)))
            if proposal is None:
                yield _range(catalog, product.sku, store, lowest, highest)
            else:
                yield from _decided(catalog, date, proposal, (lowest, highest), (store, product.sku))


def _decided(
    catalog: Catalog, date: dt.date, change: PriceChange, passes: tuple[float, float], place: tuple[str, str]
) -> Iterator[PriceOrder]:
    """Yield what a proposal makes of a product's day: until it is approved, the old price stands."""
    (store, sku), (lowest, highest), terms = place, passes, change.terms
    stands = passes if terms.old_price is None else (terms.old_price, terms.old_price)
    yield _range(catalog, sku, store, *stands)
    ticks = _ticks_in(catalog, date, change, store)
    if ticks is not None and terms.new_price is not None:
        yield _range(catalog, sku, store, min(lowest, terms.new_price), max(highest, terms.new_price), ticks)


def _range(
    catalog: Catalog,
    sku: str,
    store: str | None,
    lowest: float,
    highest: float,
    ticks: tuple[int, int] | None = None,
) -> PriceOrder:
    first, end = ticks or (0, catalog.store.opening.ticks)
    return PriceOrder(sku, store, lowest, highest, "price", first, end)
