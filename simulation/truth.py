"""True demand: the twin's chance of a sale, known in closed form. Every model and policy is judged against it."""

import datetime as dt

import numpy as np
from scipy.special import ndtr

from catalog.arrays import Floats
from catalog.load import Catalog
from simulation.visits import budget_shifts_on


def chance_of_sale(catalog: Catalog, price_ratio: Floats, budget_shift: Floats | float = 0.0) -> Floats:
    """P(buy) with stock on the shelf: the personas' mixture of P(multiplier >= price / base price).

    Parameters
    ----------
    price_ratio
        Price over base price, any shape.
    budget_shift
        Shift of everyone's multiplier, broadcast against `price_ratio`.
    """
    ratio = np.asarray(price_ratio) - budget_shift
    chance = np.zeros_like(ratio, dtype=float)
    for persona in catalog.store.personas:
        chance += persona.share * ndtr((persona.mean - ratio) / persona.standard_deviation)
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
    return chance_of_sale(catalog, price_ratio, budget_shifts_on(catalog, business_date)[:, None])
