"""How likely the sales of some products are, and how that curves in the coefficients and levels of their demand."""

from typing import NamedTuple

import numba
import numpy as np

from catalog.arrays import Floats, Ints
from serving.belief.sales import FIRST_OF_WEEKEND, Sales

_MOST_EFFECTS = 6  # that a sale can have: knot, hour, weekday, weekend, and level and slope of a state


class Likelihood(NamedTuple):
    """Log likelihood of all sales, and its curvature and gradient.

    Attributes
    ----------
    log
        The log likelihood.
    weight, weight_by_day, weight_of_day
        Curvature in the coefficients, between them and each day's level, and in that, shape (n_products, size, size),
        (n_products, size, n_days) and (n_products, n_days).
    slope, slope_of_day
        Gradient in the coefficients and in each day's level, shape (n_products, size) and (n_products, n_days).
    """

    log: float
    weight: Floats
    weight_by_day: Floats
    weight_of_day: Floats
    slope: Floats
    slope_of_day: Floats


class Places(NamedTuple):
    """Positions of the weekend's, the first hour's and the first state's effect among a product's coefficients."""

    weekend: int
    hours: int
    states: int


def likelihood(
    sales: Sales,
    starts: Ints,
    state_of_day: Ints,
    places: Places,
    knots: tuple[Floats, Floats],
    at: tuple[Floats, Floats],
) -> Likelihood:
    """Return how likely the sales of some products are.

    Parameters
    ----------
    starts
        As in `Sales`, of these products.
    knots
        Price over base price, and the log odds beforehand at it, each shape (n_products, n_knots).
    at
        Coefficients, shape (n_products, size), and levels of the days, shape (n_products, n_days).
    """
    rows = (starts, sales.day, sales.hour, sales.knot, sales.met, sales.bought)
    return Likelihood(*_gathered(rows, (sales.weekdays, state_of_day), places, knots, at))


@numba.njit(cache=True, nogil=True)
def _gathered(
    rows: tuple[Ints, Ints, Ints, Ints, Floats, Floats],
    days: tuple[Ints, Ints],
    places: tuple[int, int, int],
    knots: tuple[Floats, Floats],
    at: tuple[Floats, Floats],
) -> tuple[float, Floats, Floats, Floats, Floats, Floats]:
    starts, day, hour, knot, met, bought = rows
    weekdays, state_of_day = days
    weekend, hours, states = places
    ratios, mean = knots
    coefficients, levels = at
    n_products, size = coefficients.shape
    n_days = levels.shape[1]
    weight = np.zeros((n_products, size, size))
    weight_by_day = np.zeros((n_products, size, n_days))
    weight_of_day = np.zeros((n_products, n_days))
    slope = np.zeros((n_products, size))
    slope_of_day = np.zeros((n_products, n_days))
    likely = 0.0
    place, factor = np.empty(_MOST_EFFECTS, dtype=np.int64), np.ones(_MOST_EFFECTS)
    for product in range(n_products):
        for row in range(starts[product], starts[product + 1]):
            date, own = day[row], knot[row]
            place[0], place[1], place[2] = own, hours + hour[row], weekend + 1 + weekdays[date]
            n = 3
            if weekdays[date] >= FIRST_OF_WEEKEND:
                place[n] = weekend
                n += 1
            if state_of_day[date] > 0:
                place[n] = states + 2 * (state_of_day[date] - 1)
                place[n + 1] = place[n] + 1
                factor[n + 1] = ratios[product, own] - 1
                n += 2
            odds = mean[product, own] + levels[product, date]
            for i in range(n):
                odds += factor[i] * coefficients[product, place[i]]
            chance = 1 / (1 + np.exp(-odds))
            likely += bought[row] * odds - met[row] * (max(odds, 0.0) + np.log1p(np.exp(-abs(odds))))
            curved, left = met[row] * chance * (1 - chance), bought[row] - met[row] * chance
            weight_of_day[product, date] += curved
            slope_of_day[product, date] += left
            for i in range(n):
                slope[product, place[i]] += factor[i] * left
                weight_by_day[product, place[i], date] += factor[i] * curved
                for j in range(n):
                    weight[product, place[i], place[j]] += factor[i] * factor[j] * curved
            factor[n - 1] = 1.0
    return likely, weight, weight_by_day, weight_of_day, slope, slope_of_day
