"""Which prices pass without a person: within the shares of the catalog's `approval`, and above cost and margin."""

import numpy as np

from catalog.limits import not_above, not_below, price_bounds
from catalog.load import Catalog
from catalog.records.product import Product


def passing(catalog: Catalog, product: Product, yesterday: float | None) -> tuple[float, float]:
    """Return the lowest and the highest price of a product that pass by themselves, in whole smallest units.

    Where no price passes, the one of yesterday does alone, and without one the base price.

    Parameters
    ----------
    yesterday
        Opening price of the day before, EUR; None when unknown.
    """
    rules, rails, money = catalog.store.approval, catalog.store.guardrails, catalog.store.money
    bounds = price_bounds([product], rails.model_copy(update={"price_ending": None}), money)
    lowest, highest = float(bounds.lowest[0]), float(bounds.ceilings[0])
    for center, share in ((yesterday, rules.within_of_yesterday), (product.base_price, rules.within_of_base)):
        if center is not None and share is not None:
            lowest = max(lowest, float(not_below(np.array([center * (1 - share)]), money=money)[0]))
            highest = min(highest, float(not_above(np.array([center * (1 + share)]), money=money)[0]))
    if lowest > highest:
        stands = product.base_price if yesterday is None else yesterday
        return stands, stands
    return lowest, highest


def passes(catalog: Catalog, product: Product, yesterday: float | None, price: float) -> bool:
    """Tell whether a price, EUR, passes by itself."""
    lowest, highest = passing(catalog, product, yesterday)
    return lowest <= price <= highest
