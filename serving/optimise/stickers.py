"""Stickers: a lower price for the units that are on their last day, chosen together with the price on the label.

Old units are those on their last day, young ones all others. While both are on the shelf, whoever can pay the sticker
buys: those of them who take the freshest and can pay the label a young unit, all others an old one. So the state of the
day is how many of each are left: two numbers, and Poisson counts that are independent of each other, one along each.
When the old ones are gone, the young ones are priced alone. Sales to those who then still come within the same tick are
counted to first order.

A sticker is worth what the best labels beside it bring until closing, with what is then left, more than the best labels
alone.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numba
import numpy as np

from catalog.arrays import Floats, Ints
from catalog.bounds import not_above, price_bounds
from catalog.load import Catalog
from serving.optimise.curves import DemandCurves
from serving.optimise.recursion import chances_of_sales, price_stock, worth_of_each

_NOISE = 1e-9  # EUR
_TICKS = 12  # of the day while a sticker is chosen
_BATCHES, _LABELS, _STICKERS = 24, 9, 4  # of a shelf on a day to come, and the prices that are tried there


def batches(units: Ints, size: int) -> Ints:
    """Return numbers of units in whole batches, halves rounded up, in the shape of `units`."""
    return (units + size // 2) // size


def sticker_prices(catalog: Catalog, curves: DemandCurves) -> Floats | None:
    """Return the prices that a sticker may show, EUR, NaN where there is none, shape (n_products, n_prices).

    They are candidates within floor, ceiling and cost plus margin, with the price ending. None where nobody sticks any.
    """
    if not catalog.uses_stickers:
        return None
    rails, money = catalog.store.guardrails, catalog.store.money
    bounds = price_bounds(catalog.products, rails, money)
    prices = not_above(curves.prices, rails.price_ending, money)
    may_show = curves.choosable & (prices >= bounds.lowest[:, None]) & (prices <= bounds.ceilings[:, None])
    return np.where(may_show, prices, np.nan)


@dataclass(frozen=True)
class MixedShelf:
    """A shelf of one product that opened with old and young units, and the day that is priced.

    Attributes
    ----------
    gains, rates
        What one sale brings at each label, EUR, ascending, and the units that would sell on average at it in each tick
        that is left, shape (n_prices,) and (n_prices, n_ticks).
    at_closing
        What each number of units is worth in the evening where no sticker was stuck, EUR, shape (n_levels,).
    old, young
        Units at opening.
    freshest_share
        Share of the shoppers who take the unit that keeps longest.
    lost_with_a_unit
        What a unit that is thrown away costs, EUR.
    """

    gains: Floats
    rates: Floats
    at_closing: Floats
    old: int
    young: int
    freshest_share: float
    lost_with_a_unit: float

    @cached_property
    def left_alone(self) -> tuple[float, float]:
        """Return the best label at opening without a sticker, as what a sale brings at it, and the value, EUR."""
        labels, value = price_stock(self.gains, self.rates, len(self.at_closing), self.at_closing)
        opened = self.old + self.young
        return float(self.gains[labels[opened, -1]]), float(value[opened, -1])

    @cached_property
    def of_young(self) -> Floats:
        """Return what numbers of young units are worth in the evening, EUR, by what is left without a sticker."""
        levels = np.arange(len(self.at_closing), dtype=float)
        stay = left_of(self.young, self.old + self.young, levels, self.freshest_share)
        worth = self.at_closing + self.lost_with_a_unit * (levels - stay)
        return np.interp(np.arange(self.young + 1), stay, worth)

    def best_sticker(self, gains: Floats) -> tuple[float, float]:
        """Return which sticker is worth most, by what one sale brings at it, and what it saves, EUR; NaN for none.

        `gains` are those of the stickers that are possible.
        """
        label = self.left_alone[0]
        lower = gains[gains < label - _NOISE]
        if not len(lower):
            return np.nan, np.nan
        few = self.with_fewer_ticks()
        best = float(lower[np.argmax([few.with_sticker(gain)[1][-1, self.old, self.young] for gain in lower])])
        saving = self.saving(best)
        return (best, saving) if saving > _NOISE else (np.nan, np.nan)

    def saving(self, gain: float) -> float:
        """Return what a sticker is expected to bring more than the best labels without one, EUR."""
        return float(self.with_sticker(gain)[1][-1, self.old, self.young]) - self.left_alone[1]

    def rough_saving(self, gains: Floats) -> float:
        """Return roughly what the best of some stickers brings, EUR, at least 0: units in batches, few prices tried."""
        size = -(-(self.old + self.young) // _BATCHES)
        if not batches(np.array([self.old, self.young]), size).all():
            return 0.0
        labels = np.unique(np.linspace(0, len(self.gains) - 1, _LABELS).round().astype(int))
        few = replace(self, gains=self.gains[labels], rates=self.rates[labels]).in_batches(size)
        lower = gains[gains * size < few.left_alone[0] - _NOISE]
        tried = lower[np.unique(np.linspace(0, len(lower) - 1, _STICKERS).round().astype(int))] if len(lower) else lower
        return max((few.saving(gain * size) for gain in tried.tolist()), default=0.0)

    def in_batches(self, size: int) -> "MixedShelf":
        """Return the same shelf with so many units sold at a time, so that there are fewer states; one batch at least.

        A sale brings as much more, and there are as many fewer of them.
        """
        if size == 1:
            return self
        old, young = np.maximum(batches(np.array([self.old, self.young]), size), 1).tolist()
        levels = np.arange(len(self.at_closing), dtype=float)
        return MixedShelf(
            gains=self.gains * size,
            rates=self.rates / size,
            at_closing=np.interp(np.arange(old + young + 1) * float(size), levels, self.at_closing),
            old=old,
            young=young,
            freshest_share=self.freshest_share,
            lost_with_a_unit=self.lost_with_a_unit * size,
        )

    def with_fewer_ticks(self) -> "MixedShelf":
        """Return the same day in longer ticks."""
        n_ticks = self.rates.shape[1]
        begins = np.unique(np.linspace(0, n_ticks, min(_TICKS, n_ticks), endpoint=False).astype(int))
        return replace(self, rates=np.add.reduceat(self.rates, begins, axis=1))

    def with_sticker(self, gain: float, reach: tuple[int, int, int] | None = None) -> tuple[Ints, Floats]:
        """Return the best labels beside a sticker, by what one sale brings at it, and what the shelf is worth, EUR.

        Shape (n_ticks, n_old, n_young) and one tick more: position t of the labels stands for t + 1 ticks left, of the
        worth for t. `reach` are the ticks left and the old and young units until which they are asked for; None is all
        of the day and of the shelf. Fewer are found sooner, and are the same.
        """
        n_ticks, most_old, most_young = reach or (self.rates.shape[1], self.old, self.young)
        rates = np.ascontiguousarray(self.rates[:, -n_ticks:])  # as of the whole day: compiled for both
        of_young = self.of_young[: most_young + 1]
        alone, value = price_stock(self.gains, rates, most_young + 1, of_young)
        would_pay = np.array([np.interp(gain, self.gains, own) for own in rates.T])
        shape = (n_ticks + 1, most_old + 1, most_young + 1)
        worth, labels = np.zeros(shape), np.zeros((n_ticks, *shape[1:]), dtype=np.int64)
        worth[0] = of_young - self.lost_with_a_unit * np.arange(most_old + 1)[:, None]
        worth[:, 0], labels[:, 0] = value.T, alone.T
        dear = np.flatnonzero(self.gains > gain + _NOISE)
        _price_beside(self.gains, rates, dear, (gain, would_pay), self.freshest_share, labels, worth)
        return labels, worth

    def worth_of_labels(self, gain: float, left: int, old: int, young: int) -> tuple[Floats, float]:
        """Return what units are worth at each label beside a sticker, NaN for a lower one, and after the tick, EUR.

        The labels have shape (n_prices,); `left` are the ticks that are left.
        """
        later, rates = self.with_sticker(gain)[1][left - 1], np.ascontiguousarray(self.rates[:, [-left]])
        if not old:
            return worth_of_each(self.gains, rates[:, 0], later[0], young), float(later[0, young])
        sticker, found = (gain, np.array([np.interp(gain, self.gains, rates[:, 0])])), np.full(len(self.gains), np.nan)
        for label in np.flatnonzero(self.gains > gain + _NOISE):
            worth, labels = np.stack([later, later]), np.zeros((1, *later.shape), dtype=np.int64)
            _price_beside(self.gains, rates, np.array([label]), sticker, self.freshest_share, labels, worth)
            found[label] = worth[1, old, young]
        return found, float(later[old, young])


@numba.njit(cache=True, nogil=True)
def _price_beside(
    gains: Floats,
    rates: Floats,
    dear: Ints,
    sticker: tuple[float, Floats],
    freshest_share: float,
    labels: Ints,
    worth: Floats,
) -> None:
    """Find the best of the labels above a sticker for every number of old and young units, from closing backwards.

    `labels` and `worth` are as `MixedShelf.with_sticker` returns them, where no old unit is left and at closing; the
    rest is written in place. `sticker` is what one sale brings at it, and how many would pay it in each tick.
    """
    on_sticker, would_pay = sticker
    n_ticks, n_old, n_young = labels.shape
    old_sold, value, takers = np.zeros((n_old, n_young)), np.zeros(n_young), np.arange(n_young)
    for left in range(1, n_ticks + 1):
        now, later, all_pay = worth[left], worth[left - 1], would_pay[n_ticks - left]
        now[1:] = -np.inf
        for place in range(len(dear)):
            candidate = dear[place]
            on_label, pay_label = gains[candidate], rates[candidate, n_ticks - left]
            to_young = freshest_share * pay_label
            to_old = max(all_pay - to_young, 0.0)
            too_late = (1 - freshest_share) * pay_label / to_old if to_old > 0 else 0.0  # who finds no old one and pays
            _sell_old(later, (on_sticker, on_label), to_old, too_late, old_sold)
            fresh = chances_of_sales(to_young, n_young - 1)
            rest = np.maximum(1 - np.append(0.0, np.cumsum(fresh))[np.minimum(takers, len(fresh))], 0.0)
            for old in range(1, n_old):
                own = old_sold[old]
                value[:] = rest * (takers * on_label + own[0])
                for sold in range(len(fresh)):
                    chance, earned, after = fresh[sold], sold * on_label, own[: n_young - sold]
                    there = value[sold:]  # no sum to index by, so that many are reckoned at once
                    for young in range(1, len(after)):
                        there[young] += chance * (earned + after[young])
                for young in range(n_young):
                    if value[young] > now[old, young]:
                        now[old, young], labels[left - 1, old, young] = value[young], candidate


@numba.njit(cache=True, nogil=True)
def _sell_old(later: Floats, gains: tuple[float, float], rate: float, too_late: float, sold_old: Floats) -> None:
    """Write what each shelf gains of those who take old units in a tick, and of what is left after it."""
    on_sticker, on_label = gains
    n_old, n_young = later.shape
    chances = chances_of_sales(rate, n_old + int(rate) + 8)
    for old in range(1, n_old):
        own, rest, found_none = sold_old[old], 1.0, rate
        own[:] = 0.0
        for sold in range(min(old, len(chances))):
            after, now, chance = later[old - sold], sold * on_sticker, chances[sold]
            for young in range(n_young):
                own[young] += chance * (now + after[young])
            rest -= chance
            found_none -= chance * sold
        rest = max(rest, 0.0)
        more = max(found_none - rest * old, 0.0) * too_late
        for young in range(n_young):
            own[young] += rest * (old * on_sticker + later[0, young])
            if young > 0:
                own[young] += more * max(on_label + later[0, young - 1] - later[0, young], 0.0)


def left_of(keep: float, of: float, left: Floats, freshest_share: float) -> Floats:
    """Return how many of the units that keep are among those left, in the shape of `left`.

    Of `of` units, `keep` are the freshest. A share of what was sold is taken from the freshest, the rest from the
    oldest.
    """
    fresh_sold = freshest_share * np.maximum(of - left, 0)
    return np.clip(np.minimum(keep, left + fresh_sold) - fresh_sold, 0, left)
