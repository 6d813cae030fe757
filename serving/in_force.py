"""Which policy prices a date: the price book in force, or base prices where there is none or the kill switch is on.

In a retailer's lake what stands without a released price is no base price: it is the last regular price of the store's
own shelf.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from catalog.errors import DataError
from catalog.load import Catalog
from catalog.priced_by import PricedBy
from etl.ledger import in_force_in
from etl.live.day import is_live
from serving.belief.policy import morning_of
from serving.belief.table import belief_from_table
from serving.book_store import BookInForce, book_in_force
from serving.cold_start import match_to_shelf
from serving.evidence import evidence
from serving.orders import AtOnce, Orders, at_once_now, orders_on
from serving.own_prices import OwnPrices
from serving.policies import GreedyPolicy, costs_that_count
from serving.storefront import (
    Storefront,
    storefront_at_base_prices,
    storefront_at_shelf_prices,
    storefront_before_champion,
    storefront_that_learns,
    storefront_with_book,
    storefront_with_model,
)
from warehouse.lake import Lake


def pricing_on(
    lake: Lake,
    catalog: Catalog,
    date: dt.date,
    name: str | None = None,
    stores: Sequence[str] | None = None,
    at_once: AtOnce | None = None,
) -> PricedBy:
    """Return the policy that prices a date, with its exploration, what people ordered, and its guardrails.

    Under the kill switch no book is read: base prices, or those of a retailer's own shelves, stand whatever state the
    books are in.

    Parameters
    ----------
    name
        `static`, `rule` or `greedy` in place of what is in force.
    stores
        The stores that are priced; None is every store.
    at_once
        Orders that bind the date although they count from a later moment; None for those that bound it when it was
        sold, or would bind it now.

    Raises
    ------
    DataError
        When `greedy` is asked for and no price book is in force.
    """
    if at_once is None:
        at_once = _at_once_on(lake, catalog, date, stores or catalog.store.stores)
    orders = orders_on(lake, catalog, date, stores, at_once)
    priced_by = _priced_by(lake, catalog, date, name, orders)
    return replace(priced_by, orders_at_once=at_once) if at_once else priced_by


def _at_once_on(lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str]) -> AtOnce:
    """Return the orders that bind a date although they count from later: as its ledger says, if it was sold."""
    found = at_once_now(lake, {store: catalog.store.clock_of(store).opening_of(date) for store in stores})
    if not found:
        return {}
    sold = [part for part in lake.partitions_on("interactions", date) if not is_live(part)]
    if not sold:
        return found
    rows = (row for part in sold for row in in_force_in(lake, date, part.group))
    return {store: names for row in rows for store, names in row.at_once.items()}


def _priced_by(lake: Lake, catalog: Catalog, date: dt.date, name: str | None, orders: Orders) -> PricedBy:
    if catalog.store.guardrails.kill_switch or orders.stops_everything:
        standing = evidence().shelf_prices(lake, catalog, date)
        stopped = (
            storefront_at_base_prices(catalog, orders)
            if standing is None
            else storefront_at_shelf_prices(catalog, standing, orders)
        )
        return _told_apart(PricedBy(stopped, "kill_switch"), orders)
    if name not in {"static", "rule"}:
        found = book_in_force(lake, date)
        if found is not None:
            own = evidence().own_prices_under(lake, catalog, date, found.book.published_at.date())
            return pricing_by_book(catalog, found, orders, own, is_greedy=name == "greedy")
        if name == "greedy":
            raise DataError(
                f"expected a price book for {date} or before, found none; run `shelfprice train` and `shelfprice price`"
            )
    standing = evidence().shelf_prices(lake, catalog, date) if name is None else None
    without = (
        storefront_before_champion(catalog, name, orders)
        if standing is None
        else storefront_at_shelf_prices(catalog, standing, orders)
    )
    return _told_apart(PricedBy(without, without.name), orders)


def pricing_by_book(
    catalog: Catalog,
    found: BookInForce,
    orders: Orders | None = None,
    own: OwnPrices | None = None,
    *,
    is_greedy: bool = False,
) -> PricedBy:
    """Return the policy that sells from a price book, or from its curves alone by `greedy`.

    With the belief behind the book its prices are corrected during the day. `own` are the prices of a retailer's own
    shelves, which stand where the book releases none.
    """
    made_for = found.book.published_at.date()
    if found.belief is not None and not is_greedy:
        morning = morning_of(catalog, *belief_from_table(found.belief, catalog))
        store: Storefront = storefront_that_learns(catalog, morning, orders)
    else:
        book, curves = match_to_shelf(catalog, found.book, found.curves)
        if is_greedy:
            policy = GreedyPolicy(curves, costs_that_count(catalog))
            store = storefront_with_model(catalog, policy, curves, orders)
        else:
            store = storefront_with_book(catalog, book, curves, orders, own)
    return _told_apart(PricedBy(store, f"{store.name}:{found.sha256}", made_for, found.sha256), orders)


def _told_apart(priced_by: PricedBy, orders: Orders | None) -> PricedBy:
    """Return what prices a date with a fingerprint that tells what people ordered, where they did."""
    if orders is None or not orders.orders:
        return priced_by
    return replace(
        priced_by, fingerprint=f"{priced_by.fingerprint}:{orders.fingerprint}", orders_sha256=orders.fingerprint
    )
