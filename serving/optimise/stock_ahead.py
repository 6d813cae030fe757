"""What units left at closing are worth: sold on the days after, thrown away, or in the place of a delivery.

Money is counted as gain, price less cost, when a unit is sold. So a unit that is kept is worth 0 as long as it stands
for one that need not be delivered; what it was bought for and its disposal are lost when it is thrown away.

Of the units on a shelf, in order of freshness, those who take the freshest remove some at one end, all others at the
other end. So how many are left tells which are left, and the recursion of a day needs no more than their number. Until
the next delivery it knows how long each unit keeps. From there to the delivery after it, the value is worked out for
some numbers of units left, and read in between. Further ahead, units that are carried into a delivery are taken to be
as old as they are where so many are left every day: the value of each number of them is followed back from far enough.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from catalog.load import Catalog
from catalog.stock_rules import StockRules
from serving.optimise.curves import DemandCurves
from serving.optimise.recursion import price_stock, rates_of
from serving.optimise.stickers import MixedShelf, left_of, sticker_prices

_TICKS = 12  # of a day to come; those of today are put together
_NUMBERS = 9  # of units left, for which a value is worked out
_CLASSES = 32  # of the units of a full shelf: so finely it is told how many of them keep
_SALES = np.linspace(0.3, 1.0, 8)  # of what would sell between two deliveries at the lowest price
_FARTHEST = 10  # deliveries
_ALL = 0.999
_SETTLED = 1e-3  # EUR, of all units together
_A_MONDAY = dt.date(2024, 1, 1)
_ONE_DAY = dt.timedelta(days=1)

Keeps = tuple[int, ...]
"""Units that a shelf opened with and that may still be sold j days later, at position j; at 0 all of them."""


def least_worth(catalog: Catalog) -> Floats:
    """Return what a unit kept is worth at least in the evening, EUR of gain, shape (n_products,)."""
    rules = catalog.stock_rules
    if rules is None or not catalog.counts_evenings:
        return np.zeros(len(catalog.products))
    thrown_away = rules.lives_on & (rules.newest == 0) & (rules.columns > 1)
    return np.where(thrown_away, -rules.lost_with_a_unit, -rules.holding_costs)


@dataclass(frozen=True)
class StockAhead:
    """Values the evening's stock of a shelf whose units live on.

    Attributes
    ----------
    rules
        How stock lives.
    freshest_share
        Share of the shoppers who take the unit that keeps longest.
    closed_weekdays
        Weekdays on which nobody comes, 0 for Monday.
    gains, chances, choosable
        As in `serving.optimise.recursion.ProductsToSolve`, of a whole day.
    visits
        Visits expected on a day to come, shape (n_products, n_ticks).
    most_stock
        Most units that are ever on the shelf, shape (n_products,).
    stickers
        Prices that a sticker may show, as `serving.optimise.stickers.sticker_prices` gives them; None where
        nobody sticks any.
    """

    rules: StockRules
    freshest_share: float
    closed_weekdays: frozenset[int]
    gains: Floats
    chances: Floats
    choosable: Flags
    visits: Floats
    most_stock: Ints
    stickers: Floats | None = None
    _found: dict[tuple[int, int, Keeps], Floats] = field(default_factory=dict, repr=False, compare=False)
    _carried: dict[tuple[int, int], tuple[Floats, Floats]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls, catalog: Catalog, curves: DemandCurves, visits: Floats, sales: tuple[Floats, Floats] | None = None
    ) -> "StockAhead | None":
        """Return what values the stock of a catalog; None where what is left tonight does not count.

        `curves` and `visits` are those of a whole day. `sales` are gains and chances; None is those of the curves.
        """
        rules, store = catalog.stock_rules, catalog.store
        if rules is None or not catalog.counts_evenings:
            return None
        closed = frozenset(day for day in range(7) if not store.is_open_on(_A_MONDAY + day * _ONE_DAY))
        gains, chances = curves.prices - catalog.unit_costs[:, None], curves.at_ticks
        if sales is not None:
            gains, chances = sales
        known = (rules, store.freshest_share, closed, gains, chances, curves.choosable, visits, catalog.most_stock)
        return cls(*known, sticker_prices(catalog, curves))

    def only(self, product: int) -> "StockAhead":
        """Return what values the stock of one product, for a shelf that holds it alone."""
        part = slice(product, product + 1)
        return replace(
            self,
            rules=StockRules((self.rules.products[product],), self.rules.closed_days),
            gains=self.gains[part],
            chances=self.chances[..., part, :],
            choosable=self.choosable[part],
            visits=self.visits[part],
            most_stock=self.most_stock[part],
            stickers=None if self.stickers is None else self.stickers[part],
            _found={},
            _carried={},
        )

    def n_levels(self, product: int) -> int:
        """Stock levels of a product, 0 included."""
        return int(self.most_stock[product]) + 1

    def new_units(self, stock: Ints) -> Ints:
        """Return shelves of units that were delivered today, by life, shape (..., n_products, n_lives)."""
        by_life = np.zeros((*stock.shape, self.rules.columns), dtype=np.int64)
        by_life[..., np.arange(stock.shape[-1]), self.rules.newest] = stock
        return by_life

    def keeps_of(self, by_life: Ints) -> Ints:
        """Return what keeps of some shelves, in classes, shape (..., n_products, n_lives); see `Keeps`.

        A number is at most half a class off. Where all take the oldest unit, it does not matter how many are on a
        shelf beside those that keep.
        """
        keeps = np.cumsum(by_life[..., ::-1], axis=-1)[..., ::-1]
        step = np.maximum(self.most_stock // _CLASSES, 1)[:, None]
        told = (keeps + step // 2) // step * step
        if self.freshest_share > 0:
            return np.maximum(told, step * (keeps > 0))
        return np.where(keeps == keeps[..., :1], self.most_stock[:, None] + 1, told)

    def far(self, date: dt.date) -> list[int]:
        """Return how many numbers of `Keeps` matter on a date: those until the delivery after the next one."""
        first, upcoming = self.rules.days_to_delivery(date).tolist(), self.rules.days_to_delivery
        return [days + int(upcoming(date + days * _ONE_DAY)[own]) + 1 for own, days in enumerate(first)]

    def evening_of_new_units(self, product: int, date: dt.date) -> Floats:
        """Return `at_closing` for a shelf that opened with new units alone."""
        keeps = self.keeps_of(self.new_units(self.most_stock))[product, : self.far(date)[product]]
        return self.at_closing(product, date, tuple(keeps.tolist()))

    def at_closing(self, product: int, date: dt.date, keeps: Keeps) -> Floats:
        """Return what each number of units is worth at the closing of a date, EUR of gain, shape (n_levels,).

        Against an empty shelf, which is worth 0. `keeps` is what was on the shelf when the date began.
        """
        key = (product, date.weekday(), keeps)
        if key not in self._found:
            self._found[key] = self._at_closing(product, date, keeps)
        return self._found[key]

    def _at_closing(self, product: int, date: dt.date, keeps: Keeps) -> Floats:
        if not self.rules.lives_on[product]:
            return np.zeros(self.n_levels(product))
        days = self._days_to_delivery(product, date)
        delivery = date + days * _ONE_DAY
        cycle = self._days_to_delivery(product, delivery)
        left = np.linspace(0, min(keeps[0], int(self.most_stock[product])), _NUMBERS)
        ages = np.array(
            [left_of(_at(keeps, days + later), keeps[0], left, self.freshest_share) for later in range(cycle + 1)]
        )
        carried = np.zeros(_NUMBERS)
        if ages[0].any():
            further = self._worth_of_carried(product, delivery + cycle * _ONE_DAY)
            if further[1].any() or not self._is_the_same(product, delivery, ages):
                carried = np.array([self._opened(product, delivery, own, further) for own in ages.T])
        return self._until_delivery(product, date, keeps, left, carried)

    def _until_delivery(
        self, product: int, date: dt.date, keeps: Floats | Keeps, numbers: Floats, carried: Floats
    ) -> Floats:
        """Value the evening of a date; `carried` values some numbers of units left just before the next delivery."""
        days = self._days_to_delivery(product, date)
        level = np.arange(self.n_levels(product), dtype=float)
        opened = np.interp(level, numbers, carried)
        for day in range(days, 0, -1):
            stay = left_of(_at(keeps, day), keeps[0], level, self.freshest_share)
            thrown = level - stay
            worth = -self.rules.lost_with_a_unit[product] * thrown - self.rules.holding_costs[product] * stay
            worth += opened if day == days else np.interp(stay, level, opened)
            worth -= worth[0]
            if day > 1:
                opened = self._day(product, date + (day - 1) * _ONE_DAY, worth)
        return worth

    def _is_the_same(self, product: int, date: dt.date, keeps: Floats) -> bool:
        """Tell whether it does not matter how many units are carried into a delivery, as far as can be seen.

        The shelf is full of units that keep until the delivery after it. `keeps` has the days first.
        """
        cycle = self._days_to_delivery(product, date)
        fills_up = self.rules.quantity[product] == 0 and self._life(product) > cycle
        return bool(fills_up and (_at(keeps, cycle) >= keeps[0] * _ALL).all())

    def _opened(self, product: int, date: dt.date, keeps: Floats, further: tuple[Floats, Floats]) -> float:
        """Value units that are carried into the delivery before the opening of a date, by what keeps of them.

        `further` are numbers of units that are carried into the delivery after that one, and what each is worth.
        """
        days = self._days_to_delivery(product, date)
        ahead = np.arange(days + 1)
        new = float(self.rules.quantity[product]) or max(float(self.rules.par[product]) - keeps[0], 0.0)
        then = np.array([_at(keeps, day) for day in ahead.tolist()]) + new * (ahead < self._life(product))
        level = np.arange(self.n_levels(product), dtype=float)
        stay = left_of(_at(then, days), then[0], level, self.freshest_share)
        worth = self._until_delivery(product, date, then, level, _read_between(stay, *further))
        return float(np.interp(then[0], level, self._day(product, date, worth))) + self._saved(
            product, date, then, worth
        )

    def _worth_of_carried(self, product: int, date: dt.date) -> tuple[Floats, Floats]:
        """Return numbers of units that are carried into a delivery, and the worth of each, EUR of gain."""
        key = (product, date.weekday())
        if key not in self._carried:
            self._carried[key] = self._followed_back(product, date)
        return self._carried[key]

    def _followed_back(self, product: int, date: dt.date) -> tuple[Floats, Floats]:
        cycle, par, quantity = (
            self._days_to_delivery(product, date),
            self.rules.par[product],
            self.rules.quantity[product],
        )
        numbers = np.linspace(0, quantity if quantity else par, _NUMBERS)
        sales = _SALES * cycle * self._most_sales(product)
        ages = usual_ages(numbers, sales, self._life(product), cycle, self.freshest_share, int(par), int(quantity))
        keeps = np.cumsum(ages[:, ::-1], axis=1)[:, ::-1]
        values = np.zeros(_NUMBERS)
        if self._is_the_same(product, date, keeps.T):
            return numbers, values
        dates = [date]
        settles_soon = quantity == 0 and self.freshest_share == 0
        for _ in range(min(_FARTHEST, 2 + 2 * self._life(product) // cycle) if settles_soon else _FARTHEST):
            dates.append(dates[-1] + self._days_to_delivery(product, dates[-1]) * _ONE_DAY)
        for opening in reversed(dates[:-1]):
            further = numbers, values
            values = np.array([self._opened(product, opening, own, further) for own in keeps])
            values -= values[0]
            if self._all_alike(product) and np.abs(values - further[1]).max() < _SETTLED:
                break
        return numbers, values

    def _all_alike(self, product: int) -> bool:
        """Tell whether one delivery of a product is like another: as many days apart, on all of which people come."""
        week = (self._days_to_delivery(product, _A_MONDAY + day * _ONE_DAY) for day in range(7))
        return not self.closed_weekdays and max(week) == 1

    def _most_sales(self, product: int) -> float:
        """Return units that would sell on a day at the lowest price."""
        chances = self.chances[..., product, :]
        mean = chances if chances.ndim == 1 else chances.mean(axis=0)
        return float(mean[self.choosable[product]].max() * self.visits[product].sum())

    def _life(self, product: int) -> int:
        is_for_ever = self.rules.products[product].shelf_life_days is None
        return 10_000 if is_for_ever else int(self.rules.newest[product]) + 1

    def _days_to_delivery(self, product: int, date: dt.date) -> int:
        return int(self.rules.days_to_delivery(date)[product])

    def _saved(self, product: int, date: dt.date, keeps: Floats, worth: Floats) -> float:
        """Return what a sticker saves on a day that opens with units of which some keep, and ends with some worth."""
        old, young = round(float(keeps[0] - keeps[1])), round(float(keeps[1]))
        if self.stickers is None or not old or not young or date.weekday() in self.closed_weekdays:
            return 0.0
        gains, rates = self._rates[product]
        stickers = self.stickers[product][np.isfinite(self.stickers[product])] - self.rules.products[product].unit_cost
        lost = float(self.rules.lost_with_a_unit[product])
        return MixedShelf(gains, rates, worth, old, young, self.freshest_share, lost).rough_saving(stickers)

    def _day(self, product: int, date: dt.date, worth: Floats) -> Floats:
        """Value units at the opening of a day that ends with some worth, shape (n_levels,)."""
        if date.weekday() in self.closed_weekdays:
            return worth
        value = price_stock(*self._rates[product], self.n_levels(product), worth)[1]
        return np.asarray(value[:, -1])

    @cached_property
    def _rates(self) -> list[tuple[Floats, Floats]]:
        """What one sale brings at each candidate, EUR, and the units that would sell in each tick, by product."""
        return [self._rates_of(product) for product in range(len(self.gains))]

    def _rates_of(self, product: int) -> tuple[Floats, Floats]:
        among = np.flatnonzero(self.choosable[product])
        rates = rates_of(self.chances[..., product, among], self.visits[product])
        n_ticks = rates.shape[1]
        begins = np.unique(np.linspace(0, n_ticks, min(_TICKS, n_ticks), endpoint=False).astype(int))
        return self.gains[product, among], np.add.reduceat(rates, begins, axis=1)


def _at(keeps: Any, day: int) -> Any:
    """Return what keeps so many days; of days that are not told, what keeps on the last that is."""
    return keeps[min(day, len(keeps) - 1)]


def _read_between(at: Floats, numbers: Floats, values: Floats) -> Floats:
    """Read values between numbers of units, and beyond the last as they go on there."""
    slope = (values[-1] - values[-2]) / (numbers[-1] - numbers[-2])
    return np.interp(at, numbers, values) + slope * np.maximum(at - numbers[-1], 0)


_MOST_CYCLES = 60


def usual_ages(
    numbers: Floats, sales: Floats, life: int, cycle: int, freshest_share: float, par: int, quantity: int
) -> Floats:
    """Return some numbers of units that are carried into a delivery by the days on which they may still be sold.

    A store that begins with nothing is followed, without luck, at several rates of sale; ages are read between the
    numbers of units that it carries into its deliveries.

    Parameters
    ----------
    numbers
        Units that are carried, ascending, shape (n,).
    sales
        Units that would sell between two deliveries, shape (n_rates,).
    life
        Days on which a new unit may be sold, that of its delivery included.
    cycle
        Days from one delivery to the next.
    freshest_share
        Share of what is sold that is taken from the freshest units; the rest is from the oldest.
    par, quantity
        Units up to which a delivery fills the shelf, and units of each delivery or 0.

    Returns
    -------
    Floats
        Shape (n, n_lives): column i holds those with i + 1 days left, the day of the delivery included, and the last
        one those that keep as good as for ever.
    """
    cycles = -(-life // cycle)  # deliveries while a unit may be sold, its own included
    if cycles > _MOST_CYCLES:
        return numbers[:, None]
    by_life = np.zeros((len(numbers), max(life - cycle, 0) + 1))
    if life <= cycle:
        return by_life
    cohorts = np.zeros((len(sales), cycles))  # from the oldest to the newest
    seen = [cohorts]
    for _ in range(min(3 * cycles, _MOST_CYCLES)):
        new = np.full(len(sales), float(quantity)) if quantity else np.maximum(par - cohorts.sum(axis=1), 0)
        on_shelf = np.concatenate([cohorts[:, 1:], new[:, None]], axis=1)
        sold = np.minimum(sales, on_shelf.sum(axis=1))
        cohorts = _without(on_shelf, freshest_share * sold, (1 - freshest_share) * sold)
        cohorts[:, 0] = 0.0  # may not be sold any more
        seen.append(cohorts)
    known = np.concatenate(seen)
    known = known[np.argsort(known.sum(axis=1), kind="stable")]
    carried = known.sum(axis=1)
    for age in range(1, cycles):
        share = np.divide(known[:, age], carried, out=np.zeros(len(known)), where=carried > 0)
        by_life[:, life - cycle * (cycles - age) - 1] = numbers * np.interp(numbers, carried, share)
    told = by_life.sum(axis=1)
    return by_life * np.divide(numbers, told, out=np.zeros(len(numbers)), where=told > 0)[:, None]


def _without(units: Floats, from_end: Floats, from_start: Floats) -> Floats:
    """Return rows of numbers of units without so many from the end and from the start."""
    ends = np.cumsum(units, axis=1)
    lower, upper = from_start[:, None], ends[:, -1:] - from_end[:, None]
    return np.clip(np.minimum(ends, upper) - np.maximum(ends - units, lower), 0, None)
