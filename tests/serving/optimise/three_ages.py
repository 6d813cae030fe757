"""The exact answer for a small shelf whose units keep for at most three days: every mixture of ages is a state."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numba
import numpy as np

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.load import Catalog
from catalog.records.shoppers import WEEKDAYS
from serving.optimise.policies import PricingPolicy
from serving.optimise.recursion import rates_of
from tests.serving.test_stock_ahead import MONDAY, ONE_DAY, curves_of, visits_of

NOISE = 1e-9
NO_LABELS: Ints = np.empty((0, 0, 0, 0), dtype=np.int64)


@numba.njit(cache=True)
def _poisson(mean: float) -> Floats:
    """Chances of 0, 1, ... until nothing is left; the last one has the rest."""
    most = int(mean + 6 * np.sqrt(mean) + 4) if mean > 0 else 0
    chances = np.zeros(most + 1)
    chances[0] = np.exp(-mean)
    for count in range(1, most + 1):
        chances[count] = chances[count - 1] * mean / count
    chances[most] += max(0.0, 1.0 - chances.sum())
    return chances


@numba.njit(cache=True)
def _after(later: Floats, units: tuple[int, int, int], from_fresh: int, from_old: int) -> float:
    """Return what is left is worth, once so many freshest and so many oldest units are gone."""
    last, middle, young = units
    old = min(from_old, last)
    last, from_old = last - old, from_old - old
    old = min(from_old, middle)
    middle, young = middle - old, young - (from_old - old)
    fresh = min(from_fresh, young)
    young, from_fresh = young - fresh, from_fresh - fresh
    fresh = min(from_fresh, middle)
    return later[last - (from_fresh - fresh), middle - fresh, young]


@numba.njit(cache=True)
def _tick(
    later: Floats, units: tuple[int, int, int], paid: tuple[float, float], takers: tuple[Floats, Floats], late: float
) -> float:
    """Gain of a tick at a label and a sticker; of those who find no old unit, the share `late` pays the label.

    A number of them between two is read on a straight line. A sticker of the label's price stands for none.
    """
    label, sticker = paid
    last, others = units[0], units[1] + units[2]
    total = 0.0
    for fresh in range(len(takers[0])):
        for aged in range(len(takers[1])):
            chance = takers[0][fresh] * takers[1][aged]
            if chance < 1e-12:
                continue
            at_label = min(fresh, others)
            at_sticker = min(aged + fresh - at_label, last)
            more = min(late * (aged + fresh - at_label - at_sticker), float(others - at_label))
            whole = int(more)
            for add, share in ((whole, 1 - more + whole), (whole + 1, more - whole)):
                if share > 0:
                    kept = _after(later, (0, units[1], units[2]), at_label, add) if last == at_sticker else 0.0
                    if last > at_sticker:
                        kept = _after(later, units, at_label, at_sticker)
                    total += chance * share * ((at_label + add) * label + at_sticker * sticker + kept)
    return total


@numba.njit(cache=True)
def day_from(
    gains: Floats, rates: Floats, share: float, sticker: tuple[float, Floats], evening: Floats, chosen: Ints
) -> Floats:
    """Value of every state at opening: by the labels chosen for (tick, state), or the best where none are given.

    `sticker` is what a sale at it brings, infinite for none, and who would pay it in each tick.
    """
    later = evening.copy()
    for tick in range(rates.shape[1]):
        at = rates.shape[1] - 1 - tick
        now = np.full_like(later, -np.inf)
        for label in range(len(gains)):
            paid, rate = gains[label], rates[label, at]
            fresh, plain = _poisson(share * rate), _poisson((1 - share) * rate)
            is_beside = paid > sticker[0] + NOISE
            to_old = max(sticker[1][at] - share * rate, 0.0) if is_beside else 0.0
            aged = _poisson(to_old)
            late = (1 - share) * rate / to_old if to_old > 0 else 0.0
            for last in range(later.shape[0]):
                for middle in range(later.shape[1]):
                    for young in range(later.shape[2]):
                        if len(chosen) and chosen[at, last, middle, young] != label:
                            continue
                        units = (last, middle, young)
                        if last > 0 and is_beside:
                            worth = _tick(later, units, (paid, sticker[0]), (fresh, aged), late)
                        else:
                            worth = _tick(later, units, (paid, paid), (fresh, plain), 1.0)
                        now[last, middle, young] = max(now[last, middle, young], worth)
        later = now
    return later


@dataclass(frozen=True)
class ThreeAges:
    """The shelf of one product. A state is its units with one, two and three days left."""

    catalog: Catalog

    @property
    def cohort(self) -> int:
        """Most units of one age."""
        product = self.catalog.products[0]
        return product.delivered.quantity or product.par_stock

    @property
    def gains(self) -> Floats:
        return curves_of(self.catalog).prices[0] - self.catalog.unit_costs[0]

    @property
    def rates(self) -> Floats:
        return rates_of(curves_of(self.catalog).p_sale[0], visits_of(self.catalog)[0])

    def carried(self) -> Iterator[tuple[int, int]]:
        """Yield what may be carried into a morning: units with one and with two days left."""
        product = self.catalog.products[0]
        life, fills = product.shelf_life_days or 1, product.delivered.quantity is None
        for last in range(self.cohort + 1 if life > 1 else 1):
            for middle in range(self.cohort + 1 if life > 2 else 1):
                if not fills or last + middle <= self.cohort:
                    yield last, middle

    def opening(self, weekday: int, last: int, middle: int) -> tuple[int, int, int]:
        """Return the state in which a day opens."""
        product, units = self.catalog.products[0], [last, middle, 0]
        if weekday in product.delivered.days(self.catalog.store.closed_days):
            units[(product.shelf_life_days or 1) - 1] += product.delivered.quantity or product.par_stock - last - middle
        return units[0], units[1], units[2]

    def profit(self, day: Callable[[int, tuple[int, int, int], Floats], float]) -> float:
        """Return the profit of a period among very many; `day` values an opening, for a weekday and an evening."""
        product, store = self.catalog.products[0], self.catalog.store
        is_alike = not store.closed_days and len(product.delivered.days(())) == 7
        lost, states = product.unit_cost + product.disposal_cost, list(self.carried())
        size = self.cohort + 1
        later = np.zeros((size, size))
        thrown = -lost * np.arange(size)[:, None, None]
        for _ in range(40):
            before = later
            for weekday in (2,) if is_alike else range(6, -1, -1):
                evening = thrown + later[None]
                now = np.zeros((size, size))
                for last, middle in states:
                    opened = self.opening(weekday, last, middle)
                    if WEEKDAYS[weekday] in store.closed_days:
                        now[last, middle] = evening[opened]
                    else:
                        now[last, middle] = day(weekday, opened, evening)
                later = now
            gained = np.array([later[state] - before[state] for state in states])
            if np.ptp(gained) < 1e-3 * abs(gained).max():
                return float(gained.mean())
        raise AssertionError("the profit depends on where the first day begins")

    def best(self) -> float:
        solved = dict[bytes, Floats]()
        is_stuck = self.catalog.uses_stickers
        none = np.inf, np.zeros(self.rates.shape[1])
        stickers = [none, *((gain, self._would_pay(gain)) for gain in self.gains)] if is_stuck else [none]

        def day(_weekday: int, opened: tuple[int, int, int], evening: Floats) -> float:
            key = evening.tobytes()
            if key not in solved:
                solved.clear()
                each = [day_from(self.gains, self.rates, self._share, own, evening, NO_LABELS) for own in stickers]
                solved[key] = np.max(each, axis=0)
            return float(solved[key][opened])

        return self.profit(day)

    def of(self, policy: PricingPolicy) -> float:
        """Evaluate a policy, exactly."""
        plans = dict[tuple[int, tuple[int, int, int]], tuple[tuple[float, Floats], Ints]]()

        def day(weekday: int, opened: tuple[int, int, int], evening: Floats) -> float:
            key = weekday, opened
            if key not in plans:
                plans[key] = self._plan(policy, weekday, opened)
            sticker, labels = plans[key]
            there = tuple(slice(units + 1) for units in opened)  # units only become fewer
            own = np.ascontiguousarray(evening[there])
            return float(day_from(self.gains, self.rates, self._share, sticker, own, labels)[opened])

        return self.profit(day)

    def _plan(
        self, policy: PricingPolicy, weekday: int, opened: tuple[int, int, int]
    ) -> tuple[tuple[float, Floats], Ints]:
        n_ticks, ladder = self.rates.shape[1], curves_of(self.catalog).prices[0]
        shape = tuple(units + 1 for units in opened)
        last, middle, young = (own.ravel() for own in np.indices(shape))
        stock = np.maximum(last + middle + young, 1)[:, None]
        life = self.catalog.products[0].shelf_life_days or 1
        lives = np.array([[[*opened[:life], 0]]])
        stuck, labels = None, []
        for left in range(n_ticks, 0, -1):
            at = (stock, np.full(stock.shape, np.nan), left, np.zeros(stock.shape), None, None, 0, lives)
            asked = policy.ask(Shelf(*at, MONDAY + weekday * ONE_DAY, stuck, last[:, None]))
            stuck = asked.sticker if stuck is None else stuck
            labels.append(np.searchsorted(ladder, asked.prices[:, 0] - NOISE).reshape(shape))
        price = np.nan if stuck is None else float(stuck[0, 0])
        if np.isnan(price):
            return (np.inf, np.zeros(n_ticks)), np.stack(labels)
        gain = price - float(self.catalog.unit_costs[0])
        return (gain, self._would_pay(gain)), np.stack(labels)

    @property
    def _share(self) -> float:
        return self.catalog.store.freshest_share

    def _would_pay(self, gain: float) -> Floats:
        return np.array([np.interp(gain, self.gains, own) for own in self.rates.T])
