"""Prices by steps: for each product and price, the least stock at which it is shown, by the ticks left.

A price falls with stock, so there are some twenty thresholds where there are a hundred levels, and from one tick to the
next they hardly move. No policy has to be so: a step begins wherever price, rule or chance of sale is another one, and
ends with the tick after which it is not there. What a unit is worth has no steps: it is read on straight lines between
thresholds, and one more is put where a line would leave the value by more than a tolerance.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints

VALUE_TOLERANCE = 0.01
"""How far a unit's value may be off, as a share of the product's highest price."""
NO_VALUE = -(2**15)
_LARGEST = 2**14  # of a value; it is kept in 16 bits
_OFF = 1.5  # units of a value that a line may be off; rounding adds half a unit to make it two, which is the tolerance


class Steps(NamedTuple):
    """Thresholds of products, one after another.

    Attributes
    ----------
    first_step
        Where the steps of each product begin, and where the last ones end, shape (n_products + 1,).
    first_tick
        Fewest ticks left with which a step is there, from 1, shape (n_steps,).
    begin
        Where its thresholds begin, one for each tick, and where the last ones end, shape (n_steps + 1,).
    stock_from
        The least stock at which it is shown, shape (n_thresholds,).
    value
        Value of one more unit kept at that stock, in `value_unit`; `NO_VALUE` where the policy does not value stock.
    value_unit
        EUR, shape (n_products,).
    """

    first_step: NDArray[np.int64]
    first_tick: NDArray[np.int16]
    begin: NDArray[np.int64]
    stock_from: NDArray[np.int16]
    value: NDArray[np.int16]
    value_unit: Floats

    @property
    def lengths(self) -> NDArray[np.int64]:
        """In how many ticks each step is there, shape (n_steps,)."""
        return np.diff(self.begin)

    def told_once(self, *chances: Floats) -> tuple[NDArray[np.int64], Ints]:
        """Return where the chances of each step begin, and the threshold of each: one where all ticks have the same.

        `chances` have shape (n_thresholds,).
        """
        first = np.repeat(self.begin[:-1], self.lengths)
        is_same = np.all([(own == own[first]) | (np.isnan(own) & np.isnan(own[first])) for own in chances], axis=0)
        told = np.where(np.logical_and.reduceat(is_same, self.begin[:-1]), 1, self.lengths)
        begin = np.concatenate([[0], np.cumsum(told)])
        return begin, np.arange(begin[-1]) + np.repeat(self.begin[:-1] - begin[:-1], told)

    def take(self, products: Ints) -> "tuple[Steps, Ints]":
        """Return the steps of some products, and their positions among all."""
        first_step, steps = pieces(self.first_step, products)
        begin, thresholds = pieces(self.begin, steps)
        own = self.stock_from[thresholds], self.value[thresholds], self.value_unit[products]
        return Steps(first_step, self.first_tick[steps], begin, *own), steps

    def found(self, product: Ints | int, stock: Ints | int, ticks_left: Ints | int) -> tuple[Ints, Ints, Floats]:
        """Return what `find` does for many states, in the shape of the arguments."""
        places = np.broadcast_arrays(product, stock, ticks_left)
        flat = (np.array(own, dtype=np.int64).ravel() for own in places)  # a copy: what is broadcast is not ours
        step, since, value = _find_all(*self, *flat)
        shape = places[0].shape
        return step.reshape(shape), since.reshape(shape), value.reshape(shape)


def pieces(begin: NDArray[np.int64], rows: Ints) -> tuple[NDArray[np.int64], Ints]:
    """Return where the pieces of some rows begin among themselves, and the positions of all that is in them."""
    lengths = begin[rows + 1] - begin[rows]
    own = np.concatenate([[0], np.cumsum(lengths)])
    return own, np.arange(own[-1]) + np.repeat(begin[rows] - own[:-1], lengths)


def one_after_another(begins: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return where the pieces of several arrays begin that are put one after another."""
    return np.concatenate([[0], np.cumsum(np.concatenate([np.diff(begin) for begin in begins]))])


def joined_steps(blocks: Sequence[Steps]) -> Steps:
    """Return the steps of several blocks of products, one after another."""
    first_step, first_tick, begin, *flat = zip(*blocks, strict=True)
    own = one_after_another(first_step), np.concatenate(first_tick), one_after_another(begin)
    return Steps(*own, *(np.concatenate(values) for values in flat))


def steps_of(
    prices: Floats, rule: NDArray[np.int32], p_sale: Floats, unit_value: Floats, par: Ints
) -> tuple[Steps, Ints]:
    """Find the steps of some products in what holds in each state.

    Parameters
    ----------
    prices, rule, p_sale, unit_value
        Shape (n_products, n_ticks, n_levels).
    par
        Units above which nothing changes, shape (n_products,).

    Returns
    -------
    steps : Steps
        The one that is there with the fewest ticks left and at the lowest stock comes first.
    states : Ints
        The state of each threshold, as a position in the flat arrays.
    """
    _, n_ticks, n_levels = prices.shape
    largest = np.nan_to_num(np.abs(unit_value)).max(axis=(1, 2))
    unit = np.maximum(prices.max(axis=(1, 2)) * VALUE_TOLERANCE / 2, largest / _LARGEST)
    value = unit_value / unit[:, None, None]
    first_step, first_tick, step, state = _thresholds(prices.view(np.int64), rule, p_sale.view(np.int64), value, par)
    tick = state // n_levels % n_ticks + 1
    begin = np.concatenate([[0], np.cumsum(np.bincount(step, minlength=len(first_tick)))])
    states = np.empty(len(state), dtype=np.int64)
    states[begin[step] + tick - first_tick[step]] = state
    at = value.ravel()[states]
    kept = np.where(np.isnan(at), NO_VALUE, np.rint(at)).astype(np.int16)
    return Steps(first_step, first_tick, begin, (states % n_levels).astype(np.int16), kept, unit), states


