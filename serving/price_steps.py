"""Prices by steps: for each product and price, the least stock at which it is shown, by the ticks left.

A price falls with stock, so there are some twenty thresholds where there are a hundred levels, and from one tick to the
next they hardly move. No policy has to be so: a step begins wherever price, rule or chance of sale is another one, and
ends with the tick after which it is not there. What a unit is worth has no steps: it is read on straight lines between
thresholds, and one more is put where a line would leave the value by more than a tolerance.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints

Small: TypeAlias = NDArray[np.uint8] | NDArray[np.int16]

VALUE_TOLERANCE = 0.01
"""How far a unit's value may be off, as a share of the product's highest price."""
NO_VALUE = 0
"""Where the policy does not value stock; values from 0 on are kept one higher, so that most fit in a byte."""
_AT_ONCE = 65_536  # states
_NONE = 2**15 - 1  # more than any stock
_BITS = 16  # of the number of a step among those of a tick
_NUMBER = 2**_BITS - 1


class Steps(NamedTuple):
    """Steps of products, one after another, and the thresholds at which they begin.

    Thresholds come tick after tick, and at a tick step after step: a quote looks at those of one tick, which lie side
    by side in memory. Ticks and stocks have 8 bits where all of them fit, else 16, and so have values.

    Attributes
    ----------
    first_step
        Where the steps of each product begin, and where the last ones end, shape (n_products + 1,).
    first
        Where the thresholds of each product begin, and where the last ones end, of the same shape.
    first_tick
        Fewest ticks left with which a step is there, from 1, shape (n_steps,); ascending for a product.
    lengths
        In how many ticks each step is there, shape (n_steps,).
    stock_from
        The least stock at which a step is shown, shape (n_thresholds,). A stock above all has the highest one's step.
    value
        Value of one more unit kept at that stock, in `value_unit`, as `as_kept` gives it.
    value_unit
        EUR, shape (n_products,).
    """

    first_step: NDArray[np.int64]
    first: NDArray[np.int64]
    first_tick: Small
    lengths: Small
    stock_from: Small
    value: Small
    value_unit: Floats

    @property
    def n_ticks(self) -> int:
        """Ticks of the day."""
        return int(np.add(self.first_tick, self.lengths, dtype=np.int16).max()) - 1

    @property
    def begin(self) -> NDArray[np.int64]:
        """Where thresholds of each step begin where they come step after step, and end, shape (n_steps + 1,)."""
        return np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])

    def told_once(self, *chances: Floats) -> tuple[NDArray[np.int32], Ints]:
        """Return where the chances of each step begin, and the threshold of each: one where all ticks have the same.

        `chances` have shape (n_thresholds,), step after step.
        """
        begin = self.begin
        first = np.repeat(begin[:-1], self.lengths)
        is_same = np.all([(own == own[first]) | (np.isnan(own) & np.isnan(own[first])) for own in chances], axis=0)
        told = np.where(np.logical_and.reduceat(is_same, begin[:-1]), 1, self.lengths)
        told_from = np.concatenate([[0], np.cumsum(told)]).astype(np.int32)
        return told_from, np.arange(told_from[-1]) + np.repeat(begin[:-1] - told_from[:-1], told)

    def take(self, products: Ints) -> "tuple[Steps, Ints]":
        """Return the steps of some products, and their positions among all."""
        first_step, steps = pieces(self.first_step, products)
        first, thresholds = pieces(self.first, products)
        return Steps(
            first_step,
            first,
            self.first_tick[steps],
            self.lengths[steps],
            self.stock_from[thresholds],
            self.value[thresholds],
            self.value_unit[products],
        ), steps

    def at_opening(self) -> tuple[Ints, Ints, Floats]:
        """Return of a full shelf with all ticks left what `found` does, shape (n_products,).

        It is that of each product's highest threshold, found without what is compiled: to load that takes longer.
        """
        since = self.n_ticks - self.first_tick.astype(np.int64)
        there = np.flatnonzero(since < self.lengths)
        first = np.searchsorted(there, self.first_step[:-1])
        lengths = np.diff(first, append=len(there))
        place = np.repeat(self.first[1:] - lengths - first, lengths) + np.arange(len(there))  # the last tick's are last
        least = self.stock_from[place]
        highest = np.flatnonzero(least == np.repeat(np.maximum.reduceat(least, first), lengths))
        value = self.value[place[highest]]
        known = np.where(value == NO_VALUE, np.nan, in_units(value) * self.value_unit)
        return there[highest], since[there[highest]], known

    def found(self, product: Ints | int, stock: Ints | int, ticks_left: Ints | int) -> tuple[Ints, Ints, Floats]:
        """Return of many states, in the shape of the arguments, the step, the ticks since its first one, and the value.

        That is of one more unit, EUR; NaN if unknown.
        """
        step, since, value = by_product(partial(_find_all, self), product, stock, ticks_left)
        return step, since, value


def by_product(
    look_up: Callable[[Ints, Ints, Ints], tuple[NDArray[Any], ...]],
    product: Ints | int,
    stock: Ints | int,
    ticks_left: Ints | int,
) -> tuple[NDArray[Any], ...]:
    """Return what is found of many states, in the shape of the arguments.

    They are looked up product after product, as the steps lie, some at once: memory is quick at what is near.
    """
    shape = np.broadcast_shapes(*map(np.shape, (product, stock, ticks_left)))
    asked = [np.broadcast_to(np.asarray(own, np.int64), shape).ravel() for own in (product, stock, ticks_left)]
    order, found = np.argsort(asked[0]), tuple[NDArray[Any], ...]()
    for begin in range(0, max(1, len(order)), _AT_ONCE):
        own = order[begin : begin + _AT_ONCE]
        products, stocks, ticks = (states[own] for states in asked)
        answers = look_up(products, stocks, ticks)
        found = found or tuple(np.empty(len(order), answer.dtype) for answer in answers)
        for whole, answer in zip(found, answers, strict=True):
            whole[own] = answer
    return tuple(whole.reshape(shape) for whole in found)


def as_kept(units: NDArray[Any], is_known: Flags) -> NDArray[np.int16]:
    """Return values in whole units as `Steps` keep them."""
    return np.where(is_known, units + (units >= 0), NO_VALUE).astype(np.int16)


def as_small(*arrays: NDArray[np.integer[Any]]) -> list[NDArray[Any]]:
    """Return arrays with 8 bits each where all that is in any of them fits, else with 16."""
    fits = all(own.min() >= 0 and own.max() <= np.iinfo(np.uint8).max for own in arrays)
    return [own.astype(np.uint8 if fits else np.int16, copy=False) for own in arrays]


def in_units(kept: NDArray[Any]) -> NDArray[np.int16]:
    """Return values that are kept, in whole units; 0 where there is none."""
    return np.subtract(kept, kept > 0, dtype=np.int16)


def pieces(begin: NDArray[Any], rows: Ints) -> tuple[NDArray[Any], Ints]:
    """Return where the pieces of some rows begin among themselves, and the positions of all that is in them."""
    lengths = begin[rows + 1] - begin[rows]
    own = np.cumsum(np.append(begin[:1], lengths), dtype=begin.dtype)
    return own, np.arange(own[-1]) + np.repeat(begin[rows] - own[:-1], lengths)


def order_by_tick(first_step: Ints, first_tick: Small, lengths: Small) -> Ints:
    """Return where each threshold of `Steps` stands step after step; found without what is compiled, as at opening.

    Of few products at a time the numbers that are put in order have 16 bits, which takes as long as to count them.
    """
    n_ticks, product = int(np.add(first_tick, lengths, dtype=np.int64).max()), np.arange(len(first_step) - 1)
    first = np.repeat(product * n_ticks, np.diff(first_step)) + first_tick
    begin = np.cumsum(lengths, dtype=np.int64) - lengths
    tick = np.repeat(first - begin, lengths) + np.arange(begin[-1] + lengths[-1])
    return np.argsort(tick.astype(np.min_scalar_type(len(product) * n_ticks)), kind="stable")


@numba.njit(cache=True, nogil=True)
def step_after_step(
    first_step: NDArray[np.int64], first_tick: Small, lengths: Small, values: NDArray[Any]
) -> NDArray[Any]:
    """Return what thresholds have in the order of `Steps`, step after step, as they are stored."""
    found, own, n_ticks = np.empty_like(values), 0, 0
    for step in range(len(lengths)):
        n_ticks = max(n_ticks, np.int64(first_tick[step]) + lengths[step] - 1)
    place = np.empty(n_ticks + 1, dtype=np.int64)  # of the next threshold of each tick
    for product in range(len(first_step) - 1):
        place[:] = 0
        for step in range(first_step[product], first_step[product + 1]):
            for since in range(lengths[step]):
                place[first_tick[step] + since] += 1
        following = own
        for tick in range(n_ticks + 1):
            place[tick], following = following, following + place[tick]
        for step in range(first_step[product], first_step[product + 1]):
            for since in range(lengths[step]):
                tick = first_tick[step] + since
                found[own] = values[place[tick]]
                place[tick] += 1
                own += 1
    return found


@numba.njit(cache=True, nogil=True)
def find(
    first_step: NDArray[np.int64],
    first: NDArray[np.int64],
    first_tick: Small,
    lengths: Small,
    stock_from: Small,
    value: Small,
    value_unit: Floats,
    product: int,
    stock: int,
    ticks_left: int,
) -> tuple[int, int, float]:
    """Return the step of a state, the ticks since its first one, and the value of one more unit, EUR; NaN if unknown.

    The first seven arguments are those of `Steps`, which would have to be made for each quote.
    """
    begin, end = first_step[product], first_step[product + 1]
    threshold, n_here = first[product], 0
    for step in range(begin, end):  # without a branch: a processor looks at several at once
        since, length = ticks_left - first_tick[step], lengths[step]
        threshold += max(0, min(since, length))  # of the ticks before
        n_here += (since >= 0) & (since < length)
    highest: Any = 0  # a stock, and which of those that are there
    following: Any = _NONE << _BITS
    for number in range(n_here):
        least = np.int64(stock_from[threshold + number])
        own = least << _BITS | number
        if least <= stock:
            highest = max(highest, own)
        else:
            following = min(following, own)
    nth, found = highest & _NUMBER, begin
    for step in range(begin, end):
        since = ticks_left - first_tick[step]
        if (since >= 0) & (since < lengths[step]):
            found = step
            if nth == 0:
                break
            nth -= 1
    since, here = ticks_left - first_tick[found], np.int64(value[threshold + (highest & _NUMBER)])
    if here == NO_VALUE:
        return found, since, np.nan
    here -= here > 0
    share, rise, least = 0.0, 0.0, highest >> _BITS
    if following >> _BITS < _NONE:
        there = np.int64(value[threshold + (following & _NUMBER)])
        if there != NO_VALUE:
            share = (stock - least) / ((following >> _BITS) - least)
            rise = float(there - (there > 0) - here)
    return found, since, (here + share * rise) * value_unit[product]


@numba.njit(cache=True, nogil=True)
def _find_all(steps: Steps, product: Ints, stock: Ints, ticks_left: Ints) -> tuple[Ints, Ints, Floats]:
    first_step, first, first_tick, lengths, stock_from, value, value_unit = steps
    own = first_step, first, first_tick, lengths, stock_from, value, value_unit  # Numba hands on no other tuple
    step, since, known = np.empty_like(product), np.empty_like(product), np.empty(len(product))
    for state in range(len(product)):
        step[state], since[state], known[state] = find(*own, product[state], stock[state], ticks_left[state])
    return step, since, known


@numba.njit(cache=True, nogil=True)
def shown(steps: Steps, prices: Floats, products: Ints, n_levels: int, n_ticks: int) -> Floats:
    """Return the prices of all states of some products, shape (n_products, n_levels, n_ticks): as `find` finds them.

    `prices` are those of the steps.
    """
    first_step, first, first_tick, lengths, stock_from, _, _ = steps
    found, from_level = np.empty((len(products), n_levels, n_ticks)), np.empty(n_levels, dtype=np.int64)
    for row, product in enumerate(products):
        threshold = first[product]
        for tick in range(1, n_ticks + 1):
            from_level[:] = -1
            for step in range(first_step[product], first_step[product + 1]):
                if first_tick[step] <= tick < first_tick[step] + np.int64(lengths[step]):
                    least = stock_from[threshold]
                    if least < n_levels and from_level[least] < 0:
                        from_level[least] = step
                    threshold += 1
            price = np.nan
            for level in range(n_levels):
                if from_level[level] >= 0:
                    price = prices[from_level[level]]
                found[row, level, tick - 1] = price
    return found
