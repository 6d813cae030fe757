"""The best price for every stock level and every tick left of a day: backward induction.

Selling a unit now forgoes what it would bring later, so the best price maximises (price - value of a unit kept) x
chance of sale. After Gallego and van Ryzin, "Optimal dynamic pricing of inventories with stochastic demand over finite
horizons" (Management Science, 1994), in ticks: the price stands for a tick, and sales in it are Poisson.

Units on their last day ("old") may carry a sticker, a lower price than the label of the others ("young"). While both
are on the shelf, every shopper who can pay the sticker buys: one who takes the freshest unit and can pay the label buys
a young one, all others an old one. A label at the sticker or below it is the price of all units. So a state is two
numbers of units, with independent Poisson counts along each. Where the units of one number are gone within a tick, the
mean number of shoppers who are left over takes units of the other.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints

_VALUES_TRIED = 64
_TAIL = 8.0  # standard deviations of a Poisson count after which nothing is left to add
_NOISE = 1e-9  # EUR

Sticker = tuple[float, Floats]
"""What a sale at the sticker brings, EUR, and how many shoppers would pay it in each tick, shape (n_ticks,)."""

NO_STICKER: Sticker = (np.inf, np.zeros(0))


class Day(NamedTuple):
    """The rest of a day of one product.

    Attributes
    ----------
    among
        Positions of the candidates that may be chosen, ascending, shape (n_prices,).
    gains
        What one sale brings at each of them, EUR: its price, or price less cost.
    rates
        Units that would sell on average at each in each tick, shape (n_prices, n_ticks).
    """

    among: Ints
    gains: Floats
    rates: Floats

    def would_pay(self, gain: float) -> Floats:
        """Return how many would buy in each tick at a price by what one sale at it brings, shape (n_ticks,)."""
        return np.array([np.interp(gain, self.gains, rates) for rates in self.rates.T])

    def in_ticks(self, most: int) -> "Day":
        """Return the same day in fewer, longer ticks."""
        n_ticks = self.rates.shape[1]
        begins = np.unique(np.linspace(0, n_ticks, min(most, n_ticks), endpoint=False).astype(int))
        return self._replace(rates=np.add.reduceat(self.rates, begins, axis=1))

    def worth_of_each(
        self, later: Floats, left: int, units: tuple[int, int], sticker: Sticker = NO_STICKER, share: float = 0.0
    ) -> Floats:
        """Return what units are worth, old and young, at each label that stands for one tick, EUR, shape (n_prices,).

        `later` is what every state is worth after the tick, of which `left` are left, itself included.
        """
        rates, sticker = self.rates[:, [-left]], (sticker[0], sticker[1][-left:][:1])
        each = (solve_day(self.gains[[label]], rates[[label]], later, sticker, share) for label in range(len(rates)))
        return np.array([worth[1][units] for _, worth in each])


def days_of(gains: Floats, chances: Floats, choosable: Flags, visits: Floats) -> Iterator[Day]:
    """Yield the day of each product.

    Parameters
    ----------
    gains, chances, choosable
        What one sale brings, EUR, its chance, and whether a price may be chosen, shape (n_products, n_prices). Chances
        that differ by tick have that axis first, (n_ticks, n_products, n_prices), and end at closing.
    visits
        Visits expected in each tick that is left, shape (n_products, n_ticks).
    """
    for product, may_be_chosen in enumerate(choosable):
        among = np.flatnonzero(may_be_chosen)
        yield Day(among, gains[product, among], rates_of(chances[..., product, among], visits[product]))


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
def solve_day(
    gains: Floats, rates: Floats, evening: Floats, sticker: Sticker, freshest_share: float
) -> tuple[Ints, Floats]:
    """Find the best label for every state and every number of ticks left, for one product.

    Parameters
    ----------
    gains, rates
        As in `Day`.
    evening
        What units left are worth at closing, EUR, shape (n_old, n_young), 0 included; an empty shelf is worth 0.
    sticker
        Price of the old units beside a higher label; it counts only where there are any.
    freshest_share
        Share of the shoppers who take the unit that keeps longest.

    Returns
    -------
    labels : Ints
        Position of the best label, shape (n_ticks, n_old, n_young); position t has t + 1 ticks left.
    worth : Floats
        Expected gain until closing and worth of what is left, EUR, shape (n_ticks + 1, n_old, n_young); position t has
        t ticks left.
    """
    n_ticks, n_old, n_young = rates.shape[1], evening.shape[0], evening.shape[1]
    labels = np.zeros((n_ticks, n_old, n_young), dtype=np.int64)
    worth = np.full((n_ticks + 1, n_old, n_young), -np.inf)
    worth[0] = evening
    brings = np.zeros((n_old, n_young))
    for left in range(1, n_ticks + 1):
        now, later, tick = worth[left], worth[left - 1], n_ticks - left
        now[0, 0] = 0.0
        for label in range(len(gains)):
            gain, rate = gains[label], rates[label, tick]
            expected_gains(gain, chances_of_sales(rate, n_young - 1), later[0], brings[0], 1, n_young)
            if n_old > 1 and gain > sticker[0] + _NOISE:
                _sell_both(later, (sticker[0], gain), (sticker[1][tick], rate), freshest_share, brings)
            elif n_old > 1:
                _sell_both(later, (gain, gain), (rate, rate), freshest_share, brings)
            for old in range(n_old):
                for young in range(1 if old == 0 else 0, n_young):
                    if brings[old, young] > now[old, young]:
                        now[old, young], labels[left - 1, old, young] = brings[old, young], label
    return labels, worth


@numba.njit(cache=True, nogil=True)
def _sell_both(
    later: Floats, gains: tuple[float, float], rates: tuple[float, float], freshest_share: float, brings: Floats
) -> None:
    """Write what each shelf with old units gains in a tick, and of what is left after it.

    `gains` and `rates` are those of the sticker and of the label.
    """
    n_old, n_young = later.shape
    to_young = freshest_share * rates[1]
    to_old = max(rates[0] - to_young, 0.0)
    too_late = (1 - freshest_share) * rates[1] / to_old if to_old > 0 else 0.0  # share of them that pays the label
    old_sold = _sell_old(later, gains, to_old, too_late)
    without_young = old_sold[:, 0] - gains[0] * np.arange(n_old)
    fresh, least = chances_of_sales(to_young, n_young - 1), np.arange(n_old) * 1.0
    rests, over = _left_over(fresh, to_young, n_young)
    alone = np.zeros(n_old)
    expected_gains(gains[0], chances_of_sales(rates[0], n_old - 1), later[:, 0].copy(), alone, 1, n_old)
    for old in range(1, n_old):
        kept, total = old_sold[old], brings[old]
        left = np.maximum(old - over, 0.0)
        total[:] = rests * (np.arange(n_young) * gains[1] + gains[0] * old + np.interp(left, least, without_young))
        for sold in range(len(fresh)):
            chance, earned, after = fresh[sold], sold * gains[1], kept[: n_young - sold]
            there = total[sold:]  # no sum to index by, so that many are reckoned at once
            for young in range(1, len(after)):
                there[young] += chance * (earned + after[young])
        total[0] = alone[old]


@numba.njit(cache=True, nogil=True)
def _sell_old(later: Floats, gains: tuple[float, float], rate: float, too_late: float) -> Floats:
    """Return what each shelf gains of those who take old units in a tick, and of what is left after it."""
    on_sticker, on_label = gains
    n_old, n_young = later.shape
    chances, old_sold = chances_of_sales(rate, n_old + int(rate) + 8), np.zeros(later.shape)
    rests, over = _left_over(chances, rate, n_old)
    without_old = later[0] - on_label * np.arange(n_young)
    young, left = np.arange(n_young) * 1.0, np.zeros(n_young)
    for old in range(1, n_old):
        kept = old_sold[old]
        for sold in range(min(old, len(chances))):
            after, now, chance = later[old - sold], sold * on_sticker, chances[sold]
            for units in range(n_young):
                kept[units] += chance * (now + after[units])
        left[:] = np.maximum(young - too_late * over[old], 0.0)
        kept += rests[old] * (old * on_sticker + on_label * young + np.interp(left, young, without_old))
    return old_sold


@numba.njit(cache=True, nogil=True)
def _left_over(chances: Floats, rate: float, n_units: int) -> tuple[Floats, Floats]:
    """Return the chance that all of 0, 1, ... units are asked for, and how many more shoppers then come on average."""
    rests, over = np.zeros(n_units), np.zeros(n_units)
    rest, coming = 1.0, rate
    for units in range(n_units):
        rests[units] = max(rest, 0.0)
        if rest > _NOISE:
            over[units] = max(coming / rest - units, 0.0)
        if units < len(chances):
            rest -= chances[units]
            coming -= chances[units] * units
    return rests, over


@numba.njit(cache=True, nogil=True)
def value_of_prices(gains: Floats, rates: Floats, at_closing: Floats) -> Floats:
    """Work out what given prices of one product gain until closing: the same recursion, with nothing to choose.

    Parameters
    ----------
    gains, rates
        What one sale brings at the price shown in each state, EUR, and the units that would sell on average in that
        tick, shape (n_levels, n_ticks); position t stands for t + 1 ticks left.
    at_closing
        What units left are worth then, EUR, shape (n_levels,); an empty shelf is worth 0.

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


def solve(days: Sequence[Day], n_levels: int) -> tuple[NDArray[np.unsignedinteger[Any]], Floats]:
    """Return the best candidates of products whose evening is worth nothing, and what the last unit of a level earns.

    Both have shape (n_ticks, n_products, n_levels); position t of the first axis has t + 1 ticks left. The value of a
    unit, EUR, is that of the ticks after this one.
    """
    shape = days[0].rates.shape[1], len(days), n_levels
    best = np.zeros(shape, dtype=np.min_scalar_type(max(day.among[-1] for day in days)))
    unit_value, nothing = np.zeros(shape), np.zeros((1, n_levels))
    for product, day in enumerate(days):
        labels, worth = solve_day(day.gains, day.rates, nothing, NO_STICKER, 0.0)
        best[:, product], unit_value[:, product, 1:] = day.among[labels[:, 0]], np.diff(worth[:-1, 0], axis=1)
    return best, unit_value
