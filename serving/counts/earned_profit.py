"""What our prices brought beside the owner's: treated store weeks against those that the seed held.

A store week's profit is compared with what its store and its week usually bring. Under an effect, treated profits
divided by 1 + effect are those of the owner's prices, and do not depend on which weeks were held. Weeks are held in
stretches, all of a stretch or none. So effects are judged by holding other stretches instead, as many of them
(randomisation inference with a studentised difference, see `design_analysis`; the error is that of stretches, whose
weeks may be alike). With few held stretches there are few ways to hold others, and the interval is wide or open: that
is what is known. Nothing is assumed of how profits vary.

Weeks before the first draw, at the owner's prices, tell what a store usually brings and count on no side: without them
a store that is held from the first week on could be compared with nobody.

What must hold: stretches were held with the same chance, and a week's prices do not change what the store sells in the
next. Weeks on the way to the owner's prices are left out before. While prices are still near his there are none, and
prices bring less then; so each held stretch counts for all its weeks, as the others do. Else early ones would weigh
most.
"""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from serving.counts.design_analysis import crossing

LEVEL = 0.05
_THROWS = 999
_STREAM = 611_033_927  # of the throws, apart from others of the same seed
_WEEK_PULL = 0.5  # of a week's effect towards none, in store weeks
_TURNS = 3  # in which what is usual in stores and in weeks is told apart
_SHARED = 25.0  # stretches of the common spread that the held ones' own is mixed with
_LOWEST, _HIGHEST = -0.9, 9.0  # effects that are looked for, as shares
_MOST_WEEKS = 4.0  # that a held week stands for


@dataclass(frozen=True)
class StoreWeeks:
    """What store weeks brought, arrays of shape (n_store_weeks,).

    Attributes
    ----------
    stores, weeks
        Numbers, those of weeks in the order of time; no pair twice. Weeks on the way to the owner's prices are missing.
    profits
        EUR.
    is_held
        Whether the store was held at the owner's prices in the week.
    blocks
        Number of the stretch that the store week belongs to; None where each is one of its own.
    is_before
        Whether it was before the first draw; None for none. Its block says nothing.
    """

    stores: Ints
    weeks: Ints
    profits: Floats
    is_held: Flags
    blocks: Ints | None = None
    is_before: Flags | None = None


@dataclass(frozen=True)
class EarnedProfit:
    """Profit against the owner's prices, in the store weeks that were not held.

    Attributes
    ----------
    share, share_low, share_high
        As a share of what the owner's prices would have brought there, with its 95 % interval; infinite ends where the
        held weeks leave it open, NaN where none was held.
    euros, euros_low, euros_high
        The same, EUR.
    p_value
        Two-sided, of no effect.
    n_held, n_treated
        Store weeks.
    """

    share: float
    share_low: float
    share_high: float
    euros: float
    euros_low: float
    euros_high: float
    p_value: float
    n_held: int
    n_treated: int


def earned_profit(rows: StoreWeeks, seed: int = 0) -> EarnedProfit:
    """Compare treated store weeks with held ones."""
    profit, is_before = rows.profits, np.zeros(len(rows.profits), bool) if rows.is_before is None else rows.is_before
    is_held, is_treated = rows.is_held & ~is_before, ~rows.is_held & ~is_before
    n_held, treated = int(is_held.sum()), float(profit[is_treated].sum())
    effect = low = high = None
    p_value = 1.0
    is_compared = np.isin(rows.stores[is_treated], rows.stores[~is_treated]).any()  # else it may be the stores alone
    if is_compared and treated > 0 and float(profit[is_held].sum()) > 0:
        blocks = np.arange(len(profit)) if rows.blocks is None else rows.blocks
        test = _EffectTest(profit, (is_held, is_treated), (rows.stores, rows.weeks, blocks), seed)
        effect, p_value = crossing(test.difference, _LOWEST, _HIGHEST), test.p_value(0.0)
        if effect is not None:
            low = crossing(lambda at: test.p_value(at) - LEVEL, _LOWEST, effect)
            high = crossing(lambda at: test.p_value(at) - LEVEL, effect, _HIGHEST)
    share = np.nan if effect is None else effect
    least, most = -np.inf if low is None else low, np.inf if high is None else high
    euros = [treated * end / (1 + end) if np.isfinite(end) else end for end in (share, least, most)]
    return EarnedProfit(share, least, most, euros[0], euros[1], euros[2], p_value, n_held, int(is_treated.sum()))


