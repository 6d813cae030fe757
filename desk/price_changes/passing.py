"""Which prices pass without a person: within the shares of the catalog's `approval`, and above cost and margin."""

from collections.abc import Sequence

import numpy as np

from catalog.arrays import Floats
from catalog.limits import not_above, not_below, price_bounds
from catalog.load import Catalog
from catalog.records.product import Product


def passing(catalog: Catalog, products: Sequence[Product], yesterday: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and the highest price of products that pass by themselves, in whole smallest units.

    Where no price passes, the one of yesterday does alone, and without one the base price. An ending is no matter of
    approval.

    Parameters
    ----------
    yesterday
        Opening prices of the day before, EUR, shape (..., n_products), which is that of the results; NaN when unknown.
    """
    rules, money = catalog.store.approval, catalog.store.money
    bounds = price_bounds(products, catalog.store.guardrails.model_copy(update={"price_ending": None}), money)
    base = np.array([product.base_price for product in products])
    lowest, highest = (np.broadcast_to(own, yesterday.shape) for own in (bounds.lowest, bounds.ceilings))
    for center, share in ((yesterday, rules.within_of_yesterday), (base, rules.within_of_base)):
        if share is not None:
            lowest = np.fmax(lowest, not_below(center * (1 - share), money=money))
            highest = np.fmin(highest, not_above(center * (1 + share), money=money))
    stands = np.where(np.isnan(yesterday), base, yesterday)
    return np.where(lowest > highest, stands, lowest), np.where(lowest > highest, stands, highest)
