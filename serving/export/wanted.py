"""What each store has to show next: the prices of its day, what people set from its next tick on, or its next opening.

Of a store that is being sold, a policy's price is known when its tick begins, so it is sent then; what people set is
known before. Of any other store the prices of the next opening are sent, as the policy in force asks for them without
exploring; so also from a store's last tick on, before its day is closed, and anew when the night has made its book.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.pricing import Shelf
from etl.live.day import LiveDay
from serving.export.batch import ShelfPrice
from serving.guardrails import guarded, is_given, limits_of
from serving.in_force import pricing_on
from serving.price_changes.change import PriceChange
from serving.price_changes.orders import ordered
from serving.price_changes.record import changes_on
from serving.price_changes.store_time import days_being_sold, next_opening_dates, next_tick_of, ticks_sold
from serving.quote import is_kept
from serving.storefront import Storefront
from warehouse.lake import Lake


def clocks_of(lake: Lake, catalog: Catalog, stores: Sequence[str]) -> dict[str, dt.datetime]:
    """Return when the next tick of each store begins that is not sold yet, UTC, in the time of the stores."""
    being_sold = _days_being_sold(lake, catalog)
    dates = next_opening_dates(lake, catalog, [store for store in stores if store not in being_sold])
    return {
        store: next_tick_of(lake, catalog, being_sold[store])
        if store in being_sold
        else catalog.store.clock_of(store).opening_of(dates[store])
        for store in stores
    }


def wanted_of(lake: Lake, catalog: Catalog, clocks: dict[str, dt.datetime]) -> dict[str, list[ShelfPrice]]:
    """Return what each store has to show next.

    Parameters
    ----------
    clocks
        The next tick of each store that is asked about.
    """
    being_sold, found = _days_being_sold(lake, catalog), dict[str, list[ShelfPrice]]()
    resting: dict[dt.date, list[str]] = {}
    dates = {store: catalog.store.clock_of(store).date_of(now) for store, now in clocks.items()}
    for store, now in clocks.items():
        if store in being_sold:
            found[store] = _during(lake, ordered(lake, catalog, dates[store], store), being_sold[store], now)
        else:
            resting.setdefault(dates[store], []).append(store)
    for date, stores in resting.items():
        found.update(_at_opening(lake, catalog, date, stores))
    for store, prices in found.items():
        announced = _announced(changes_on(lake, dates[store]), store, clocks[store], prices)
        found[store] = [_per_unit(catalog, own) for own in announced]
    return found


def _days_being_sold(lake: Lake, catalog: Catalog) -> dict[str, LiveDay]:
    """Return the days that have a tick left: after the last one, labels have the night to follow the next opening."""
    ticks = catalog.store.opening.ticks
    return {store: day for store, day in days_being_sold(lake).items() if ticks_sold(lake, day) < ticks}


def _during(lake: Lake, catalog: Catalog, day: LiveDay, now: dt.datetime) -> list[ShelfPrice]:
    """Return what a store shows in the middle of its day, or has to from its next tick on."""
    clock, shown = catalog.store.clock_of(day.store), dict[str, tuple[int, float]]()
    rows = lake.read(day.part("live_repricings")).select(["sku", "tick", "new_price"])
    for sku, tick, price in zip(*(column.to_pylist() for column in rows.columns), strict=True):  # in order of time
        shown[sku] = tick, price
    found = {
        sku: ShelfPrice(sku, price, clock.moment_of(day.business_date, tick))
        for sku, (tick, price) in shown.items()
        if sku in catalog.skus
    }
    tick = ticks_sold(lake, day)
    if tick < clock.opening.ticks:
        prices = np.array([found[sku].price if sku in found else np.nan for sku in catalog.skus])
        for sku, before, after in zip(catalog.skus, prices, _given(catalog, day.store, prices, tick), strict=True):
            if sku in found and before != after:
                found[sku] = ShelfPrice(sku, float(after), now)
    return list(found.values())


def _given(catalog: Catalog, store: str, shown: Floats, tick: int) -> Floats:
    """Return prices, EUR, shape (n_products,), with those in their place that stand whatever a policy asks for."""
    limits, left = limits_of(catalog), catalog.store.opening.ticks - tick
    shape = (1, len(shown))
    shelf = Shelf(np.zeros(shape, dtype=np.int64), shown[None], left, np.zeros(shape), None, (store,))
    given = np.broadcast_to(is_given(limits, shelf), shape) | limits.kill_switch
    return np.where(given, guarded(limits, shown[None], shelf), shown[None])[0]


def _at_opening(lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str]) -> dict[str, list[ShelfPrice]]:
    """Return what stores open a date with."""
    catalog = ordered(lake, catalog, date)
    priced_by = pricing_on(lake, catalog, date)
    assert isinstance(priced_by.policy, Storefront)  # noqa: S101 - every policy in force is one
    store_front = replace(priced_by.policy, exploration=None)
    shape, opening = (len(stores), len(catalog.skus)), catalog.store.opening
    stock = np.broadcast_to(catalog.par_stock, shape).astype(np.int64)
    shelf = Shelf(stock, np.full(shape, np.nan), opening.ticks, np.zeros(shape), None, tuple(stores))
    prices = store_front.decide(shelf).prices.copy()
    curves, made_for = store_front.curves, priced_by.book_made_for
    if curves is not None and curves.kept is not None and made_for is not None and store_front.limits is not None:
        given = np.broadcast_to(is_given(store_front.limits, shelf), shape)
        for row, store in enumerate(stores):
            for own, sku in enumerate(catalog.skus):
                if not given[row, own] and is_kept(catalog, curves, store, sku, made_for):
                    prices[row, own] = curves.kept[own]
    starts = {store: catalog.store.clock_of(store).opening_of(date) for store in stores}
    return {
        store: [
            ShelfPrice(sku, float(price), starts[store]) for sku, price in zip(catalog.skus, prices[row], strict=True)
        ]
        for row, store in enumerate(stores)
    }


def _per_unit(catalog: Catalog, own: ShelfPrice) -> ShelfPrice:
    """Return a price with that of one unit of measure, where the catalog has one."""
    measure = catalog.product(own.sku).measure
    if measure is None:
        return own
    price, unit = measure.per_unit(own.price)
    return replace(own, unit_price=round(price, catalog.store.money.digits), unit=unit)


def _announced(
    changes: Sequence[PriceChange], store: str, now: dt.datetime, prices: Sequence[ShelfPrice]
) -> list[ShelfPrice]:
    """Return prices with the one that each announced reduction among them has to name."""
    holding = [
        change
        for change in changes
        if change.last == "approved" and change.is_in_force(now) and change.terms.store in {None, store}
    ]
    found = []
    for own in prices:
        of_it = [change for change in holding if change.terms.sku in {None, own.sku}]
        terms = max(of_it, key=lambda change: change.rank).terms if of_it else None
        is_announced = terms is not None and terms.announced and terms.new_price == own.price
        found.append(replace(own, prior_price=terms.prior_price) if terms is not None and is_announced else own)
    return found
