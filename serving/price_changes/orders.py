"""What price changes mean for one business date: the orders that a catalog carries while the date is sold."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

from catalog.load import Catalog
from catalog.records.price_orders import PriceOrder
from serving.price_changes.change import PriceChange, newest_of_each
from serving.price_changes.passing import passing
from serving.price_changes.record import changes_on
from serving.price_changes.yesterday import opening_prices_before
from warehouse.lake import Lake
from warehouse.workspace import Workspace


def ordered_on(workspace: Workspace, date: dt.date) -> Workspace:
    """Return a workspace for one business date: its catalog carries what was ordered for that date."""
    catalog = ordered(workspace.lake, workspace.catalog, date)
    return workspace if catalog is workspace.catalog else replace(workspace, catalog=catalog)


def ordered(lake: Lake, catalog: Catalog, date: dt.date, store: str | None = None) -> Catalog:
    """Return a catalog as it holds on a date: with the orders that people gave, and the prices that were approved.

    Parameters
    ----------
    store
        The one store that is priced; None is every store.
    """
    orders = tuple(
        order
        for order in orders_on(lake, catalog, date)
        if store is None or order.store is None or order.store == store
    )
    return with_orders(catalog, orders)


def with_orders(catalog: Catalog, orders: tuple[PriceOrder, ...]) -> Catalog:
    """Return a catalog that carries orders; where the kill switch is on for a whole day in every store, it is on."""
    if not orders:
        return catalog
    whole = {
        order.sku
        for order in orders
        if order.rule == "kill_switch" and order.store is None and order.first_tick == 0 and order.end_tick is None
    }
    if whole.issuperset(catalog.skus):
        rails = catalog.store.guardrails.model_copy(update={"kill_switch": True})
        return replace(catalog, store=catalog.store.model_copy(update={"guardrails": rails}))
    return replace(catalog, store=catalog.store.model_copy(update={"orders": orders}))


def orders_on(lake: Lake, catalog: Catalog, date: dt.date) -> list[PriceOrder]:
    """Return the orders of a date: what waits or is rejected keeps its old price, what people set stands."""
    changes = changes_on(lake, date)
    proposals = [change for change in changes if change.terms.kind == "price"]
    by_people = [change for change in changes if change.terms.kind != "price"]
    found = list(_by_approval(lake, catalog, date, proposals))
    for change in by_people:
        found += _by_person(catalog, date, change)
    return found


def _by_person(catalog: Catalog, date: dt.date, change: PriceChange) -> Iterator[PriceOrder]:
    """Yield what a person ordered for a date, product by product."""
    terms = change.terms
    if terms.kind == "price":
        return
    wanted = None if terms.kind == "kill_switch" else terms.new_price
    for store, (first, after) in _ticks_by_store(catalog, date, change):
        for product in catalog.products:
            price = product.base_price if wanted is None else wanted
            if terms.sku in {None, product.sku}:
                yield PriceOrder(
                    sku=product.sku,
                    store=store,
                    lowest=price,
                    highest=price,
                    first_tick=first,
                    end_tick=None if after == catalog.store.opening.ticks else after,
                    rule=terms.kind,
                )


def _ticks_by_store(
    catalog: Catalog, date: dt.date, change: PriceChange
) -> Iterator[tuple[str | None, tuple[int, int]]]:
    """Yield in which ticks of a date a change holds in which store; None is every store, where they are the same."""
    span, store = change.in_force, catalog.store
    if span is None:
        return
    clocks = store.clocks if change.terms.store is None else (store.clock_of(change.terms.store),)
    found = {clock: clock.ticks_within(date, *span) for clock in clocks}
    by_store: dict[str | None, tuple[int, int] | None] = {change.terms.store: found[clocks[0]]}
    if len(set(found.values())) > 1:
        by_store = {own: found[store.clock_of(own)] for own in store.stores}
    yield from ((own, ticks) for own, ticks in by_store.items() if ticks is not None)


def _by_approval(lake: Lake, catalog: Catalog, date: dt.date, proposals: Sequence[PriceChange]) -> Iterator[PriceOrder]:
    """Yield between which prices each product may be: what passes by rule, and what was approved by a person."""
    newest = newest_of_each(proposals)
    if not catalog.store.approval.is_asked_for:
        for (store, sku), change in newest.items():
            if sku is not None and change.last == "rejected":
                yield from _standing(sku, store, change.terms.old_price)
        return
    yesterday = opening_prices_before(lake, catalog, date)
    for store in catalog.store.stores:
        for product in catalog.products:
            proposal = newest.get((store, product.sku))
            old = yesterday.get((store, product.sku))
            lowest, highest = passing(catalog, product, old)
            if proposal is None:
                yield _range(product.sku, store, lowest, highest)
            else:
                yield from _decided(catalog, date, proposal, lowest, highest)


def _decided(
    catalog: Catalog, date: dt.date, change: PriceChange, lowest: float, highest: float
) -> Iterator[PriceOrder]:
    """Yield what a proposal makes of a product's day: until it is approved, the old price stands."""
    terms, span = change.terms, change.in_force
    assert terms.sku is not None  # noqa: S101 - a policy proposes for a product
    assert terms.new_price is not None  # noqa: S101
    ticks = None if span is None else catalog.store.clock_of(terms.store).ticks_within(date, *span)
    yield from _standing(terms.sku, terms.store, terms.old_price, (lowest, highest))
    if ticks is not None:
        low, high = min(lowest, terms.new_price), max(highest, terms.new_price)
        end = None if ticks[1] == catalog.store.opening.ticks else ticks[1]
        yield _range(terms.sku, terms.store, low, high, ticks[0], end)


def _standing(
    sku: str, store: str | None, old: float | None, otherwise: tuple[float, float] | None = None
) -> Iterator[PriceOrder]:
    """Yield that the old price stands; where none is known, what passes by rule."""
    bounds = (old, old) if old is not None else otherwise
    if bounds is not None:
        yield _range(sku, store, *bounds)


def _range(
    sku: str, store: str | None, lowest: float, highest: float, first: int = 0, end: int | None = None
) -> PriceOrder:
    return PriceOrder(
        sku=sku, store=store, lowest=lowest, highest=highest, first_tick=first, end_tick=end, rule="not_approved"
    )
