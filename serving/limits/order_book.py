"""Who keeps what people ordered, and what holds of it on a date.

A wing that keeps people's orders registers for `shelfprice.orders`. Without one, a lake in which people ordered
something is refused: a kill switch must not be forgotten because a package is missing.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from catalog.hooks import ORDERS
from catalog.load import Catalog
from serving.limits.orders import AtOnce, Orders, PriceOrder
from serving.limits.rival_caps import rival_caps
from warehouse.lake import Lake


class OrderBook(Protocol):
    """Whoever keeps what people ordered."""

    def orders_on(
        self,
        lake: Lake,
        catalog: Catalog,
        date: dt.date,
        stores: Sequence[str] | None = None,
        at_once: AtOnce | None = None,
    ) -> Orders:
        """See `serving.limits.order_book.orders_on`."""
        ...

    def at_once_now(self, lake: Lake, moments: Mapping[str, dt.datetime]) -> AtOnce:
        """See `serving.limits.order_book.at_once_now`."""
        ...


def orders_on(
    lake: Lake, catalog: Catalog, date: dt.date, stores: Sequence[str] | None = None, at_once: AtOnce | None = None
) -> Orders:
    """Return the orders of a date, the prices of the catalog's events on it, and what rivals' prices allow.

    Any order of a person ends an event.

    Parameters
    ----------
    stores
        The stores that are priced; None is every store of the catalog.
    at_once
        Orders that bind the date although they count from a later moment.
    """
    book, n_ticks, caps = _order_book(lake), catalog.store.opening.ticks, rival_caps(lake, catalog, date)
    events = tuple(
        PriceOrder(sku, None, price, price, "event", 0, n_ticks)
        for event in catalog.store.guardrails.frozen_during
        if event.holds_on(date)
        for sku, price in event.prices.items()
    )
    if book is None:
        return Orders(events, catalog.skus, n_ticks, caps)
    of_people = book.orders_on(lake, catalog, date, stores, at_once)
    return replace(of_people, orders=(*events, *of_people.orders), rival_caps=caps)


def at_once_now(lake: Lake, moments: Mapping[str, dt.datetime]) -> AtOnce:
    """Return by store the ids of orders that count from later than the tick that the store sells next.

    What people ordered at once holds at the next tick whatever it is: a store may sell a date that it left out, sell a
    day again from its opening, or open earlier since.

    Parameters
    ----------
    moments
        When the next tick of each store begins, UTC.
    """
    book = _order_book(lake)
    return {} if book is None else book.at_once_now(lake, moments)


def _order_book(lake: Lake) -> OrderBook | None:
    """Return what keeps people's orders; None where nothing does and nobody ordered anything.

    Raises
    ------
    SettingError
        When people ordered something, and nothing here can read it.
    """
    book = ORDERS.only()
    if book is None and any(lake.partitions("price_changes")):
        ORDERS.needed("price changes of people in the lake")
    return book
