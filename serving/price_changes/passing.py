"""Which prices pass without a person: within the shares of the catalog's `approval`, and above cost and margin."""

from functools import lru_cache

import numpy as np

from catalog.limits import not_above, not_below
from catalog.load import Catalog
from catalog.records.product import Product

_KEPT = 16_384  # prices that are asked about again and again: a chain's stores mostly share them


def passing(catalog: Catalog, product: Product, yesterday: float | None) -> tuple[float, float]:
    """Return the lowest and the highest price of a product that pass by themselves, EUR, in whole cents.

    Where no price passes, the one of yesterday does alone, and without one the base price.

    Parameters
    ----------
    yesterday
        Opening price of the day before, EUR; None when unknown.
    """
    rules, rails = catalog.store.approval, catalog.store.guardrails
    lowest, highest = _within_bounds(product.floor, product.ceiling, product.unit_cost * (1 + rails.minimum_margin))
    for center, share in ((yesterday, rules.within_of_yesterday), (product.base_price, rules.within_of_base)):
        if center is not None and share is not None:
            least, most = _around(center, share)
            lowest, highest = max(lowest, least), min(highest, most)
    if lowest > highest:
        stands = product.base_price if yesterday is None else yesterday
        return stands, stands
    return lowest, highest


@lru_cache(_KEPT)
def _within_bounds(floor: float, ceiling: float, cost_plus_margin: float) -> tuple[float, float]:
    """Return the lowest and the highest price in whole cents within bounds; an ending is no matter of approval."""
    lowest = not_below(np.array([floor, cost_plus_margin])).max()
    return float(lowest), float(not_above(np.array([ceiling]))[0])


@lru_cache(_KEPT)
def _around(center: float, share: float) -> tuple[float, float]:
    """Return the lowest and the highest price in whole cents within a share of another one."""
    return float(not_below(np.array([center * (1 - share)]))[0]), float(not_above(np.array([center * (1 + share)]))[0])


def passes(catalog: Catalog, product: Product, yesterday: float | None, price: float) -> bool:
    """Tell whether a price, EUR, passes by itself."""
    lowest, highest = passing(catalog, product, yesterday)
    return lowest <= price <= highest
