"""What the rest of a store's day is expected to bring: by the plan of the price book, or with a price that is held.

The plan reprices at each tick by the stock that is left. Units, revenue and worth are valued by the recursion from
which prices are made. Worth is what the catalog maximises, revenue or profit, and what units left at closing are worth.
What must hold: a day sells as its book expects. What its own sales would teach, and limits on moves within it, are left
out.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from catalog.arrays import Floats
from serving.optimise.recursion import chances_of_sales, expected_gains, value_of_prices

_NOISE = 1e-9  # of decimals kept as binary


@dataclass(frozen=True)
class Proceeds:
    """What is expected of some ticks: units, and revenue, profit and worth in EUR.

    Profit is revenue less the cost of the units; where what is left at closing counts, what that is worth is in it.
    """

    units: float
    revenue: float
    profit: float
    worth: float


@dataclass(frozen=True)
class Demand:
    """How one product sells in a store.

    Attributes
    ----------
    ladder, gains
        Prices whose demand is known, EUR, ascending, and what a sale brings at each, EUR, shape (n_prices,).
    chances
        Chance of sale in each tick at each price, shape (n_ticks, n_prices).
    visits
        Visits expected in each tick, shape (n_ticks,).
    """

    ladder: Floats
    gains: Floats
    chances: Floats
    visits: Floats

    def knows(self, price: float) -> bool:
        """Tell whether demand at a price, EUR, is known."""
        return lies_on(self.ladder, price)

    def units_wanted(self, price: float, first: int, end: int) -> float:
        """Return how many units would sell at a price from a first tick to an end, had the shelf enough."""
        return float(np.interp(price, self.ladder, self._wanted_before[end] - self._wanted_before[first]))

    def gain_at(self, prices: Floats) -> Floats:
        """Return what a sale brings at prices, EUR, in their shape."""
        return np.asarray(np.interp(prices, self.ladder, self.gains))

    def by_ticks_left(self, prices: Floats) -> Floats:
        """Return the units that would sell at a book's prices, shape (n_levels, n_ticks); position t has t + 1 left."""
        if self.chances.strides[0] == 0:  # one chance for all ticks
            return np.asarray(np.interp(prices, self.ladder, self.chances[0]) * self.visits[::-1])
        ticks = zip(prices.T, self.chances[::-1], self.visits[::-1], strict=True)
        return np.stack([came * np.interp(price, self.ladder, chance) for price, chance, came in ticks], axis=1)

    @cached_property
    def _wanted_before(self) -> Floats:
        """Units that would sell at each price before each tick, shape (n_ticks + 1, n_prices)."""
        coming = self.visits[:, None] * self.chances
        return np.concatenate([np.zeros((1, len(self.ladder))), np.cumsum(coming, axis=0)])


