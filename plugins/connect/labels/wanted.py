"""The prices that each store has to show from its next tick on, with what a label prints beside the price.

While a store is sold, a policy's price is known when its tick begins, and is sent then; prices that people set are
known before. Any other store gets the prices of its next opening, as the policy in force sets them without exploration:
from the last tick of a day on, and again when the night has made another book. A product without a known price in a
store is left out: nothing is sent that nobody released.
"""

import math
from dataclasses import replace

from catalog.load import Catalog
from etl.calendar import StoreNow
from plugins.connect.labels.batch import ShelfPrice
from plugins.desk.price_changes.change import PriceChange
from plugins.desk.standing import StoreStanding, standings
from warehouse.lake import Lake


def wanted_of(lake: Lake, catalog: Catalog, stores: dict[str, StoreNow]) -> dict[str, list[ShelfPrice]]:
    """Return the prices that each of some stores has to show next."""
    return {store: shelf_prices(standing) for store, standing in standings(lake, catalog, stores).items()}


def shelf_prices(standing: StoreStanding) -> list[ShelfPrice]:
    """Return the prices that a store has to show next."""
    rows = zip(standing.catalog.skus, standing.prices.tolist(), standing.details.since, strict=True)
    return [
        _on_label(standing.catalog, ShelfPrice(sku, price, since), standing.order_of(sku))
        for sku, price, since in rows
        if math.isfinite(price)
    ]


def _on_label(catalog: Catalog, price: ShelfPrice, order: PriceChange | None) -> ShelfPrice:
    """Add the price of one unit of measure, and the prior price that an announced reduction has to name."""
    if order is not None and order.terms.announced and order.terms.new_price == price.price:
        price = replace(price, prior_price=order.terms.prior_price)
    measure = catalog.product(price.sku).measure
    if measure is not None:
        per_unit, unit = measure.per_unit(price.price)
        price = replace(price, unit_price=round(per_unit, catalog.store.money.digits), unit=unit)
    return price
