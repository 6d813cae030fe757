"""What a unit of stock is worth, and the price that follows: backward induction over stock and time.

Selling a unit now forgoes what it would bring later, so the best price maximises (price - value of a unit kept) x
chance of sale. After Gallego and van Ryzin, "Optimal dynamic pricing of inventories with stochastic demand over finite
horizons" (Management Science, 1994), in ticks: the price stands for a tick, and sales in it are Poisson.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints

_VALUES_TRIED = 64
_TAIL = 8.0  # standard deviations of a Poisson count after which nothing is left to add


@dataclass(frozen=True)
class ProductsToSolve:
    """Products whose recursion is to be solved.

    Attributes
    ----------
    gains, chances, choosable
        What one sale brings, EUR, its chance, and whether a price may be chosen, shape (n_products, n_prices). Chances
        that differ by tick have that axis first, (n_ticks, n_products, n_prices), and end at closing.
    visits
        Visits expected per store day, shape (n_products, n_ticks).
    n_levels
        Stock levels, 0 included.
    """

    gains: Floats
    chances: Floats
    choosable: Flags
    visits: Floats
    n_levels: int


class Solved(NamedTuple):
    """The best price and what a unit more is worth, each of shape (n_ticks, n_products, n_levels).

    Attributes
    ----------
    best
        Position of the best price; position t of the first axis has t + 1 ticks left.
    unit_value
        What the last unit of a stock level earns until closing in the ticks after this one, EUR.
    """

    best: NDArray[np.unsignedinteger[Any]]
    unit_value: NDArray[np.floating[Any]]


def rates_of(chances: Floats, visits: Floats) -> Floats:
    """Return the units of one product that would sell on average at each candidate in each tick.

    Parameters
    ----------
    chances
        Chance of sale at each candidate, shape (n_prices,); or, where it differs by tick, (n_ticks, n_prices). Of more
        ticks than are left, the last ones count.
    visits
        Expected visits in each tick that is left, shape (n_ticks,).

    Returns
    -------
    Floats
        Shape (n_prices, n_ticks).
    """
    if chances.ndim == 1:
        return np.outer(chances, visits)
    return np.ascontiguousarray(chances[len(chances) - len(visits) :].T) * visits


def usual_unit_values(gains: Floats, chances: Floats, visits: Floats, units: Floats) -> Floats:
    """Return what a unit kept is worth on a day on which exactly as many buy as expected, EUR, shape (n_products,).

    It is the least value at which no more would buy, at the price that is best for it, than there are units: 0 where
    stock is ample. It takes no recursion, and is near its value for a full shelf.

    Parameters
    ----------
    gains, chances
        What one sale brings at each candidate, EUR, and its chance, shape (n_products, n_prices).
    visits, units
        Visits expected until closing, and units on the shelf, shape (n_products,).
    """
    tried = np.linspace(0.0, 1.0, _VALUES_TRIED)[:, None] * np.maximum(gains.max(axis=1), 0.0)
    best = ((gains - tried[:, :, None]) * chances).argmax(axis=2)
    sold = visits * np.take_along_axis(chances, best.T, axis=1).T
    enough = sold <= units
    first = np.where(enough.any(axis=0), enough.argmax(axis=0), _VALUES_TRIED - 1)
    return np.asarray(np.take_along_axis(tried, first[None], axis=0)[0])


@numba.njit(cache=True, nogil=True)
def price_stock(gains: Floats, rates: Floats, n_levels: int, at_closing: Floats) -> tuple[Ints, Floats]:
    """Find the best candidate for every stock level and every number of ticks left, for one product.

    Parameters
    ----------
    gains
        What one sale brings at each candidate, EUR: its price, or price less cost, shape (n_prices,).
    rates
        Units that would sell on average at each candidate in each tick of the day, shape (n_prices, n_ticks). Visits x
        chance of sale is one way to get them.
    n_levels
        Stock levels, 0 included.
    at_closing
        What units left are worth then, EUR, shape (n_levels,); an empty shelf is worth 0.

    Returns
    -------
    best : Ints
        Position of the best candidate, shape (n_levels, n_ticks); position t stands for t + 1 ticks left.
    value : Floats
        Expected gain until closing and worth of what is left, EUR, shape (n_levels, n_ticks + 1); position t stands for
        t ticks left.
    """
    n_ticks = rates.shape[1]
    best = np.zeros((n_levels, n_ticks), dtype=np.int64)
    value = np.zeros((n_levels, n_ticks + 1))
    expected, later = np.zeros(n_levels), at_closing.copy()
    for stock in range(n_levels):  # to assign an array to a slice takes seconds to compile
        value[stock, 0] = later[stock]
    for left in range(1, n_ticks + 1):
        value[1:, left] = -np.inf
        for candidate in range(len(gains)):
            chances = chances_of_sales(rates[candidate, n_ticks - left], n_levels - 1)
            expected_gains(gains[candidate], chances, later, expected, 1, n_levels)
            for stock in range(1, n_levels):
                if expected[stock] > value[stock, left]:
                    value[stock, left] = expected[stock]
                    best[stock, left - 1] = candidate
        for stock in range(n_levels):
            later[stock] = value[stock, left]
    return best, value


def worth_of_each(gains: Floats, rates: Floats, later: Floats, stock: int) -> Floats:
    """Return what each candidate is worth that stands for one tick: what it gains, and what is left after it, EUR.

    Parameters
    ----------
    gains, rates
        What one sale brings, EUR, and the units that would sell on average in the tick, shape (n_prices,).
    later
        What stock levels are worth after the tick, EUR, shape (n_levels,), and the level before it.
    """
    levels = later[: stock + 1]
    each = (price_stock(gains[[own]], rates[[own], None], stock + 1, levels)[1] for own in range(len(gains)))
    return np.array([value[stock, 1] for value in each])


@numba.njit(cache=True, nogil=True)
def value_of_prices(gains: Floats, rates: Floats, at_closing: Floats) -> Floats:
    """Work out what given prices of one product gain until closing: the same recursion, with nothing to choose.

    Parameters
    ----------
    gains, rates
        What one sale brings at the price shown in each state, EUR, and the units that would sell on average in that
        tick, shape (n_levels, n_ticks); position t stands for t + 1 ticks left.
    at_closing
        As in `price_stock`.

    Returns
    -------
    Floats
        EUR, shape (n_levels, n_ticks + 1); position t stands for t ticks left.
    """
    n_levels, n_ticks = gains.shape
    value = np.zeros((n_levels, n_ticks + 1))
    value[:, 0] = at_closing
    expected, later = np.zeros(n_levels), at_closing.copy()
    for left in range(1, n_ticks + 1):
        first = 1
        while first < n_levels:  # most levels show the price of the one below: all that do are worked out together
            gain, rate, end = gains[first, left - 1], rates[first, left - 1], first + 1
            while end < n_levels and gains[end, left - 1] == gain and rates[end, left - 1] == rate:
                end += 1
            expected_gains(gain, chances_of_sales(rate, n_levels - 1), later, expected, first, end)
            first = end
        value[:, left] = expected
        later[:] = expected
    return value


@numba.njit(cache=True, nogil=True)
def chances_of_sales(mean: float, most: int) -> Floats:
    """Chances of 0, 1, 2 ... shoppers who would buy in a tick, until nothing is left to add or `most` is reached."""
    last = min(most, int(mean + _TAIL * np.sqrt(mean) + _TAIL))
    chances = np.zeros(last + 1)
    chances[0] = np.exp(-mean)
    for sold in range(1, last + 1):
        chances[sold] = chances[sold - 1] * mean / sold
    return chances


@numba.njit(cache=True, nogil=True)
def expected_gains(gain: float, chances: Floats, later: Floats, expected: Floats, first: int, end: int) -> None:
    """Write the gain of this tick and of what is left after it, EUR, of the stock levels `first`, above 0, to `end`.

    Whatever the chances leave over sells all of a level. Each level adds its terms in the same order, whatever the
    others are; levels stand side by side, so a processor adds several at a time.
    """
    rest = 1.0
    expected[first:end] = 0.0
    for sold in range(len(chances)):
        if first <= sold < end:
            expected[sold] += max(rest, 0.0) * sold * gain  # this level is sold out: the rest of the chances sell all
        chance, now, lowest = chances[sold], sold * gain, max(first, sold + 1)
        higher, left_over = expected[lowest:end], later[lowest - sold :]
        for level in range(len(higher)):
            higher[level] += chance * (now + left_over[level])
        rest -= chance
    for stock in range(max(first, len(chances)), end):
        expected[stock] += max(rest, 0.0) * stock * gain


def solve(shelf: ProductsToSolve) -> Solved:
    """Solve the recursion of products, one after another."""
    n_products, n_ticks = shelf.visits.shape
    shape = n_ticks, n_products, shelf.n_levels
    best = np.zeros(shape, dtype=np.min_scalar_type(shelf.gains.shape[1]))
    unit_value = np.zeros(shape)
    rows = zip(shelf.gains, np.moveaxis(shelf.chances, -2, 0), shelf.choosable, shelf.visits, strict=True)
    for product, (gains, chances, is_choosable, visits) in enumerate(rows):
        among = np.flatnonzero(is_choosable)
        rates = rates_of(chances[..., among], visits)
        positions, values = price_stock(gains[among], rates, shelf.n_levels, np.zeros(shelf.n_levels))
        best[:, product], unit_value[:, product, 1:] = among[positions].T, np.diff(values[:, :-1], axis=0).T
    return Solved(best, unit_value)
