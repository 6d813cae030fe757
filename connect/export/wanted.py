"""What each store has to show next: what holds from its next tick on, with what a label says beside the price.

Of a store that is being sold, a policy's price is known when its tick begins, so it is sent then; what people set is
known before. Of any other store the prices of the next opening are sent, as the policy in force asks for them without
exploring; so also from a store's last tick on, before its day is closed, and anew when the night has made its book.
A product whose price in a store nobody knows is left out: nothing is sent that nobody released.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import replace

from catalog.load import Catalog
from connect.export.batch import ShelfPrice
from desk.price_changes.change import PriceChange
from etl.live.store_now import StoreNow, stores_now
from serving.orders import Source
from serving.standing.standing import StoreStanding, standings
from warehouse.lake import Lake


def clocks_of(lake: Lake, catalog: Catalog, stores: Sequence[str]) -> dict[str, dt.datetime]:
    """Return when the next tick of each store begins that is not sold yet, UTC, in the time of the stores."""
    return {store: now.moment for store, now in stores_now(lake, catalog, stores).items()}


def wanted_of(lake: Lake, catalog: Catalog, stores: dict[str, StoreNow]) -> dict[str, list[ShelfPrice]]:
    """Return what each of some stores has to show next."""
    return {store: _shelf_prices(found) for store, found in standings(lake, catalog, stores).items()}


def _shelf_prices(found: StoreStanding) -> list[ShelfPrice]:
    rows = zip(found.catalog.skus, found.prices.tolist(), found.since, strict=True)
    prices = (ShelfPrice(sku, price, since) for sku, price, since in rows if math.isfinite(price))
    return [_per_unit(found.catalog, _announced(own, found.order_of(own.sku))) for own in prices]


def _per_unit(catalog: Catalog, own: ShelfPrice) -> ShelfPrice:
    """Return a price with that of one unit of measure, where the catalog has one."""
    measure = catalog.product(own.sku).measure
    if measure is None:
        return own
    price, unit = measure.per_unit(own.price)
    return replace(own, unit_price=round(price, catalog.store.money.digits), unit=unit)


def _announced(own: ShelfPrice, order: Source | None) -> ShelfPrice:
    """Return a price with the one that it has to name where it is announced as a reduction."""
    if not isinstance(order, PriceChange) or not order.terms.announced or order.terms.new_price != own.price:
        return own
    return replace(own, prior_price=order.terms.prior_price)