@dataclass(frozen=True)
class PlannedDay:
    """The day of one product. Amounts are stacked: units, revenue and worth, shape (3, n_levels).

    Attributes
    ----------
    prices
        Those of the plan, EUR, shape (n_levels, n_ticks); position t stands for t + 1 ticks left.
    evening
        What units left at closing are worth, EUR, shape (n_levels,).
    unit_cost
        EUR.
    is_for_profit
        Whether worth is profit, and not revenue.
    """

    demand: Demand
    prices: Floats
    evening: Floats
    unit_cost: float
    is_for_profit: bool
    _kept: dict[tuple[float, int], Floats] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def n_ticks(self) -> int:
        """Ticks of a day."""
        return self.prices.shape[1]

    def price_at(self, stock: int, tick: int) -> float:
        """Return the plan's price in a tick, EUR."""
        return float(self.prices[min(stock, len(self.prices) - 1), self.n_ticks - 1 - tick])

    def by_plan(self, stock: int, tick: int) -> Proceeds:
        """Return what the plan brings from a tick until closing."""
        return self._read(self._by_plan[:, :, self.n_ticks - tick], stock)

    def holding(self, price: float, stock: int, tick: int, span: tuple[int, int] | None = None) -> Proceeds:
        """Return what a price brings from a tick until closing, that is held and followed by the plan after its span.

        Parameters
        ----------
        span
            First tick in which it is held, and the first after; None is until closing. Before it the plan goes on.
        """
        if span is None:
            if (price, tick) not in self._kept:  # stores ask for the same prices again and again
                self._kept[price, tick] = self._held(price, tick, self.n_ticks, self._ends)
            return self._read(self._kept[price, tick], stock)
        first, end = max(tick, span[0]), span[1]
        held = self._held(price, first, end, self._by_plan[:, :, self.n_ticks - end])
        return self._read(self._before(first, tick, held, self._gains), stock)

    def within(self, price: float, stock: int, tick: int, span: tuple[int, int]) -> Proceeds:
        """Return what a price brings in the ticks in which it is held alone; what is left after them counts nothing."""
        first, end = max(tick, span[0]), span[1]
        held = self._held(price, first, end, np.zeros((3, len(self.prices))))
        return self._read(self._before(first, tick, held, np.zeros(self._gains.shape)), stock)

    def worth_of_a_unit_left(self, left: float) -> float:
        """Return what one unit of those left at closing is worth then, EUR: 0 or less where it is thrown away."""
        level = int(np.clip(round(left), 1, len(self.evening) - 1))
        return self.unit_cost + float(self.evening[level] - self.evening[level - 1])

    @cached_property
    def _gains(self) -> Floats:
        return np.stack([np.ones(self.prices.shape), self.prices, self.demand.gain_at(self.prices)])

    @cached_property
    def _rates(self) -> Floats:
        return self.demand.by_ticks_left(self.prices)

    @cached_property
    def _by_plan(self) -> Floats:
        """What the plan brings, shape (3, n_levels, n_ticks + 1); position t stands for t ticks left."""
        return np.stack(
            [value_of_prices(gain, self._rates, end) for gain, end in zip(self._gains, self._ends, strict=True)]
        )

    @property
    def _ends(self) -> Floats:
        nothing = np.zeros(len(self.evening))
        return np.stack([nothing, nothing, self.evening])

    def _held(self, price: float, first: int, end: int, later: Floats) -> Floats:
        """Value a price that is held in some ticks, for each stock level at the first of them."""
        coming = chances_of_sales(self.demand.units_wanted(price, first, end), len(self.prices) - 1)
        proceeds = np.zeros(later.shape)
        gains = 1.0, price, float(self.demand.gain_at(np.array([price]))[0])
        for gain, after, into in zip(gains, later, proceeds, strict=True):
            expected_gains(gain, coming, np.ascontiguousarray(after), into, 1, len(into))
        return proceeds

    def _before(self, first: int, tick: int, later: Floats, gains: Floats) -> Floats:
        """Carry values at a first tick back to an earlier one, from which the plan goes on until then."""
        if first <= tick:
            return later
        ticks = slice(self.n_ticks - first, self.n_ticks - tick)
        rates = np.ascontiguousarray(self._rates[:, ticks])
        return np.stack(
            [
                value_of_prices(np.ascontiguousarray(gain[:, ticks]), rates, np.ascontiguousarray(after))[:, -1]
                for gain, after in zip(gains, later, strict=True)
            ]
        )

    def _read(self, proceeds: Floats, stock: int) -> Proceeds:
        units, revenue, worth = proceeds[:, min(stock, len(self.prices) - 1)].tolist()
        return Proceeds(units, revenue, worth if self.is_for_profit else revenue - units * self.unit_cost, worth)


def lies_on(ladder: Floats, price: float) -> bool:
    """Tell whether a price lies on a ladder or between two prices of it: beyond, nothing is known."""
    return bool(ladder[0] - _NOISE <= price <= ladder[-1] + _NOISE)
