"""What a price book proposes for its date: each store's opening prices, of which some pass and others wait."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial

from catalog.load import Catalog
from catalog.records.product import Product
from desk.price_changes.change import Event, PriceChange, Terms, newest_of_each
from desk.price_changes.consequence import DayForecast, outlook_of
from desk.price_changes.forecasts import with_forecast
from desk.price_changes.passing import passes
from desk.price_changes.reasons import reason_beside, reason_for
from desk.price_changes.record import LOCK, PATIENCE, changes_on, next_number, record
from desk.price_changes.shown import opening_prices_before
from etl.stock import opens_with
from serving.book_store import BookInForce, book_in_force
from serving.markdowns import stickers_on
from warehouse.lake import Lake
from warehouse.locks import held
from warehouse.workspace import Workspace

THE_RULE = "the rule"
"""Who approves what passes by itself."""


@dataclass(frozen=True)
class Proposed:
    """How many of a date's opening prices passed by themselves, and how many wait for a person."""

    passed: int
    waiting: int


def propose_for(workspace: Workspace, date: dt.date) -> Proposed:
    """Propose the prices of the book that was just made for a date, where the catalog lets some of them wait."""
    found = book_in_force(workspace.lake, date) if workspace.catalog.store.approval.is_asked_for else None
    return Proposed(0, 0) if found is None else propose(workspace, found, date)


def propose(workspace: Workspace, found: BookInForce, date: dt.date) -> Proposed:
    """Record what a book proposes for a date where the catalog lets prices wait; what is proposed already stays.

    A price that the book would now set otherwise is withdrawn and proposed anew: an approval is of one price.

    Raises
    ------
    Declined
        When somebody is deciding on price changes right now.
    """
    lake, catalog = workspace.lake, workspace.catalog
    if not catalog.store.approval.is_asked_for:
        return Proposed(0, 0)
    with held(workspace.settings.locks, LOCK, PATIENCE):
        lake.finish_interrupted()
        known = newest_of_each([change for change in changes_on(lake, date) if change.terms.kind == "price"])
        events = list(_events(lake, catalog, outlook_of(lake, catalog, found, date), date, known))
        if events:
            record(lake, catalog, events)
        changes = newest_of_each([change for change in changes_on(lake, date) if change.terms.kind == "price"])
    approved = sum(change.last == "approved" for change in changes.values())
    return Proposed(approved, sum(change.last == "proposed" for change in changes.values()))


def _events(
    lake: Lake,
    catalog: Catalog,
    outlook: DayForecast,
    date: dt.date,
    known: dict[tuple[str | None, str | None], PriceChange],
) -> Iterator[Event]:
    """Yield what has to be recorded so that the newest proposals are those of the book."""
    number, yesterday = next_number(lake), opening_prices_before(lake, catalog, date)
    brings, stickers = cache(DayForecast.of), stickers_on(lake, catalog, date)
    opened = opens_with(lake, catalog, catalog.store.stores, date)
    for row, store in enumerate(catalog.store.stores):
        units = None if opened.opened_with is None else opened.opened_with[row : row + 1]
        shelves = outlook.on_shelves(opened.stock[row], 0, units)
        for product, shelf in zip(catalog.products, shelves, strict=True):
            old, new = yesterday.get((store, product.sku)), outlook.opening_price(product.sku)
            sticker = stickers.get((store, product.sku))
            if sticker is not None:
                reason = reason_beside(sticker, new, catalog.store.money)
            else:
                reason = reason_for(outlook, product.sku, shelf, new, old, catalog.store.money)
            terms = _terms(catalog, date, store, product, (old, new), reason)
            earlier = known.get((store, product.sku))
            if earlier is not None and earlier.terms.new_price == terms.new_price:
                continue
            at, by = outlook.book.published_at, outlook.book.policy
            if earlier is not None and earlier.last != "withdrawn":
                yield Event(number, earlier.id, "withdrawn", at, terms.valid_from, by, earlier.terms)
            if sticker is None:
                terms = with_forecast(catalog, lambda _: outlook, terms, partial(brings, shelf=shelf))
            name = f"p{number}.{store}.{product.sku}"
            yield Event(number, name, "proposed", at, terms.valid_from, by, terms)
            assert terms.new_price is not None  # noqa: S101 - a book has a price
            if passes(catalog, product, terms.old_price, terms.new_price):
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
