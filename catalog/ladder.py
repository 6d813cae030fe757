"""The price ladder: the candidate prices of each product."""

import numpy as np

from catalog.arrays import Floats
from catalog.load import Catalog


def price_ladder(catalog: Catalog) -> Floats:
    """Return candidate prices, EUR, ascending from floor to ceiling, shape (n_products, n_prices).

    Prices are whole smallest units of the currency within floor and ceiling; a cheap product may have one price twice.
    """
    floors = np.array([product.floor for product in catalog.products])
    ceilings = np.array([product.ceiling for product in catalog.products])
    steps = np.linspace(0.0, 1.0, catalog.store.ladder_prices)
    exact = floors[:, None] + (ceilings - floors)[:, None] * steps
    return np.clip(np.round(exact, catalog.store.money.digits), floors[:, None], ceilings[:, None])