class _EffectTest:
    """Tests of effects on the same throws."""

    def __init__(self, profit: Floats, sides: tuple[Flags, Flags], places: tuple[Ints, Ints, Ints], seed: int) -> None:
        """`sides` are the held and the treated weeks; those that are neither tell what a store usually brings."""
        self._profit, (is_held, self._is_treated) = profit, sides
        self._counts = is_held | self._is_treated
        self._is_held = is_held[self._counts]
        self._store, self._week = (np.unique(own, return_inverse=True)[1] for own in places[:2])
        self._block = np.unique(places[2][self._counts], return_inverse=True)[1]
        self._sizes = np.bincount(self._block).astype(float)
        self._held_blocks = np.bincount(self._block, self._is_held) > 0
        self._lengths = self._lengths_of_blocks(places[1][self._counts])
        self._stands_for = (self._lengths / self._sizes)[self._block]
        dice = np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, _STREAM))))
        order = dice.random((_THROWS, len(self._sizes))).argsort(axis=1)
        self._held_again = (order < self._held_blocks.sum()).astype(float)

    def difference(self, effect: float) -> float:
        """Return how much more treated weeks bring than held ones beside an effect, EUR; falls with the effect."""
        left, is_held, weights = self._left(effect), self._is_held, self._stands_for
        return float(left[~is_held].mean() - np.average(left[is_held], weights=weights[is_held]))

    def p_value(self, effect: float) -> float:
        """Two-sided chance of what was seen, under an effect."""
        left = np.asarray(np.bincount(self._block, self._left(effect)), dtype=float)
        seen = abs(_studentised(left, self._sizes, self._lengths, self._held_blocks[None].astype(float))[0])
        again = np.abs(_studentised(left, self._sizes, self._lengths, self._held_again))
        return float((1 + (again >= seen - 1e-9).sum()) / (1 + len(again)))

    def _lengths_of_blocks(self, weeks: Ints) -> Floats:
        """Return how many weeks each stretch has: of a held one also those on the way, which are missing before it."""
        store, last = np.zeros(len(self._sizes), dtype=np.int64), np.full(len(self._sizes), weeks.min() - 1)
        store[self._block] = self._store[self._counts]
        np.maximum.at(last, self._block, weeks)
        order = np.lexsort((last, store))
        since = np.empty_like(last)
        since[order] = np.where(np.diff(store[order], prepend=-1) > 0, weeks.min() - 1, np.roll(last[order], 1))
        lengths = np.clip(last - since, self._sizes, _MOST_WEEKS * self._sizes)
        return np.where(self._held_blocks, lengths, self._sizes)

    def _left(self, effect: float) -> Floats:
        """Return what stores and weeks leave of the profits that the owner's prices would have brought, EUR."""
        profit = np.where(self._is_treated, self._profit / (1 + effect), self._profit)
        scale = relative = of_week = np.zeros(len(profit))
        for _ in range(_TURNS):
            usual = np.bincount(self._store, profit / (1 + of_week)) / np.bincount(self._store)
            scale = np.maximum(usual[self._store], 1e-9)
            relative = profit / scale - 1
            by_week = np.bincount(self._week, scale * relative)
            of_week = (by_week / (np.bincount(self._week, scale) + _WEEK_PULL * scale.mean()))[self._week]
        return np.asarray(scale * (relative - of_week))[self._counts]


def _studentised(left: Floats, sizes: Floats, lengths: Floats, held: Floats) -> Floats:
    """Return treated less held over its standard error, shape (n_throws,).

    What prices bring changes with time, so held stretches differ by more than noise: their spread is their own as far
    as they are many, and else that of both kinds. Weeks of a stretch are neither alike nor
    independent, so the variance of a total grows with the root of how many weeks each of its weeks stands for.

    Parameters
    ----------
    left, sizes
        What each stretch left in its weeks that count, EUR, and how many they are, shape (n_blocks,).
    lengths
        How many weeks it counts for, shape (n_blocks,).
    held
        Whether each is held, shape (n_throws, n_blocks).
    """
    totals, squares, treated = lengths * left / sizes, lengths * (lengths / sizes) ** 0.5, 1 - held
    n_held = held @ lengths
    n_treated = lengths.sum() - n_held
    sums = held @ totals
    mean_held, mean_treated = sums / n_held, (totals.sum() - sums) / n_treated
    within_held = held @ left**2 - 2 * mean_held * (held @ (left * sizes)) + mean_held**2 * (held @ sizes**2)
    within_treated = treated @ left**2 - 2 * mean_treated * (treated @ (left * sizes))
    within_treated += mean_treated**2 * (treated @ sizes**2)
    pooled = np.maximum(within_held + within_treated, 0.0) / np.maximum(sizes.sum() - 2, 1)
    shared, n_own = _SHARED * sizes.mean(), (held @ sizes) * (1 - 1 / held.sum(axis=1))
    own = (np.maximum(within_held, 0.0) + shared * pooled) / (n_own + shared)
    variance = own * (held @ squares) / n_held**2 + pooled * (treated @ squares) / n_treated**2
    return np.asarray((mean_treated - mean_held) / np.sqrt(np.maximum(variance, 1e-18)))
