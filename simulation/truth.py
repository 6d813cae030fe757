"""True demand: the twin's chance of a sale, known in closed form. Every model and policy is judged against it.

It is that of a first visit. A shopper who waits and looks again buys with another chance, which depends on the prices
since (`simulation.selling`); where `waiting_share` is above 0, it is therefore not quite that of a logged decision.
"""

import datetime as dt

import numpy as np
from scipy.special import ndtr

from catalog.arrays import Floats, Ints
from catalog.load import Catalog
from simulation.draws import Personas, products_by_personas
from simulation.visits import budget_shifts_on


def chance_of_sale(
    catalog: Catalog, price_ratio: Floats, budget_shift: Floats | float = 0.0, product: Ints | None = None
) -> Floats:
    """P(buy) with stock on the shelf: the personas' mixture of P(multiplier >= price / base price).

    Parameters
    ----------
    price_ratio
        Price over base price, any shape.
    budget_shift
        Shift of everyone's multiplier, broadcast against `price_ratio`.
    product
        Position of the product on the shelf, broadcast against `price_ratio`; None is one whose shoppers are the
        store's own personas.
    """
    ratio = np.asarray(price_ratio) - budget_shift
    kinds = products_by_personas(catalog)
    if product is None or len(kinds) == 1:
        return _mixture(catalog.store.personas if product is None else kinds[0][0], ratio)
    chance, of_product = np.empty_like(ratio, dtype=float), np.broadcast_to(product, ratio.shape)
    for personas, products in kinds:
        own = np.isin(of_product, products)
        chance[own] = _mixture(personas, ratio[own])
    return chance


def chance_on(catalog: Catalog, business_date: dt.date, price_ratio: Floats) -> Floats:
    """P(buy) on a date, its shocks included.

    Parameters
    ----------
    price_ratio
        Price over base price, shape (n_products, n_prices).

    Returns
    -------
    Floats
        Probabilities, shape (n_products, n_prices).
    """
    products = np.arange(len(catalog.products))[:, None]
    return chance_of_sale(catalog, price_ratio, budget_shifts_on(catalog, business_date)[:, None], products)


def _mixture(personas: Personas, ratio: Floats) -> Floats:
    chance = np.zeros_like(ratio, dtype=float)
    for persona in personas:
        chance += persona.share * ndtr((persona.mean - ratio) / persona.standard_deviation)
    return chance
