"""What our prices brought beside the owner's: treated store weeks against those that the seed held.

A store week's profit is compared with what its store and its week usually bring. Under an effect, treated profits
divided by 1 + effect are those of the owner's prices, and do not depend on which weeks were held. So effects are judged
by holding other store weeks instead, as many of them (randomisation inference with a studentised difference, see
`design_analysis`). With few held weeks there are few ways to hold others, and the interval is wide or open: that is
what is known. Nothing is assumed of how profits vary.

What must hold: held weeks were drawn with the same chance in all store weeks, and a week's prices do not change what
the store sells in the next.
"""

from dataclasses import dataclass

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from serving.counts.design_analysis import crossing

LEVEL = 0.05
_THROWS = 999
_STREAM = 611_033_927  # of the throws, apart from others of the same seed
_WEEK_PULL = 0.5  # of a week's effect towards none, in store weeks
_LOWEST, _HIGHEST = -0.9, 9.0  # effects that are looked for, as shares


@dataclass(frozen=True)
class SoldRows:
    """Sales of products in store weeks, arrays of shape (n_rows,).

    Attributes
    ----------
    stores, weeks
        Numbers.
    units
        Sold.
    prices, owner, costs
        The price shown, the owner's, and the unit cost, EUR.
    is_held
        Whether the store was held at the owner's prices in the week.
    """

    stores: Ints
    weeks: Ints
    units: Floats
    prices: Floats
    owner: Floats
    costs: Floats
    is_held: Flags


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


def earned_profit(rows: SoldRows, seed: int = 0) -> EarnedProfit:
    """Compare treated store weeks with held ones."""
    week_of, first, place = np.unique(
        np.stack([rows.stores, rows.weeks], axis=1), axis=0, return_index=True, return_inverse=True
    )
    profit = np.asarray(np.bincount(place.ravel(), rows.units * (rows.prices - rows.costs)), dtype=float)
    is_held = rows.is_held[first]
    n_held, treated = int(is_held.sum()), float(profit[~is_held].sum())
    effect = low = high = None
    p_value = 1.0
    if treated > 0 and float(profit[is_held].sum()) > 0:
        test = _EffectTest(profit, is_held, week_of[:, 0], week_of[:, 1], seed)
        effect, p_value = crossing(test.difference, _LOWEST, _HIGHEST), test.p_value(0.0)
        if effect is not None:
            low = crossing(lambda at: test.p_value(at) - LEVEL, _LOWEST, effect)
            high = crossing(lambda at: test.p_value(at) - LEVEL, effect, _HIGHEST)
    share = np.nan if effect is None else effect
    least, most = -np.inf if low is None else low, np.inf if high is None else high
    euros = [treated * end / (1 + end) if np.isfinite(end) else end for end in (share, least, most)]
    return EarnedProfit(share, least, most, euros[0], euros[1], euros[2], p_value, n_held, len(is_held) - n_held)


class _EffectTest:
    """Tests of effects on the same throws."""

    def __init__(self, profit: Floats, is_held: Flags, stores: Ints, weeks: Ints, seed: int) -> None:
        self._profit, self._is_held = profit, is_held
        self._store = np.unique(stores, return_inverse=True)[1]
        self._week = np.unique(weeks, return_inverse=True)[1]
        dice = np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, _STREAM))))
        order = dice.random((_THROWS, len(profit))).argsort(axis=1)
        self._held_again = (order < is_held.sum()).astype(float)

    def difference(self, effect: float) -> float:
        """Return how much more treated weeks bring than held ones beside an effect, EUR; falls with the effect."""
        left = self._left(effect)
        return float(left[~self._is_held].mean() - left[self._is_held].mean())

    def p_value(self, effect: float) -> float:
        """Two-sided chance of what was seen, under an effect."""
        left = self._left(effect)
        seen = abs(_studentised(left, self._is_held[None].astype(float))[0])
        again = np.abs(_studentised(left, self._held_again))
        return float((1 + (again >= seen - 1e-9).sum()) / (1 + len(again)))

    def _left(self, effect: float) -> Floats:
        """Return what stores and weeks leave of the profits that the owner's prices would have brought, EUR."""
        profit = np.where(self._is_held, self._profit, self._profit / (1 + effect))
        usual = np.bincount(self._store, profit) / np.bincount(self._store)
        scale = np.maximum(usual[self._store], 1e-9)
        relative = profit / scale - 1
        of_week = np.bincount(self._week, scale * relative)
        of_week = of_week / (np.bincount(self._week, scale) + _WEEK_PULL * scale.mean())
        return np.asarray(scale * (relative - of_week[self._week]))


def _studentised(left: Floats, held: Floats) -> Floats:
    """Return treated less held over its standard error, shape (n_throws,), for flags (n_throws, n_store_weeks).

    One held week has no spread of its own; both kinds then share theirs.
    """
    n_held = held.sum(axis=1)
    n_treated = held.shape[1] - n_held
    sums, squares = held @ left, held @ left**2
    mean_held, mean_treated = sums / n_held, (left.sum() - sums) / n_treated
    within_held = np.maximum(squares - n_held * mean_held**2, 0.0)
    within_treated = np.maximum((left**2).sum() - squares - n_treated * mean_treated**2, 0.0)
    pooled = (within_held + within_treated) / np.maximum(held.shape[1] - 2, 1)
    variance = pooled * (1 / n_held + 1 / n_treated)
    return np.asarray((mean_treated - mean_held) / np.sqrt(np.maximum(variance, 1e-18)))
