"""Find the steps of prices that are known in every state."""

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from serving.price_steps import VALUE_TOLERANCE, Steps, as_kept, as_small, order_by_tick

_LARGEST = 2**14  # of a value; it is kept in 16 bits
_OFF = 1.5  # units of a value that a line may be off; rounding adds half a unit to make it two, which is the tolerance


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
        The state of each threshold, as they come step after step, as a position in the flat arrays.
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
    first_ticks, lengths, stocks = as_small(first_tick, np.diff(begin), states % n_levels)
    by_tick = order_by_tick(first_step, first_ticks, lengths)
    stock_from, kept = (own[by_tick] for own in (stocks, *as_small(as_kept(np.rint(at), ~np.isnan(at)))))
    return Steps(first_step, begin[first_step], first_ticks, lengths, stock_from, kept, unit), states


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
