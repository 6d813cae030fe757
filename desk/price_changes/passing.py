"""Which prices pass without a person: within the shares of the catalog's `approval`, and above cost and margin."""

from functools import lru_cache

import numpy as np

from catalog.currency import Currency
from catalog.limits import not_above, not_below
from catalog.load import Catalog
from catalog.records.product import Product

_KEPT = 16_384  # prices that are asked about again and again: a chain's stores mostly share them


def passing(catalog: Catalog, product: Product, yesterday: float | None) -> tuple[float, float]:
    """Return the lowest and the highest price of a product that pass by themselves, in whole smallest units.

    Where no price passes, the one of yesterday does alone, and without one the base price.

    Parameters
    ----------
    yesterday
        Opening price of the day before, EUR; None when unknown.
    """
    rules, rails, money = catalog.store.approval, catalog.store.guardrails, catalog.store.money
    least_paid = product.unit_cost * (1 + rails.margin_of(product.category))
    lowest, highest = _within_bounds(money, product.floor, product.ceiling, least_paid)
    for center, share in ((yesterday, rules.within_of_yesterday), (product.base_price, rules.within_of_base)):
        if center is not None and share is not None:
            least, most = _around(money, center, share)
            lowest, highest = max(lowest, least), min(highest, most)
    if lowest > highest:
        stands = product.base_price if yesterday is None else yesterday
        return stands, stands
    return lowest, highest


@lru_cache(_KEPT)
def _within_bounds(money: Currency, floor: float, ceiling: float, cost_plus_margin: float) -> tuple[float, float]:
    """Return the lowest and the highest possible price within bounds; an ending is no matter of approval."""
    lowest = not_below(np.array([floor, cost_plus_margin]), money=money).max()
    return float(lowest), float(not_above(np.array([ceiling]), money=money)[0])


@lru_cache(_KEPT)
def _around(money: Currency, center: float, share: float) -> tuple[float, float]:
    """Return the lowest and the highest possible price within a share of another one."""
    least, most = np.array([center * (1 - share)]), np.array([center * (1 + share)])
    return float(not_below(least, money=money)[0]), float(not_above(most, money=money)[0])


def passes(catalog: Catalog, product: Product, yesterday: float | None, price: float) -> bool:
    """Tell whether a price, EUR, passes by itself."""
    lowest, highest = passing(catalog, product, yesterday)
    return lowest <= price <= highest
