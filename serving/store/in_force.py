"""Which policy prices a date: the price book in force, or base prices where there is none or the kill switch is on.

In an outside store no book prices: what was drawn stands, and without a draw the last regular price of its own shelf.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from catalog.decisions.pricing import PricedBy
from catalog.errors import DataError
from catalog.load import Catalog
from etl.batches import Kinds, stores_alike
from etl.ledger import in_force_in
from etl.open_days import is_live
from serving.belief.table import stores_of_kinds
from serving.book.store import BookInForce, Books, OpenBook, opened_once
from serving.learning.exploration import ExplorationPlan
from serving.limits.orders import AtOnce, Orders, at_once_now, orders_on
from serving.optimise.policies import GreedyPolicy, costs_that_count, policy_without_model
from serving.store.storefront import storefront, storefront_before_champion, storefront_that_learns
from warehouse.lake import Lake
from warehouse.origin import seller_of

LOOKS_BACK = 182
"""Days of the log before a date that show its regular prices: the widest window of the pattern of offers."""


def kinds_in(catalog: Catalog, book: BookInForce) -> Kinds:
    """Return the kinds of stores which sell from beliefs of their own and not from the book in force."""
    return () if catalog.store.approval.is_asked_for else stores_of_kinds(book.belief)


def kinds_on(lake: Lake, catalog: Catalog, date: dt.date, name: str | None = None, books: Books | None = None) -> Kinds:
    """Return the kinds of stores that are priced apart on a date; `name` and `books` as in `pricing_on`."""
    is_stopped = catalog.store.guardrails.kill_switch
    if name is not None or is_stopped or seller_of(lake.store, catalog.store) is not None:
        return ()
    opened = (books or opened_once(lake))(catalog, date)
    return () if opened is None else kinds_in(catalog, opened.found)


def pricing_on(
    lake: Lake,
    catalog: Catalog,
    date: dt.date,
    name: str | None = None,
    stores: Sequence[str] | None = None,
    at_once: AtOnce | None = None,
    books: Books | None = None,
) -> PricedBy:
    """Return the policy that prices a date, with its exploration, what people ordered, and its guardrails.

    Under the kill switch no book is read: base prices, or those of a retailer's own shelves, stand whatever state the
    books are in.

    Parameters
    ----------
    name
        `static`, `rule` or `greedy` in place of what is in force.
    stores
        The stores that are priced, all of one kind: see `kinds_on`. None is every store, of all kinds together.
    at_once
        Orders that bind the date although they count from a later moment; None for those that bound it when it was
        sold, or would bind it now.
    books
        Opens price books; None reads the one in force.

    Raises
    ------
    DataError
        When `greedy` is asked for and no price book is in force.
    """
    if at_once is None:
        at_once = _at_once_on(lake, catalog, date, stores or catalog.store.stores)
    orders = orders_on(lake, catalog, date, stores, at_once)
    priced_by = _priced_by(lake, catalog, date, name, orders, stores, books or opened_once(lake))
    if not orders.are_none:
        fingerprint = f"{priced_by.fingerprint}:{orders.fingerprint}"
        priced_by = replace(priced_by, fingerprint=fingerprint, orders_sha256=orders.fingerprint)
    return replace(priced_by, orders_at_once=at_once) if at_once else priced_by


def _at_once_on(lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str]) -> AtOnce:
    """Return the orders that bind a date although they count from later: as its ledger says, if it was sold."""
    at_once = at_once_now(lake, {store: catalog.store.clock_of(store).opening_of(date) for store in stores})
    sold = [part for part in lake.partitions_on("interactions", date) if not is_live(part)] if at_once else []
    if not sold:
        return at_once
    rows = (row for part in sold for row in in_force_in(lake, date, part.group))
    return {store: names for row in rows for store, names in row.at_once.items()}


def _priced_by(
    lake: Lake,
    catalog: Catalog,
    date: dt.date,
    name: str | None,
    orders: Orders,
    stores: Sequence[str] | None,
    books: Books,
) -> PricedBy:
    is_stopped = catalog.store.guardrails.kill_switch or orders.stops_everything
    if (seller := seller_of(lake.store, catalog.store)) is not None:
        return seller.pricing_on(lake, catalog, date, orders, stores, is_stopped=is_stopped)
    if is_stopped:
        return PricedBy(storefront(catalog, policy_without_model(catalog, "static"), orders), "kill_switch")
    if name not in {"static", "rule"}:
        opened = books(catalog, date)
        if opened is not None:
            return _priced_by_book(catalog, opened, orders, stores, is_greedy=name == "greedy")
        if name == "greedy":
            raise DataError(
                f"expected a price book for {date} or before, found none; run `shelfprice train` and `shelfprice price`"
            )
    without = storefront_before_champion(catalog, name, orders)
    return PricedBy(without, without.name)


def _priced_by_book(
    catalog: Catalog, opened: OpenBook, orders: Orders, stores: Sequence[str] | None, *, is_greedy: bool
) -> PricedBy:
    """Return the policy that sells from a price book, or from its curves alone by `greedy`.

    With the belief behind the book its prices are corrected during the day.
    """
    book = opened.found
    if is_greedy:
        curves = opened.day_start().outlook().curves
        policy, budget = GreedyPolicy(curves, costs_that_count(catalog)), catalog.store.exploration.budget
        plan = ExplorationPlan(0.0, curves.prices, np.full(len(catalog.skus), budget))
        store = storefront(catalog, policy, orders, curves, plan)
    else:
        alike = stores_alike(stores or (), kinds_in(catalog, book))
        assert len(alike) < 2, alike  # noqa: S101, PLR2004 - stores of several kinds have no policy in common
        store = storefront_that_learns(catalog, opened.day_start(stores[0] if stores else None), orders)
    return PricedBy(store, f"{store.name}:{book.sha256}", book.book.published_at.date(), book.sha256)


def unknown_price(sku: str, store: str | None) -> str:
    """Say that a product has no price in a store, and what helps."""
    of = "any store" if store is None else store
    return (
        f"expected a price of {sku} in {of} in the last {LOOKS_BACK} days of the log, found none; nothing is quoted or "
        f"sent: ingest sales of it there, or set one with `shelfprice override`"
    )
