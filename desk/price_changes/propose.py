"""What stores want to open a date with by their price book: some prices pass, and others wait for a person.

A night records it once, and whoever looks reads the record.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.load import Catalog
from catalog.records.product import Product
from desk.price_changes.change import Event, Terms
from desk.price_changes.consequence import DayForecast, outlook_of
from desk.price_changes.forecasts import with_forecast
from desk.price_changes.passed import THE_RULE, NewSet, PassedPrices, Proposals, part_of_set, proposals_on
from desk.price_changes.passing import passing
from desk.price_changes.reasons import reason_beside, reason_for
from desk.price_changes.record import LOCK, PATIENCE, changes_named, next_number, record, rows_of_events
from desk.price_changes.shown import day_prices_before
from desk.price_changes.waiting import waiting_on
from etl.stock import opens_with
from serving.book_store import BookInForce, book_in_force
from serving.markdowns import stickers_on
from serving.standing import openings_without_orders
from warehouse.lake import Lake
from warehouse.locks import held
from warehouse.origin import sells_outside
from warehouse.workspace import Workspace

MOST_TOLD = 10_000
"""Prices of an action that pass by rule and have a reason and a forecast of their own; of more, nobody reads them."""


@dataclass(frozen=True)
class Proposed:
    """How many of a date's opening prices passed by themselves, and how many wait for a person."""

    passed: int
    waiting: int


def propose_for(workspace: Workspace, date: dt.date) -> str | None:
    """Propose the prices of the book that was just made for a date, and say what waits and what that costs."""
    found = book_in_force(workspace.lake, date) if workspace.catalog.store.approval.is_asked_for else None
    if found is None:
        return None
    propose(workspace, found, date)
    return waiting_on(workspace.lake, date).in_words(workspace.catalog.store.money)


def propose(workspace: Workspace, found: BookInForce, date: dt.date, seen: Floats | None = None) -> Proposed:
    """Record what a book proposes for a date where the catalog lets prices wait; what is proposed already stays.

    A price that the book would now set otherwise is withdrawn and proposed anew: an approval is of one price.

    Parameters
    ----------
    seen
        Prices that a person looked at, EUR, shape (n_stores, n_products), NaN for the others: they alone are recorded,
        where nothing is proposed yet. None is what each store wants to open with.

    Raises
    ------
    Declined
        When somebody is deciding on price changes right now.
    """
    lake, catalog = workspace.lake, workspace.catalog
    if not catalog.store.approval.is_asked_for or sells_outside(lake.store, catalog.store):
        return Proposed(0, 0)
    wanted = openings_without_orders(lake, catalog, date) if seen is None else seen
    with held(workspace.settings.locks, LOCK, PATIENCE):
        lake.finish_interrupted()
        earlier = proposals_on(lake, catalog, date)
        if seen is not None:
            wanted = np.where(earlier.are_recorded, np.nan, seen)
        new = _new_of(lake, catalog, found, date, earlier, wanted)
        if new.is_other.any():
            _record(lake, catalog, new)
            earlier = proposals_on(lake, catalog, date)
    last = Counter(change.last for change in earlier.documents.values())
    return Proposed(int((earlier.passed.number > 0).sum()) + last["approved"], last["proposed"])


@dataclass(frozen=True)
class _New:
    """What a book proposes otherwise than before. Arrays have shape (n_stores, n_products), prices in EUR.

    Attributes
    ----------
    earlier
        What was proposed before.
    old, new
        The middle price of a store's newest day, NaN where that is not known, and what the store wants to open with.
    lowest, highest
        Between which prices one passes by rule.
    is_other
        Which prices are proposed anew.
    forecast
        Says what prices bring; to make it takes a minute for a chain, so it is made when somebody is to be told.
    """

    date: dt.date
    found: BookInForce
    earlier: Proposals
    old: Floats
    new: Floats
    lowest: Floats
    highest: Floats
    is_other: Flags
    forecast: Callable[[], DayForecast]

    @cached_property
    def passes(self) -> Flags:
        """Which prices pass by rule."""
        return np.asarray((self.lowest <= self.new) & (self.new <= self.highest))

    @property
    def at(self) -> tuple[dt.datetime, str]:
        """When the book was made, UTC, and its policy."""
        return self.found.book.published_at, self.found.book.policy


