"""Which prices pass without a person: within the shares of the catalog's `approval`, and above cost and margin."""

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.limits import not_above, not_below
from catalog.load import Catalog


def passing(catalog: Catalog, products: slice | Ints, yesterday: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and the highest price of products that pass by themselves, in whole smallest units.

    Where no price passes, the one of yesterday does alone. Without one, the base price is that of yesterday: its owner
    released it. An ending is no matter of approval.

    Parameters
    ----------
    products
        Which of the catalog they are: all of them, or their positions.
    yesterday
        Prices of the day before, EUR, shape (..., n_products), which is that of the results; NaN when unknown.
    """
    rules, money = catalog.store.approval, catalog.store.money
    bounds, base = catalog.whole_bounds.among(products), catalog.base_prices[products]
    lowest, highest = (np.broadcast_to(own, yesterday.shape) for own in (bounds.lowest, bounds.ceilings))
    yesterday = np.where(np.isnan(yesterday), base, yesterday)
    for center, share in ((yesterday, rules.within_of_yesterday), (base, rules.within_of_base)):
        if share is not None:
            lowest = np.fmax(lowest, not_below(center * (1 - share), money=money))
            highest = np.fmin(highest, not_above(center * (1 + share), money=money))
    return np.where(lowest > highest, yesterday, lowest), np.where(lowest > highest, yesterday, highest)
