"""What a regression on the price alone would say, or on the price and everything else that moves demand.

The second can be had only where the truth is planted. It is the proof that the log holds the slope that was planted.
"""

import math
from typing import NamedTuple

import numpy as np

from catalog.arrays import Floats
from evaluation.planted.planted_world import PlantedWorld
from evaluation.planted.retailer_log import PlantedSales
from own_data.exports.columns import Grain

_STEPS = 30
_CLOSE = 1e-9


class Slopes(NamedTuple):
    """Change of the log odds, or of the log rate, per unit of log price, and its error, shape (n_products,).

    NaN where a price never varied or nothing was sold.
    """

    estimate: Floats
    error: Floats


def slopes(world: PlantedWorld, sales: PlantedSales, grain: Grain, *, knowing_the_rest: bool) -> Slopes:
    """Regress each product's sales on its log price: logistic for visits, else Poisson.

    Parameters
    ----------
    knowing_the_rest
        Whether what moves demand beside the price is known and taken out.
    """
    rest = np.broadcast_to(world.shift[..., None] if knowing_the_rest else 0.0, world.price.shape)
    fields = world.log_price, rest, sales.exposure, sales.sold
    by_product = (field.transpose(2, 0, 1, 3).reshape(len(world.slope), -1) for field in fields)
    fitted = np.array([_slope(*data, is_count=grain != "visits") for data in zip(*by_product, strict=True)])
    return Slopes(fitted[:, 0], fitted[:, 1])


def _slope(log_price: Floats, offset: Floats, exposure: Floats, sold: Floats, *, is_count: bool) -> tuple[float, float]:
    """Fit a level and a slope by Newton's method; return the slope and its error."""
    if np.ptp(log_price) == 0 or not sold.any():
        return math.nan, math.nan
    X = np.column_stack([np.ones(len(log_price)), log_price])
    beta = np.array([np.log(sold.sum() / exposure.sum()), 0.0])
    for _ in range(_STEPS):
        moved = X @ beta + offset
        mean = np.exp(moved) if is_count else 1 / (1 + np.exp(-moved))
        weight = exposure * mean * (1.0 if is_count else 1 - mean)
        information = X.T @ (X * weight[:, None])
        step = np.linalg.solve(information, X.T @ (sold - exposure * mean))
        beta += step
        if np.abs(step).max() < _CLOSE:
            break
    return float(beta[1]), float(np.sqrt(np.linalg.inv(information)[1, 1]))