def _new_of(
    lake: Lake, catalog: Catalog, found: BookInForce, date: dt.date, earlier: Proposals, wanted: Floats
) -> _New:
    """Compare what stores want to open with, EUR, NaN for nothing, with what was proposed before."""
    old = day_prices_before(lake, catalog, date)
    stands = earlier.passed.price.copy()
    for place, change in earlier.documents.items():
        stands[place] = np.nan if change.terms.new_price is None else change.terms.new_price
    lowest, highest = passing(catalog, slice(None), old)
    has_stock = opens_with(lake, catalog, catalog.store.stores, date).stock > 0  # without any, the label stays
    is_other = np.isfinite(wanted) & (stands != wanted) & has_stock
    forecast = cache(partial(outlook_of, lake, catalog, found, date))
    return _New(date, found, earlier, old, wanted, lowest, highest, is_other, forecast)


def _record(lake: Lake, catalog: Catalog, new: _New) -> None:
    """Record what has to be, so that the newest proposals are those of the book: documents for people, and a set."""
    number, (at, by) = next_number(lake), new.at
    passes, earlier = new.is_other & new.passes, new.earlier.passed.without(~new.is_other)
    documents = list(_events(lake, catalog, new, number, new.is_other & ~new.passes))
    for place, change in new.earlier.documents.items():
        if new.is_other[place] and change.last != "withdrawn":
            documents.append(Event(number, change.id, "withdrawn", at, change.terms.valid_from, by, change.terms))
    if passes.sum() + (earlier.number > 0).sum() > MOST_TOLD:
        parts = NewSet(new.date, number, at, by, passes, new.old, new.new, earlier).parts(catalog)
        record(lake, catalog, number, documents, parts)
        return
    told = [*_withdrawn(lake, catalog, new, number, earlier), *_events(lake, catalog, new, number, passes)]
    record(lake, catalog, number, documents, [(part_of_set(new.date, number), rows_of_events(told))] if told else [])


def _withdrawn(lake: Lake, catalog: Catalog, new: _New, number: int, earlier: PassedPrices) -> Iterator[Event]:
    """Yield the withdrawals of prices that passed before."""
    at, by = new.at
    names = {
        f"p{earlier.number[row, column]}.{catalog.store.stores[row]}.{catalog.skus[column]}"
        for row, column in np.argwhere(earlier.number > 0)
    }
    for change in changes_named(lake, names) if names else ():
        yield Event(number, change.id, "withdrawn", at, change.terms.valid_from, by, change.terms)


def _events(lake: Lake, catalog: Catalog, new: _New, number: int, which: Flags) -> Iterator[Event]:
    """Yield what is proposed at some places, with reason and forecast, and the approval of what passes by rule."""
    if not which.any():
        return
    brings, stickers = cache(DayForecast.of), stickers_on(lake, catalog, new.date)
    opened, money = opens_with(lake, catalog, catalog.store.stores, new.date), catalog.store.money
    (at, by), outlook = new.at, new.forecast()
    for row in np.flatnonzero(which.any(axis=1)):
        store = catalog.store.stores[row]
        units = None if opened.opened_with is None else opened.opened_with[row : row + 1]
        shelves = outlook.on_shelves(opened.stock[row], 0, units)
        for column in np.flatnonzero(which[row]):
            product, shelf, price = catalog.products[column], shelves[column], float(new.new[row, column])
            old = None if np.isnan(new.old[row, column]) else float(new.old[row, column])
            sticker = stickers.get((store, product.sku))
            if sticker is not None:
                terms = _terms(catalog, new.date, store, product, (old, price), reason_beside(sticker, price, money))
            else:
                reason = reason_for(outlook, product.sku, shelf, price, old, money)
                terms = _terms(catalog, new.date, store, product, (old, price), reason)
                terms = with_forecast(catalog, lambda _: outlook, terms, partial(brings, shelf=shelf))
            if not new.passes[row, column]:
                bounds = float(new.lowest[row, column]), float(new.highest[row, column])
                terms = replace(terms, expected_cost=outlook.cost_of_waiting(product.sku, shelf, *bounds))
            name = f"p{number}.{store}.{product.sku}"
            yield Event(number, name, "proposed", at, terms.valid_from, by, terms)
            if new.passes[row, column]:
                yield Event(number, name, "approved", at, terms.valid_from, THE_RULE, terms)


def _terms(
    catalog: Catalog, date: dt.date, store: str, product: Product, old_and_new: tuple[float | None, float], reason: str
) -> Terms:
    clock = catalog.store.clock_of(store)
    return Terms(
        kind="price",
        sku=product.sku,
        store=store,
        old_price=old_and_new[0],
        new_price=old_and_new[1],
        valid_from=clock.opening_of(date),
        valid_until=clock.closing_of(date),
        reason=reason,
    )
