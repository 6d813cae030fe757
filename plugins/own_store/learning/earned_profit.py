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
next. A held store first walks to the owner's prices. So the first weeks of every stretch are cut, of held and of drawn
ones alike; else the stretches that are held again would not be like those that were held.

The test takes one share for all weeks, but prices bring less in the first weeks and after a hold, and which weeks are
held is chance. So the interval is tested at 2 %; `plugins.evaluation.outside_store.learning` measures how often it
holds the truth.
"""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from plugins.own_store.learning.design_analysis import crossing

LEVEL = 0.02
"""Of the tests that the interval is made of."""
_THROWS = 999
_STREAM = 611_033_927  # of the throws, apart from others of the same seed
_WEEK_PULL = 0.5  # of a week's effect towards none, in store weeks
_TURNS = 3  # in which what is usual in stores and in weeks is told apart
_SHARED = 25.0  # stretches of the common spread that the held ones' own is mixed with
_LOWEST, _HIGHEST = -0.9, 9.0  # effects that are looked for, as shares


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


def earned_profit(rows: StoreWeeks, seed: int = 0, is_cut: Flags | None = None) -> EarnedProfit:
    """Compare treated store weeks with held ones; the euros are those of all treated weeks.

    Parameters
    ----------
    is_cut
        Whether a held store may still be on its way in this week of its stretch, whether it is held or not: such weeks
        are not compared, as soon as the others can be. Shape (n_store_weeks,); None for none.
    """
    profit, is_before = rows.profits, np.zeros(len(rows.profits), bool) if rows.is_before is None else rows.is_before
    is_held, is_treated = rows.is_held & ~is_before, ~rows.is_held & ~is_before
    n_held, treated = int(is_held.sum()), float(profit[is_treated].sum())
    effect = low = high = None
    p_value = 1.0
    stays = np.full(len(profit), fill_value=True) if is_cut is None else is_before | ~is_cut
    if not _are_compared(rows.stores[stays], is_held[stays], is_treated[stays]):
        stays = np.full(len(profit), fill_value=True)
    is_compared = _are_compared(rows.stores[stays], is_held[stays], is_treated[stays])
    if is_compared and treated > 0 and float(profit[stays & is_held].sum()) > 0:
        blocks = np.arange(len(profit)) if rows.blocks is None else rows.blocks
        places = rows.stores[stays], rows.weeks[stays], blocks[stays]
        test = _EffectTest(profit[stays], (is_held[stays], is_treated[stays]), places, seed)
        effect, p_value = crossing(test.difference, _LOWEST, _HIGHEST), test.p_value(0.0)
        if effect is not None:
            low = crossing(lambda at: test.p_value(at) - LEVEL, _LOWEST, effect)
            high = crossing(lambda at: test.p_value(at) - LEVEL, effect, _HIGHEST)
    share = np.nan if effect is None else effect
    least, most = -np.inf if low is None else low, np.inf if high is None else high
    euros = [treated * end / (1 + end) if np.isfinite(end) else end for end in (share, least, most)]
    return EarnedProfit(share, least, most, euros[0], euros[1], euros[2], p_value, n_held, int(is_treated.sum()))


def _are_compared(stores: Ints, is_held: Flags, is_treated: Flags) -> bool:
    """Return whether some weeks are held, and a treated store has others beside; else it may be the stores alone."""
    return bool(is_held.any() and np.isin(stores[is_treated], stores[~is_treated]).any())


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
        dice = np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, _STREAM))))
        order = dice.random((_THROWS, len(self._sizes))).argsort(axis=1)
        self._held_again = (order < self._held_blocks.sum()).astype(float)

    def difference(self, effect: float) -> float:
        """Return how much more treated weeks bring than held ones beside an effect, EUR; falls with the effect."""
        left = self._left(effect)
        return float(left[~self._is_held].mean() - left[self._is_held].mean())

    def p_value(self, effect: float) -> float:
        """Two-sided chance of what was seen, under an effect."""
        left = np.asarray(np.bincount(self._block, self._left(effect)), dtype=float)
        seen = abs(_studentised(left, self._sizes, self._held_blocks[None].astype(float))[0])
        again = np.abs(_studentised(left, self._sizes, self._held_again))
        return float((1 + (again >= seen - 1e-9).sum()) / (1 + len(again)))

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


def _studentised(left: Floats, sizes: Floats, held: Floats) -> Floats:
    """Return treated less held over its standard error, shape (n_throws,).

    What prices bring changes with time, so held stretches differ by more than noise: their spread is their own as far
    as they are many, and else that of both kinds.

    Parameters
    ----------
    left, sizes
        What each stretch left in its weeks that count, EUR, and how many they are, shape (n_blocks,).
    held
        Whether each is held, shape (n_throws, n_blocks).
    """
    terms = np.column_stack([sizes, sizes**2, left, left**2, left * sizes])
    sums = held @ terms
    n_held, mean_held, within_held = _of_side(sums)
    n_treated, mean_treated, within_treated = _of_side(terms.sum(axis=0) - sums)
    pooled = (within_held + within_treated) / np.maximum(sizes.sum() - 2, 1)
    shared, n_own = _SHARED * sizes.mean(), n_held * (1 - 1 / held.sum(axis=1))
    own = (within_held + shared * pooled) / (n_own + shared)
    variance = own / n_held + pooled / n_treated
    return np.asarray((mean_treated - mean_held) / np.sqrt(np.maximum(variance, 1e-18)))


def _of_side(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Return weeks, their mean and the sum of squares of stretches around it, shape (n_throws,)."""
    weeks, squared_weeks, left, squares, products = sums.T
    mean = left / weeks
    return weeks, mean, np.maximum(squares - 2 * mean * products + mean**2 * squared_weeks, 0.0)
