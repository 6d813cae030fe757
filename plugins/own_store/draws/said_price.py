"""An owner says a new shelf price of a product whose prices are drawn; see `plugins.own_store.draws.drawn_prices`."""

import datetime as dt

import numpy as np

from catalog.errors import DataError, Declined
from plugins.own_store.draws.approved_designs import refuse_the_twin
from plugins.own_store.draws.drawn_prices import SAID, draw_on
from plugins.own_store.draws.numbered_records import add_record
from warehouse.commits.locks import held
from warehouse.origin import newest_closed
from warehouse.workspace import Workspace


def say_shelf_price(workspace: Workspace, sku: str, price: float, store: str | None, reason: str) -> str:
    """Record the owner's new price of a product, in one store or in all, and say from when it counts.

    Raises
    ------
    Declined
        When the product is not drawn, for what its tills charge is its own price; or the twin plays the stores.
    DataError
        When the price is no whole number of the smallest unit, or there is no such store.
    """
    lake, catalog = workspace.lake, workspace.catalog
    money, product = catalog.store.money, catalog.product(sku)
    refuse_the_twin(lake.store, catalog.store, "nothing was recorded: change `base_price` in products.yaml")
    if store is not None and store not in catalog.store.stores:
        raise DataError(
            f"expected a store of store.yaml, such as {catalog.store.stores[0]}, found {store!r}; nothing was recorded"
        )
    if abs(price - round(price, money.digits)) > 1e-9 or price <= 0:  # noqa: PLR2004 - noise of floating point
        raise DataError(
            f"expected a price above 0 with {money.digits} digits at most, found {price}; nothing was recorded"
        )
    with held(workspace.settings.locks, SAID):
        draw, sold = draw_on(lake, catalog, dt.date.max), newest_closed(lake)
        if draw is None or sold is None or not np.isfinite(draw.shelf_prices[:, catalog.skus.index(sku)]).any():
            raise Declined(
                f"expected a product whose prices are drawn, found {sku}, whose are not; nothing was recorded: charge "
                "the new price at the tills, and the sales tell it"
            )
        record = {
            "only_store": store,
            "sku": product.sku,
            "price": price,
            "from_date": sold + dt.timedelta(days=1),
            "drawn_through": draw.through,
            "reason": reason,
            "said_by": workspace.settings.user,
            "said_at": dt.datetime.now(dt.UTC),
        }
        add_record(lake, SAID, record, "said_at")
    return (
        f"{product.name}: {money.format_money(price)} is the shelf price in {store or 'every store'} from the draw "
        f"after {draw.through} on. What was drawn until then stands; prices move to the new band by steps."
    )
