"""What units left at closing are worth, and the labels and stickers of a day whose evening counts.

Money is counted as gain, price less cost, when a unit is sold. So a unit that is kept is worth 0 as long as it stands
for one that need not be delivered; what it was bought for and its disposal are lost when it is thrown away.

Of the units on a shelf, in order of freshness, those who take the freshest remove some at one end, all others at the
other end. So how many are left tells which are left, and the recursion of a day needs no more than their number, but
for a day with a sticker, where units on their last day are counted apart. Until the next delivery the value of an
evening knows how long each unit keeps. From there to the delivery after it, the value is worked out for some numbers of
units left, and read in between. Further ahead, units that are carried into a delivery are taken to be as old as they
are where so many are left every day: the value of each number of them is followed back from far enough.

A sticker is worth what the best labels beside it bring until closing, with what is then left, more than the best labels
without one.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.bounds import not_above, price_bounds
from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from catalog.records.product import Product
from serving.optimise.curves import DemandCurves
from serving.optimise.recursion import NO_STICKER, Day, Sticker, days_of, solve_day

_ANY_DAY = dt.date(2024, 1, 1)  # a Monday
_TICKS = 12  # of a day to come, and of the day while a sticker is chosen
_NUMBERS = 9  # of units left, for which a value is worked out
_CLASSES = 32  # of the units of a full shelf: so finely the number that keeps is known
_SALES = np.linspace(0.3, 1.0, 8)  # of what would sell on a day at the lowest price
_FARTHEST = 10  # deliveries
_MOST_CYCLES, _MOST_TURNS = 60, 3
_FOR_EVER = 10_000  # days
_SETTLED = 1e-3  # EUR, of all units together
_NOISE = 1e-9  # EUR
_BATCHES, _LABELS, _STICKERS = 24, 9, 4  # of a shelf on a day to come, and the prices that are tried there
_MOST_KINDS = 64  # shelves of a product that are solved apart
_DIGITS = 6  # after the point: a price is a sum of decimals kept as binary

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
class MixedShelf:
    """The day of a shelf that opened with units on their last day, and with younger ones.

    `at_closing` is what each number of units is worth in the evening where no sticker was stuck, EUR, shape
    (n_levels,). `freshest_share` of the shoppers take the unit that keeps longest. `lost` is what a unit that is thrown
    away costs, EUR.
    """

    day: Day
    at_closing: Floats
    old: int
    young: int
    freshest_share: float
    lost: float

    def with_sticker(self, gain: float) -> tuple[Ints, Floats]:
        """Return the best labels beside a sticker, by what one sale at it brings, and what the shelf is worth, EUR.

        As `solve_day` does.
        """
        levels = np.arange(len(self.at_closing), dtype=float)
        stay = left_of(self.young, self.old + self.young, levels, self.freshest_share)
        of_young = np.interp(np.arange(self.young + 1), stay, self.at_closing + self.lost * (levels - stay))
        evening = of_young - self.lost * np.arange(self.old + 1)[:, None]
        return solve_day(self.day.gains, self.day.rates, evening, self.sticker(gain), self.freshest_share)

    def sticker(self, gain: float) -> Sticker:
        """Return a sticker by what one sale at it brings."""
        return gain, self.day.would_pay(gain)

    @cached_property
    def without(self) -> float:
        """What the shelf is worth at opening without a sticker, EUR."""
        worth = solve_day(self.day.gains, self.day.rates, self.at_closing[None], NO_STICKER, 0.0)[1]
        return float(worth[-1, 0, self.old + self.young])

    def value(self, gain: float) -> float:
        """Return what the shelf is worth at opening beside a sticker, EUR."""
        return float(self.with_sticker(gain)[1][-1, self.old, self.young])

    def best_sticker(self, gains: Floats) -> tuple[float, float]:
        """Return which sticker is worth most, by what one sale brings at it, and what it saves, EUR; NaN for none.

        `gains` are those of the stickers that are possible.
        """
        if not len(gains):
            return np.nan, np.nan
        few = replace(self, day=self.day.in_ticks(_TICKS))
        best = float(gains[np.argmax([few.value(gain) for gain in gains.tolist()])])
        saving = self.value(best) - self.without
        return (best, saving) if saving > _NOISE else (np.nan, np.nan)

    def rough_saving(self, gains: Floats) -> float:
        """Return roughly what the best of some stickers brings, EUR, at least 0: units in batches, few prices tried."""
        size = -(-(self.old + self.young) // _BATCHES)
        if not _in_batches(np.array([self.old, self.young]), size).all():
            return 0.0
        labels = _spread(len(self.day.gains), _LABELS)
        day = self.day._replace(gains=self.day.gains[labels], rates=self.day.rates[labels])
        few = replace(self, day=day).in_batches(size)
        tried = gains[_spread(len(gains), _STICKERS)].tolist()
        return max((few.value(gain * size) - few.without for gain in tried), default=0.0)

    def in_batches(self, size: int) -> "MixedShelf":
        """Return the same shelf with so many units sold at a time, so that there are fewer states; one batch at least.

        A sale brings as much more, and there are as many fewer of them.
        """
        old, young = np.maximum(_in_batches(np.array([self.old, self.young]), size), 1).tolist()
        batches, levels = np.arange(old + young + 1) * float(size), np.arange(len(self.at_closing), dtype=float)
        at_closing = self.at_closing if size == 1 else np.interp(batches, levels, self.at_closing)
        day = self.day._replace(gains=self.day.gains * size, rates=self.day.rates / size)
        return replace(self, day=day, at_closing=at_closing, old=old, young=young, lost=self.lost * size)


@dataclass(frozen=True)
class Evenings:
    """Values the evening's stock of a product whose units live on.

    Attributes
    ----------
    product
        What is sold.
    day
        A day to come, as it is believed in the morning, in long ticks.
    stickers
        What a sale brings at each sticker that is possible, EUR; None where nobody sticks any.
    to_delivery
        Days from each weekday to the next delivery, 0 for Monday.
    closed_weekdays
        Weekdays on which nobody comes.
    most
        Most units that are ever on the shelf.
    freshest_share
        Share of the shoppers who take the unit that keeps longest.
    """

    product: Product
    day: Day
    stickers: Floats | None
    to_delivery: tuple[int, ...]
    closed_weekdays: frozenset[int]
    most: int
    freshest_share: float
    _evenings: dict[tuple[int, Keeps], Floats] = field(default_factory=dict, repr=False, compare=False)
    _carried: dict[int, tuple[Floats, Floats]] = field(default_factory=dict, repr=False, compare=False)
    _usual: dict[int, Floats] = field(default_factory=dict, repr=False, compare=False)

    @property
    def life(self) -> int:
        """Days on which a new unit may be sold, that of its delivery included."""
        return self.product.shelf_life_days or _FOR_EVER

    @property
    def lost(self) -> float:
        """What a unit that is thrown away costs: what it was bought for, and its disposal, EUR."""
        return self.product.unit_cost + self.product.disposal_cost

    def far(self, date: dt.date) -> int:
        """Return how many numbers of `Keeps` matter on a date: those until the delivery after the next one."""
        return self._after(date.weekday(), 2) + 1

    def of_new_units(self, date: dt.date) -> Floats:
        """Return `at_closing` for a shelf that opened with new units alone."""
        return self.at_closing(date, keeps_on([self], date, new_units([self], np.array([self.most])))[0][0])

    def at_closing(self, date: dt.date, keeps: Keeps) -> Floats:
        """Return what each number of units is worth at the closing of a date, EUR of gain, shape (n_levels,).

        Against an empty shelf, which is worth 0. `keeps` is what was on the shelf when the date began.
        """
        weekday, keeps = date.weekday(), tuple(keeps)
        if not self.product.lives_on:
            return np.zeros(self.most + 1)
        if (weekday, keeps) not in self._evenings:
            days, end = self._after(weekday, 1), self._after(weekday, 2)
            left, carried = np.linspace(0, min(keeps[0], self.most), _NUMBERS), np.zeros(_NUMBERS)
            ages = [left_of(_at(keeps, day), keeps[0], left, self.freshest_share) for day in range(days, end + 1)]
            if ages[0].any():
                further = self._worth_of_carried((weekday + end) % 7)
                carried = self._opened((weekday + days) % 7, np.array(ages).T, further)
            self._evenings[weekday, keeps] = self._until_delivery(weekday, keeps, left, carried)
        return self._evenings[weekday, keeps]

    def _after(self, weekday: int, deliveries: int) -> int:
        """Return the days from a weekday until so many deliveries later."""
        days = 0
        for _ in range(deliveries):
            days += self.to_delivery[(weekday + days) % 7]
        return days

    def _until_delivery(self, weekday: int, keeps: Floats | Keeps, numbers: Floats, carried: Floats) -> Floats:
        """Value an evening; `carried` values some numbers of units left just before the next delivery."""
        days, level = self._after(weekday, 1), np.arange(self.most + 1.0)
        opened = np.interp(level, numbers, carried)
        for day in range(days, 0, -1):
            stay = left_of(_at(keeps, day), keeps[0], level, self.freshest_share)
            worth = -self.lost * (level - stay) - self.product.holding_cost * stay
            worth += opened if day == days else np.interp(stay, level, opened)
            worth -= worth[0]
            if day > 1:
                opened = self._opening((weekday + day - 1) % 7, worth)
        return worth

    def _opened(self, weekday: int, keeps: Floats, further: tuple[Floats, Floats]) -> Floats:
        """Value numbers of units that are carried into a delivery by what keeps of each, shape (n_numbers, n_days).

        `further` are numbers of units that are carried into the delivery after that one, and what each is worth.
        """
        days, product = self._after(weekday, 1), self.product
        quantity, is_new = product.delivered.quantity, np.arange(days + 1) < self.life
        stays = keeps[:, min(days, keeps.shape[1] - 1)] >= keeps[:, 0] * 0.999
        if not further[1].any() and not quantity and self.life > days and stays.all():
            return np.zeros(len(keeps))  # the shelf is full of units that keep until the delivery after it
        values, level = np.zeros(len(keeps)), np.arange(self.most + 1.0)
        for number, kept in enumerate(keeps):
            new = float(quantity) if quantity else max(product.par_stock - kept[0], 0.0)
            then = np.array([_at(kept, day) for day in range(days + 1)]) + new * is_new
            stay = left_of(then[days], then[0], level, self.freshest_share)
            worth = self._until_delivery(weekday, then, level, np.interp(stay, *further))
            values[number] = np.interp(then[0], level, self._opening(weekday, worth))
            values[number] += self._saved(weekday, then, worth)
        return values

    def _worth_of_carried(self, weekday: int) -> tuple[Floats, Floats]:
        """Return numbers of units that are carried into a delivery, and the worth of each, EUR of gain."""
        if weekday in self._carried:
            return self._carried[weekday]
        numbers = np.linspace(0, max(self.most - (self.product.delivered.quantity or 0), 1), _NUMBERS)
        values, are_alike = np.zeros(_NUMBERS), not self.closed_weekdays and max(self.to_delivery) == 1
        for deliveries in range(_FARTHEST - 1, -1, -1):
            opening, later = (weekday + self._after(weekday, deliveries)) % 7, values
            values = self._opened(opening, self._usual_keeps(numbers)[opening], (numbers, later))
            values -= values[0]
            if are_alike and np.abs(values - later).max() < _SETTLED:
                break
        self._carried[weekday] = numbers, values
        return numbers, values

    def _usual_keeps(self, numbers: Floats) -> dict[int, Floats]:
        """Return `usual_keeps` of units that are carried into the delivery of each weekday."""
        if not self._usual:
            weekdays = [self._after(0, 1) % 7]
            while (then := (weekdays[-1] + self.to_delivery[weekdays[-1]]) % 7) != weekdays[0]:
                weekdays.append(then)
            gaps = [self._gap(weekday) for weekday in weekdays]
            sales = _SALES * self.day.rates.sum(axis=1).max()
            orders = self.product.par_stock, self.product.delivered.quantity or 0
            usual = usual_keeps(numbers, sales, self.life, gaps, self.freshest_share, *orders)
            self._usual.update(zip(weekdays, usual, strict=True))
        return self._usual

    def _gap(self, weekday: int) -> tuple[int, int]:
        """Return the days from a delivery to the next one, and on how many of them the store opens."""
        days = self.to_delivery[weekday]
        return days, sum((weekday + day) % 7 not in self.closed_weekdays for day in range(days))

    def _saved(self, weekday: int, keeps: Floats, worth: Floats) -> float:
        """Return what a sticker saves on a day that opens with units of which some keep, and ends with some worth."""
        young = round(float(keeps[1]))
        old = round(float(keeps[0])) - young
        if self.stickers is None or not old or not young or weekday in self.closed_weekdays:
            return 0.0
        return MixedShelf(self.day, worth, old, young, self.freshest_share, self.lost).rough_saving(self.stickers)

    def _opening(self, weekday: int, worth: Floats) -> Floats:
        """Value units at the opening of a day that ends with some worth, shape (n_levels,)."""
        if weekday in self.closed_weekdays:
            return worth
        return solve_day(self.day.gains, self.day.rates, worth[None], NO_STICKER, 0.0)[1][-1, 0]


def evenings_of(
    catalog: Catalog, curves: DemandCurves, visits: Floats, sales: tuple[Floats, Floats] | None = None
) -> tuple[Evenings, ...] | None:
    """Return what values the stock of each product; None where what is left tonight does not count.

    `curves` and `visits` are those of a whole day. `sales` are gains and chances; None is those of the curves. A
    sticker shows a candidate within floor, ceiling and cost plus margin, with the price ending.
    """
    rules, store = catalog.stock_rules, catalog.store
    if rules is None or not catalog.counts_evenings:
        return None
    week = [_ANY_DAY + dt.timedelta(days=day) for day in range(7)]
    closed = frozenset(date.weekday() for date in week if not store.is_open_on(date))
    gains, chances = sales or (curves.prices - catalog.unit_costs[:, None], curves.at_ticks)
    bounds = price_bounds(catalog.products, store.guardrails, store.money)
    stickers = not_above(curves.prices, store.guardrails.price_ending, store.money)
    may_stick = curves.choosable & (stickers >= bounds.lowest[:, None]) & (stickers <= bounds.ceilings[:, None])
    shelf = []
    for number, (product, day) in enumerate(
        zip(catalog.products, days_of(gains, chances, curves.choosable, visits), strict=True)
    ):
        possible = stickers[number, may_stick[number]] - product.unit_cost if catalog.uses_stickers else None
        to_delivery = tuple(int(rules.days_to_delivery(date)[number]) for date in week)
        most, share = int(catalog.most_stock[number]), store.freshest_share
        shelf.append(Evenings(product, day.in_ticks(_TICKS), possible, to_delivery, closed, most, share))
    return tuple(shelf)


def new_units(shelf: Sequence[Evenings], stock: Ints) -> Ints:
    """Return a shelf of units that were delivered today, by life, shape (1, n_products, n_lives)."""
    lives = np.array([evenings.product.shelf_life_days or 0 for evenings in shelf])
    by_life = np.zeros((1, len(shelf), int(lives.max()) + 1), dtype=np.int64)
    by_life[0, np.arange(len(shelf)), lives - 1] = stock  # the last column is of those that keep for ever
    return by_life


def keeps_on(shelf: Sequence[Evenings], date: dt.date, by_life: Ints) -> list[Ints]:
    """Return `Keeps` of the shelves of some stores, in classes, by product, each of shape (n_stores, n_days).

    A number is at most half a class off. Where all take the oldest unit, it does not matter how many are on a shelf
    beside those that keep. `by_life` has shape (n_stores, n_products, n_lives).
    """
    keeps, most = np.cumsum(by_life[..., ::-1], axis=-1)[..., ::-1], np.array([evenings.most for evenings in shelf])
    step = np.maximum(most // _CLASSES, 1)[:, None]
    in_classes = (keeps + step // 2) // step * step
    if shelf[0].freshest_share > 0:
        in_classes = np.maximum(in_classes, step * (keeps > 0))
    else:
        in_classes = np.where(keeps == keeps[..., :1], most[:, None] + 1, in_classes)
    return [in_classes[:, product, : evenings.far(date)] for product, evenings in enumerate(shelf)]


class SolvedOverDays:
    """Best candidates and unit values of a day, by product, by what keeps of its units, stock and ticks left."""

    def __init__(self, days: Sequence[Day], shelf: Sequence[Evenings]) -> None:
        """Solve nothing yet; `days` are what is left of today."""
        self._days, self._shelf = days, shelf
        self._solved: dict[tuple[int, int, Keeps], tuple[Ints, Floats]] = {}
        self._beside: dict[tuple[int, int, Keeps, int, float], tuple[Ints, Floats]] = {}
        self._chosen: dict[tuple[int, int, Keeps, int], tuple[float, float]] = {}

    def on(self, shelf: Shelf) -> tuple[Ints, Floats, Floats | None, Floats | None]:
        """Return the best candidate, the value of one unit more in the ticks after, stickers, and what they save.

        Each has shape (n_stores, n_products); stickers and savings are EUR, NaN for none, and None where nobody sticks
        any, or none is chosen now. A shelf that does not say what it opened with had new units, and one without a date
        is of a day like any other.
        """
        stock, date, by_life = self._opened(shelf)
        candidate, unit_value = np.empty(stock.shape, dtype=np.int64), np.empty(stock.shape)
        for product, keeps in enumerate(keeps_on(self._shelf, date, by_life)):
            for kind, rows, _ in _kinds(keeps):
                best, worth = self.solution(product, date, kind)
                units, later = stock[rows, product], worth[shelf.ticks_left - 1]
                candidate[rows, product] = best[shelf.ticks_left - 1, units]
                unit_value[rows, product] = later[units] - later[units - 1]
        if self._shelf[0].stickers is None:
            return candidate, unit_value, None, None
        sticker, saving = np.full((2, *stock.shape), np.nan)
        if shelf.sticker is not None:
            sticker[:] = shelf.sticker
        for product in np.flatnonzero((by_life[..., 0] > 0).any(axis=0)).tolist():
            for kind, rows, size in self._mixed(product, date, by_life):
                key = product, date, kind, size
                if shelf.sticker is None:
                    sticker[rows, product], saving[rows, product] = self._choice(*key)
                for price in np.unique(sticker[rows, product][np.isfinite(sticker[rows, product])]).tolist():
                    stuck = rows[sticker[rows, product] == price]
                    best, worth = self._beside_sticker(*key, price)
                    old, young = self._left(shelf, stock, product, kind, stuck)
                    now, later = best[shelf.ticks_left - 1], worth[shelf.ticks_left - 1]
                    old, young = (
                        np.minimum(_in_batches(units, size), most - 1)
                        for units, most in zip((old, young), now.shape, strict=True)
                    )
                    candidate[stuck, product] = now[old, young]
                    unit_value[stuck, product] = (later[old, young] - later[old, np.maximum(young - 1, 0)]) / size
        return candidate, unit_value, sticker, saving if shelf.sticker is None else None

    def worths(self, shelf: Shelf, product: int) -> Floats:
        """Return what each candidate brings one store in this tick and after it, more than all its units kept, EUR.

        Shape (n_prices,), of those that may be chosen. `shelf` is as in `on`.
        """
        stock, date, by_life = self._opened(shelf)
        left, stickers, day = shelf.ticks_left, self.on(shelf)[2], self._days[product]
        units, sticker = (0, int(stock[0, product])), NO_STICKER
        if stickers is not None and np.isfinite(stickers[0, product]):
            kind, rows, _ = next(self._mixed(product, date, by_life))
            old, young = self._left(shelf, stock, product, kind, rows)
            mixed, gain = (
                self._shelf_of(product, date, kind, 1),
                float(stickers[0, product]) - self._shelf[product].product.unit_cost,
            )
            units, sticker, later = (int(old[0]), int(young[0])), mixed.sticker(gain), mixed.with_sticker(gain)[1]
        else:
            keeps = keeps_on(self._shelf, date, by_life)[product][0]
            later = self.solution(product, date, tuple(keeps.tolist()))[1][:, None]
        each = day.worth_of_each(later[left - 1], left, units, sticker, self._shelf[product].freshest_share)
        return each - later[left - 1][units]

    def solution(self, product: int, date: dt.date, keeps: Keeps) -> tuple[Ints, Floats]:
        """Return best candidates and values of a product on a date by ticks left and stock, by what keeps of it.

        As `solve_day` does.
        """
        key = (product, date.weekday(), keeps)
        if key not in self._solved:
            day, evening = self._days[product], self._shelf[product].at_closing(date, keeps)
            labels, worth = solve_day(day.gains, day.rates, evening[None], NO_STICKER, 0.0)
            self._solved[key] = day.among[labels[:, 0]], worth[:, 0]
        return self._solved[key]

    def _opened(self, shelf: Shelf) -> tuple[Ints, dt.date, Ints]:
        """Return stock that is there, the date, and the units at opening by life, of each store."""
        most = np.array([evenings.most for evenings in self._shelf])
        opened_with = new_units(self._shelf, most) if shelf.opened_with is None else shelf.opened_with
        by_life = np.broadcast_to(opened_with, (*shelf.stock.shape, opened_with.shape[-1]))
        return np.clip(shelf.stock, 1, most), shelf.business_date or _ANY_DAY, by_life

    def _mixed(self, product: int, date: dt.date, by_life: Ints) -> Iterator[tuple[Keeps, Ints, int]]:
        """Yield `_kinds` of the stores that opened with units on their last day and with younger ones."""
        units, evenings = by_life[:, product], self._shelf[product]
        rows = np.flatnonzero((units[:, 0] > 0) & (units[:, 1:] > 0).any(axis=1))
        keeps = np.cumsum(units[rows, ::-1], axis=1)[:, ::-1][:, : evenings.far(date)]
        for kind, some, size in _kinds(np.minimum(keeps, evenings.most)):
            if kind[0] > kind[1]:  # else there are more young ones than are ever on the shelf
                yield kind, rows[some], size

    @staticmethod
    def _left(shelf: Shelf, stock: Ints, product: int, kind: Keeps, rows: Ints) -> tuple[Ints, Ints]:
        """Return units on their last day and younger ones of some stores."""
        units = stock[rows, product]
        old = units - kind[1] if shelf.on_last_day is None else shelf.on_last_day[rows, product]
        old = np.clip(old.astype(np.int64), 0, kind[0] - kind[1])
        return old, np.minimum(units - old, kind[1])

    def _choice(self, product: int, date: dt.date, keeps: Keeps, size: int) -> tuple[float, float]:
        """Return the price of the best sticker and what it saves, EUR; NaN where none does."""
        key, evenings = (product, date.weekday(), keeps, size), self._shelf[product]
        if key not in self._chosen:
            assert evenings.stickers is not None  # noqa: S101 - asked before
            best, saving = self._shelf_of(product, date, keeps, size).best_sticker(evenings.stickers * size)
            self._chosen[key] = round(best / size + evenings.product.unit_cost, _DIGITS), saving
        return self._chosen[key]

    def _beside_sticker(
        self, product: int, date: dt.date, keeps: Keeps, size: int, sticker: float
    ) -> tuple[Ints, Floats]:
        """Return the best candidates beside a sticker, and values, as `solve_day` does."""
        key = (product, date.weekday(), keeps, size, sticker)
        if key not in self._beside:
            gain = (sticker - self._shelf[product].product.unit_cost) * size
            labels, worth = self._shelf_of(product, date, keeps, size).with_sticker(gain)
            self._beside[key] = self._days[product].among[labels], worth
        return self._beside[key]

    def _shelf_of(self, product: int, date: dt.date, keeps: Keeps, size: int) -> MixedShelf:
        day, evenings = self._days[product], self._shelf[product]
        numbers = keeps[0] - keeps[1], keeps[1], evenings.freshest_share, evenings.lost
        return MixedShelf(day, evenings.at_closing(date, keeps), *numbers).in_batches(size)


def _kinds(keeps: Ints) -> Iterator[tuple[Keeps, Ints, int]]:
    """Yield what keeps of some shelves, shape (n_shelves, n_days), and which shelves are so; one stands for all.

    Of many shelves, what keeps is rounded to steps of 2, 4 ... units, until there are few kinds; the step comes last.
    """
    step, kinds, of_shelf = 1, keeps[:1], np.zeros(len(keeps), dtype=np.int64)
    if not (keeps == kinds).all():
        kinds, of_shelf = np.unique(keeps, axis=0, return_inverse=True)
    while len(kinds) > _MOST_KINDS:
        step *= 2
        rounded = np.maximum((keeps + step // 2) // step, keeps > 0) * step
        kinds, of_shelf = np.unique(np.minimum(rounded, keeps.max(axis=0)), axis=0, return_inverse=True)
    for number, kind in enumerate(kinds.tolist()):
        yield tuple(kind), np.flatnonzero(of_shelf.ravel() == number), step


def _in_batches(units: Ints, size: int) -> Ints:
    """Return numbers of units in whole batches, halves rounded up, in the shape of `units`."""
    return (units + size // 2) // size


def _spread(n: int, most: int) -> Ints:
    """Return at most so many positions of n, evenly spread."""
    return np.unique(np.linspace(0, n - 1, most).round().astype(int))


def _at(keeps: Any, day: int) -> Any:
    """Return what keeps so many days; beyond the last number, what keeps as long as that."""
    return keeps[min(day, len(keeps) - 1)]


def left_of(keep: float, of: float, left: Floats, freshest_share: float) -> Floats:
    """Return how many of the units that keep are among those left, in the shape of `left`.

    Of `of` units, `keep` are the freshest. A share of what was sold is taken from the freshest, the rest from the
    oldest.
    """
    fresh_sold = freshest_share * np.maximum(of - left, 0)
    return np.clip(np.minimum(keep, left + fresh_sold) - fresh_sold, 0, left)


def usual_keeps(
    numbers: Floats,
    sales: Floats,
    life: int,
    gaps: Sequence[tuple[int, int]],
    freshest_share: float,
    par: int,
    quantity: int,
) -> list[Floats]:
    """Return how many of the units that are carried into each delivery keep, shape (n_numbers, n_days), as `Keeps`.

    A store that begins with nothing is followed, without luck, at several rates of sale; ages are read between the
    numbers of units that it carries into its deliveries.

    Parameters
    ----------
    numbers
        Units that are carried, ascending, shape (n_numbers,).
    sales
        Units that would sell on a day, shape (n_rates,).
    life
        Days on which a new unit may be sold, that of its delivery included.
    gaps
        Days from each delivery to the next one, and on how many of them the store opens; the first follows the last.
    freshest_share
        Share of what is sold that is taken from the freshest units; the rest is from the oldest.
    par, quantity
        Units up to which a delivery fills the shelf, and units of each delivery or 0.
    """
    turns = -(-life // sum(days for days, _ in gaps))  # in which all units of before are gone
    if turns * len(gaps) > _MOST_CYCLES:
        return [numbers[:, None]] * len(gaps)
    by_life = np.zeros((len(sales), life))  # from the units on their last day to new ones
    mornings: list[list[Floats]] = [[] for _ in gaps]
    for _ in range(_MOST_TURNS * turns):
        for (days, open_days), carried in zip(gaps, mornings, strict=True):
            carried.append(by_life)
            new = quantity or np.maximum(par - by_life.sum(axis=1), 0)
            on_shelf = by_life.copy()
            on_shelf[:, -1] += new
            ends, sold = np.cumsum(on_shelf, axis=1), np.minimum(sales * open_days, on_shelf.sum(axis=1))[:, None]
            fresh_end, old_end = ends[:, -1:] - freshest_share * sold, (1 - freshest_share) * sold
            kept = np.clip(np.minimum(ends, fresh_end) - np.maximum(ends - on_shelf, old_end), 0, None)
            by_life = np.concatenate([kept[:, days:], np.zeros((len(sales), min(days, life)))], axis=1)
    n_days = max(days for days, _ in gaps) + 1
    return [_keeps_between(numbers, np.concatenate(carried), n_days) for carried in mornings]


def _keeps_between(numbers: Floats, by_life: Floats, n_days: int) -> Floats:
    """Return `Keeps` of some numbers of units, read between shelves of shape (n_shelves, life)."""
    by_life = by_life[np.argsort(by_life.sum(axis=1), kind="stable")]
    keeps = np.cumsum(by_life[:, ::-1], axis=1)[:, ::-1]
    total = keeps[:, 0]
    shares = np.divide(keeps, total[:, None], out=np.zeros(keeps.shape), where=total[:, None] > 0)
    shares = np.pad(shares, ((0, 0), (0, max(n_days - shares.shape[1], 0))))[:, :n_days]
    return np.array([np.interp(numbers, total, share) for share in shares.T]).T * numbers[:, None]
