"""What a price book proposes for its date: each store's opening prices, of which some pass and others wait."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.load import Catalog
from catalog.records.product import Product
from serving.book_store import BookInForce
from serving.price_changes.change import Event, PriceChange, Terms, newest_of_each
from serving.price_changes.consequence import Outlook, outlook_of
from serving.price_changes.passing import passes
from serving.price_changes.record import LOCK, changes_on, next_number, record
from serving.price_changes.yesterday import opening_prices_before
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


def nothing_proposed() -> Proposed:
    """Return what is proposed where every price passes."""
    return Proposed(0, 0)


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
        return nothing_proposed()
    with held(workspace.settings.locks, LOCK):
        lake.finish_interrupted()
        known = newest_of_each([change for change in changes_on(lake, date) if change.terms.kind == "price"])
        events = list(_events(lake, catalog, outlook_of(lake, catalog, found), date, known))
        if events:
            record(lake, catalog, events)
        changes = newest_of_each([change for change in changes_on(lake, date) if change.terms.kind == "price"])
    approved = sum(change.last == "approved" for change in changes.values())
    return Proposed(approved, sum(change.last == "proposed" for change in changes.values()))


def _events(
    lake: Lake,
    catalog: Catalog,
    outlook: Outlook,
    date: dt.date,
    known: dict[tuple[str | None, str | None], PriceChange],
) -> Iterator[Event]:
    """Yield what has to be recorded so that the newest proposals are those of the book."""
    number, yesterday = next_number(lake), opening_prices_before(lake, catalog, date)
    for store in catalog.store.stores:
        for product in catalog.products:
            terms = _terms(catalog, outlook, date, store, product, yesterday.get((store, product.sku)))
            earlier = known.get((store, product.sku))
            if earlier is not None and earlier.terms.new_price == terms.new_price:
                continue
            at, by = outlook.book.published_at, outlook.book.policy
            if earlier is not None and earlier.last != "withdrawn":
                yield Event(number, earlier.id, "withdrawn", at, terms.valid_from, by, earlier.terms)
            name = f"p{number}.{store}.{product.sku}"
            yield Event(number, name, "proposed", at, terms.valid_from, by, terms)
            assert terms.new_price is not None  # noqa: S101 - a book has a price
            if passes(catalog, product, terms.old_price, terms.new_price):
                yield Event(number, name, "approved", at, terms.valid_from, THE_RULE, terms)


def _terms(catalog: Catalog, outlook: Outlook, date: dt.date, store: str, product: Product, old: float | None) -> Terms:
    clock = catalog.store.clock_of(store)
    return Terms(
        kind="price",
        sku=product.sku,
        store=store,
        old_price=old,
        new_price=outlook.opening_price(product.sku),
        valid_from=clock.opening_of(date),
        valid_until=clock.closing_of(date),
        reason=f"price book of {outlook.book.published_at:%Y-%m-%d}, model version {outlook.book.model_version}",
    )