@numba.njit(cache=True, nogil=True)
def _thresholds(
    price: NDArray[np.int64], rule: NDArray[np.int32], chance: NDArray[np.int64], value: Floats, par: Ints
) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int32], NDArray[np.int64]]:
    """Return where products' steps begin, the first tick of each, and the step and the state of each threshold.

    A step goes on in the next tick where its price and rule do: the first one, by stock, that has not gone on yet.
    """
    n_products, n_ticks, n_levels = price.shape
    first_step, n_steps, n_thresholds = np.zeros(n_products + 1, dtype=np.int64), 0, 0
    first_tick, last_tick = np.empty(price.size, dtype=np.int16), np.empty(price.size, dtype=np.int16)
    level_of, step = np.empty(price.size, dtype=np.int16), np.empty(price.size, dtype=np.int32)
    state = np.empty(price.size, dtype=np.int64)
    for product in range(n_products):
        for tick in range(n_ticks):
            prices, rules = price[product, tick], rule[product, tick]
            level, top = 0, par[product] + 1
            while level < top:
                own = first_step[product]
                while own < n_steps and not (
                    last_tick[own] == tick
                    and price[product, tick - 1, level_of[own]] == prices[level]
                    and rule[product, tick - 1, level_of[own]] == rules[level]
                ):
                    own += 1
                if own == n_steps:
                    first_tick[own] = tick + 1
                    n_steps += 1
                last_tick[own], level_of[own] = tick + 1, level
                step[n_thresholds] = own
                state[n_thresholds] = (product * n_ticks + tick) * n_levels + level
                n_thresholds += 1
                level = _next_threshold(prices[:top], rules, chance[product, tick], value[product, tick], level)
        first_step[product + 1] = n_steps
    return first_step, first_tick[:n_steps].copy(), step[:n_thresholds].copy(), state[:n_thresholds].copy()


@numba.njit(cache=True, nogil=True)
def _next_threshold(
    price: NDArray[np.int64], rule: NDArray[np.int32], chance: NDArray[np.int64], value: Floats, own: int
) -> int:
    """Return the stock at which the next threshold is after one, by stock; the number of levels for none.

    That is where something else holds, or as far as one straight line tells every value between: the lines through the
    threshold that do so are those between a lowest and a highest slope.
    """
    here, lowest, highest, farthest, is_level = value[own], -np.inf, np.inf, own + 1, True
    for level in range(own + 1, len(price)):
        is_known, before = not np.isnan(value[level]), level - 1
        is_same = price[level] == price[before] and rule[level] == rule[before] and chance[level] == chance[before]
        if np.isnan(here):
            if is_known or not is_same:
                return level
            continue
        rise = (value[level] - here) / (level - own)
        if lowest <= rise <= highest:
            farthest = level
        if not is_same or not is_known:
            return farthest
        is_level = is_level and abs(value[level] - here) <= _OFF
        lowest, highest = max(lowest, rise - _OFF / (level - own)), min(highest, rise + _OFF / (level - own))
        if lowest > highest:
            return farthest
    return len(price) if is_level else farthest


@numba.njit(cache=True, nogil=True)
def find(
    first_step: NDArray[np.int64],
    first_tick: NDArray[np.int16],
    begin: NDArray[np.int64],
    stock_from: NDArray[np.int16],
    value: NDArray[np.int16],
    value_unit: Floats,
    product: int,
    stock: int,
    ticks_left: int,
) -> tuple[int, int, float]:
    """Return the step of a state, the ticks since its first one, and the value of one more unit, EUR; NaN if unknown.

    The first six arguments are those of `Steps`.
    """
    step, own, following = -1, -1, -1
    for other in range(first_step[product], first_step[product + 1]):
        at = begin[other] + ticks_left - first_tick[other]
        if at < begin[other] or at >= begin[other + 1]:
            continue
        if stock_from[at] > stock:
            following = at if following < 0 or stock_from[at] < stock_from[following] else following
        elif own < 0 or stock_from[at] > stock_from[own]:
            step, own = other, at
    since = ticks_left - first_tick[step]
    if value[own] == NO_VALUE:
        return step, since, np.nan
    share, rise = 0.0, 0
    if following >= 0 and value[following] != NO_VALUE:
        share = (stock - stock_from[own]) / (stock_from[following] - stock_from[own])
        rise = value[following] - value[own]
    return step, since, (value[own] + share * rise) * value_unit[product]


@numba.njit(cache=True, nogil=True)
def _find_all(
    first_step: NDArray[np.int64],
    first_tick: NDArray[np.int16],
    begin: NDArray[np.int64],
    stock_from: NDArray[np.int16],
    value: NDArray[np.int16],
    value_unit: Floats,
    product: Ints,
    stock: Ints,
    ticks_left: Ints,
) -> tuple[Ints, Ints, Floats]:
    step, since, known = np.empty_like(product), np.empty_like(product), np.empty(len(product))
    steps = first_step, first_tick, begin, stock_from, value, value_unit
    for state in range(len(product)):
        step[state], since[state], known[state] = find(*steps, product[state], stock[state], ticks_left[state])
    return step, since, known
