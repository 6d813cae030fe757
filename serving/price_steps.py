"""Prices by steps: for each product and price, the least stock at which it is shown, by the ticks left.

A price falls with stock, so there are some twenty thresholds where there are a hundred levels, and from one tick to the
next they hardly move. No policy has to be so: a step begins wherever price, rule or chance of sale is another one, and
ends with the tick after which it is not there. What a unit is worth has no steps: it is read on straight lines between
thresholds, and one more is put where a line would leave the value by more than a tolerance.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.errors import ModelError

VALUE_TOLERANCE = 0.01
"""How far a unit's value may be off, as a share of the product's highest price."""
NO_VALUE = -(2**15)
_MOST_STEPS = 2**16  # of a product, that are told in 16 bits


class Steps(NamedTuple):
    """Steps of products, one after another, and the thresholds at which they begin, sorted for who looks one up.

    Attributes
    ----------
    first_step
        Where the steps of each product begin, and where the last ones end, shape (n_products + 1,).
    first_tick
        Fewest ticks left with which a step is there, from 1, shape (n_steps,).
    first
        Where the thresholds of each product with each number of ticks left begin, and where the last ones end, shape
        (n_products * n_ticks + 1,).
    stock_from
        The least stock at which a step is shown, ascending for a product and a number of ticks, shape (n_thresholds,).
    step
        Its step's position among those of its product, of the same shape.
    value
        Value of one more unit kept at that stock, in `value_unit`; `NO_VALUE` where the policy does not value stock.
    value_unit
        EUR, shape (n_products,).
    lengths
        In how many ticks each step is there, shape (n_steps,).
    """

    first_step: NDArray[np.int64]
    first_tick: NDArray[np.int16]
    first: NDArray[np.int64]
    stock_from: NDArray[np.int16]
    step: NDArray[np.uint16]
    value: NDArray[np.int16]
    value_unit: Floats
    lengths: NDArray[np.int16]

    @classmethod
    def sorted_from(
        cls,
        first_step: NDArray[np.int64],
        first_tick: NDArray[np.int16],
        begin: NDArray[np.int64],
        stock_from: NDArray[np.int16],
        value: NDArray[np.int16],
        value_unit: Floats,
    ) -> "Steps":
        """Sort thresholds that stand step after step, those of each from `begin` on, by its ticks.

        Raises
        ------
        ModelError
            When a product has more steps than 16 bits can tell, which no policy has that does as stock does.
        """
        if (most := int(np.diff(first_step).max())) > _MOST_STEPS:
            raise ModelError(
                f"expected at most {_MOST_STEPS:,} steps of a product, found {most:,}; the whole price book is refused "
                "and old prices stand: choose a policy that follows stock and time"
            )
        lengths = np.diff(begin).astype(np.int16)
        n_ticks = int((first_tick + lengths).max()) - 1
        own = _by_ticks(first_step, first_tick, begin, stock_from, value, n_ticks)
        return cls(first_step, first_tick, *own, value_unit, lengths)

    @property
    def n_ticks(self) -> int:
        """Ticks of the day."""
        return (len(self.first) - 1) // len(self.value_unit)

    @property
    def begin(self) -> NDArray[np.int64]:
        """Where the thresholds of each step begin that stand step after step, and the last ones end: (n_steps + 1,)."""
        return np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])

    def step_after_step(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what is given for each threshold step after step, by its ticks."""
        return _by_steps(self.first_step, self.first_tick, self.begin, self.first, self.step, values)

    def told_once(self, *chances: Floats) -> tuple[NDArray[np.int64], Ints]:
        """Return where the chances of each step begin, and the threshold of each: one where all ticks have the same.

        `chances` have shape (n_thresholds,), step after step.
        """
        begin = self.begin
        first = np.repeat(begin[:-1], self.lengths)
        is_same = np.all([(own == own[first]) | (np.isnan(own) & np.isnan(own[first])) for own in chances], axis=0)
        told = np.where(np.logical_and.reduceat(is_same, begin[:-1]), 1, self.lengths)
        told_from = np.concatenate([[0], np.cumsum(told)])
        return told_from, np.arange(told_from[-1]) + np.repeat(begin[:-1] - told_from[:-1], told)

    def take(self, products: Ints) -> "tuple[Steps, Ints]":
        """Return the steps of some products, and their positions among all."""
        first_step, steps = pieces(self.first_step, products)
        rows = products[:, None] * self.n_ticks + np.arange(self.n_ticks)
        first, thresholds = pieces(self.first, rows.ravel())
        return Steps(
            first_step,
            self.first_tick[steps],
            first,
            self.stock_from[thresholds],
            self.step[thresholds],
            self.value[thresholds],
            self.value_unit[products],
            self.lengths[steps],
        ), steps

    def found(self, product: Ints | int, stock: Ints | int, ticks_left: Ints | int) -> tuple[Ints, Ints, Floats]:
        """Return of many states, in the shape of the arguments, the step, the ticks since its first one, and the value.

        That is of one more unit, EUR; NaN if unknown.
        """
        places = np.broadcast_arrays(product, stock, ticks_left)
        flat = (np.array(own, dtype=np.int64).ravel() for own in places)  # a copy: what is broadcast is not ours
        step, since, value = _find_all(*self[:-1], *flat)
        shape = places[0].shape
        return step.reshape(shape), since.reshape(shape), value.reshape(shape)


def pieces(begin: NDArray[np.int64], rows: Ints) -> tuple[NDArray[np.int64], Ints]:
    """Return where the pieces of some rows begin among themselves, and the positions of all that is in them."""
    lengths = begin[rows + 1] - begin[rows]
    own = np.concatenate([[0], np.cumsum(lengths)])
    return own, np.arange(own[-1]) + np.repeat(begin[rows] - own[:-1], lengths)


@numba.njit(cache=True, nogil=True)
def _by_ticks(
    first_step: NDArray[np.int64],
    first_tick: NDArray[np.int16],
    begin: NDArray[np.int64],
    stock_from: NDArray[np.int16],
    value: NDArray[np.int16],
    n_ticks: int,
) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.uint16], NDArray[np.int16]]:
    """Return `first`, `stock_from`, `step` and `value` of `Steps` from thresholds that stand step after step."""
    n_products = len(first_step) - 1
    first, end = np.zeros(n_products * n_ticks + 1, dtype=np.int64), np.empty(n_ticks, dtype=np.int64)
    steps, stocks, values = np.empty(len(value), dtype=np.uint16), np.empty_like(stock_from), np.empty_like(value)
    for product in range(n_products):
        own = first[product * n_ticks : (product + 1) * n_ticks + 1]
        for step in range(first_step[product], first_step[product + 1]):
            for tick in range(begin[step + 1] - begin[step]):
                own[first_tick[step] + tick] += 1
        for tick in range(n_ticks):
            end[tick] = own[tick]
            own[tick + 1] += own[tick]
        for step in range(first_step[product], first_step[product + 1]):
            for at in range(begin[step], begin[step + 1]):
                tick = first_tick[step] - 1 + at - begin[step]
                place = end[tick]
                while place > own[tick] and stocks[place - 1] > stock_from[at]:
                    steps[place], stocks[place], values[place] = steps[place - 1], stocks[place - 1], values[place - 1]
                    place -= 1
                steps[place], stocks[place], values[place] = step - first_step[product], stock_from[at], value[at]
                end[tick] += 1
    return first, stocks, steps, values


@numba.njit(cache=True, nogil=True)
def _by_steps(
    first_step: NDArray[np.int64],
    first_tick: NDArray[np.int16],
    begin: NDArray[np.int64],
    first: NDArray[np.int64],
    step: NDArray[np.uint16],
    values: NDArray[Any],
) -> NDArray[Any]:
    n_ticks, found = (len(first) - 1) // (len(first_step) - 1), np.empty_like(values)
    for row in range(len(first) - 1):
        for at in range(first[row], first[row + 1]):
            own = first_step[row // n_ticks] + step[at]
            found[begin[own] + row % n_ticks + 1 - first_tick[own]] = values[at]
    return found


@numba.njit(cache=True, nogil=True)
def find(
    first_step: NDArray[np.int64],
    first_tick: NDArray[np.int16],
    first: NDArray[np.int64],
    stock_from: NDArray[np.int16],
    step: NDArray[np.uint16],
    value: NDArray[np.int16],
    value_unit: Floats,
    product: int,
    stock: int,
    ticks_left: int,
) -> tuple[int, int, float]:
    """Return the step of a state, the ticks since its first one, and the value of one more unit, EUR; NaN if unknown.

    The first seven arguments are those of `Steps`.
    """
    row = product * ((len(first) - 1) // len(value_unit)) + ticks_left - 1
    own, end = first[row], first[row + 1]
    following = end
    while following - own > 1:
        middle = (own + following) // 2
        if stock_from[middle] > stock:
            following = middle
        else:
            own = middle
    found = first_step[product] + step[own]
    since = ticks_left - first_tick[found]
    if value[own] == NO_VALUE:
        return found, since, np.nan
    share, rise = 0.0, 0
    if following < end and value[following] != NO_VALUE:
        share = (stock - stock_from[own]) / (stock_from[following] - stock_from[own])
        rise = value[following] - value[own]
    return found, since, (value[own] + share * rise) * value_unit[product]


@numba.njit(cache=True, nogil=True)
def _find_all(
    first_step: NDArray[np.int64],
    first_tick: NDArray[np.int16],
    first: NDArray[np.int64],
    stock_from: NDArray[np.int16],
    step: NDArray[np.uint16],
    value: NDArray[np.int16],
    value_unit: Floats,
    product: Ints,
    stock: Ints,
    ticks_left: Ints,
) -> tuple[Ints, Ints, Floats]:
    steps, since, known = np.empty_like(product), np.empty_like(product), np.empty(len(product))
    own = first_step, first_tick, first, stock_from, step, value, value_unit
    for state in range(len(product)):
        steps[state], since[state], known[state] = find(*own, product[state], stock[state], ticks_left[state])
    return steps, since, known
