"""The prices that a product may be given in a store this week: band, step, ladder, endings and cost, as one table."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats

BAND, STEP = 0.25, 0.10
"""Farthest from the owner's price, and from the price before, as shares of each."""
_NOISE = 1e-9


@dataclass(frozen=True)
class PriceRoom:
    """What may be chosen among, prices in EUR.

    Attributes
    ----------
    ladder
        Allowed prices of each product, ascending, with their endings, shape (n_products, n_prices); NaN fills up what a
        product has less of.
    owner, before
        The owner's shelf prices, and those that are shown now, which a step is measured from; shape
        (n_products, n_stores).
    costs
        Unit costs, shape (n_products,).
    band, step
        See `BAND` and `STEP`.
    middle
        Prices that a coin is thrown around, of the same shape; None is `before`.
    smallest
        Smallest unit of the currency, EUR.
    """

    ladder: Floats
    owner: Floats
    before: Floats
    costs: Floats
    band: float = BAND
    step: float = STEP
    middle: Floats | None = None
    smallest: float = 0.01

    @property
    def around(self) -> Floats:
        """Prices that a coin is thrown around, EUR, shape (n_products, n_stores)."""
        return self.before if self.middle is None else self.middle

    @cached_property
    def prices(self) -> Floats:
        """Prices to choose among, shape (n_products, n_stores, n_prices + 1): the ladder's, and last the price before.

        The price before is there for a product whose ladder has nothing within the step.
        """
        n_stores = self.owner.shape[1]
        ladder = np.repeat(self.ladder[:, None, :], n_stores, axis=1)
        return np.concatenate([ladder, self.before[:, :, None]], axis=2)

    @cached_property
    def is_free(self) -> Flags:
        """Which of `prices` may be shown, shape (n_products, n_stores, n_prices + 1); one at least of each product.

        Within band and step, and not below cost. Where the step reaches nothing of that, the price goes as far towards
        it as the step allows, or stays.
        """
        prices, owner, before = self.prices, self.owner[:, :, None], self.before[:, :, None]
        with np.errstate(invalid="ignore"):  # what fills up the ladder compares as False
            is_near = np.abs(prices - before) <= self.step * before + _NOISE
            low = np.maximum(owner * (1 - self.band), self.costs[:, None, None])
            is_sound = (prices >= low - _NOISE) & (prices <= owner * (1 + self.band) + _NOISE)
        is_ladder = np.ones_like(is_near)
        is_ladder[:, :, -1] = False
        free = is_near & is_sound & is_ladder
        stuck = ~free.any(axis=2)
        if stuck.any():
            free[stuck] = self._nearest_to_sound(is_near, low)[stuck]
        return free

    def _nearest_to_sound(self, is_near: Flags, low: Floats) -> Flags:
        """Return the one price within the step that is farthest from being below cost, then nearest to the band."""
        high = np.maximum(self.owner[:, :, None] * (1 + self.band), low)
        away = np.maximum(low - self.prices, 0.0) * 1e3 + np.maximum(self.prices - high, 0.0)
        away = np.where(is_near, away, np.inf)
        chosen = np.zeros_like(is_near)
        np.put_along_axis(chosen, np.argmin(away, axis=2)[:, :, None], np.bool_(1), axis=2)
        return chosen

    @cached_property
    def homeward(self) -> Floats:
        """Prices on the way from those that are shown to the owner's, shape (n_products, n_stores).

        The owner's where the step reaches it, else the price within the step that is nearest to it. Where no allowed
        ending is nearer than the price that is shown, the ending gives way: the price moves by whole smallest units.
        """
        owner, before = self.owner, self.before
        with np.errstate(invalid="ignore"):  # what fills up the ladder
            is_near = np.abs(self.prices - before[:, :, None]) <= self.step * before[:, :, None] + _NOISE
        away = np.where(is_near, np.abs(self.prices - owner[:, :, None]), np.inf)
        nearest = np.take_along_axis(self.prices, np.argmin(away, axis=2)[:, :, None], axis=2)[:, :, 0]
        is_stuck = away.min(axis=2) > np.abs(before - owner) - _NOISE
        units = np.maximum(np.floor(self.step * before / self.smallest + _NOISE), 1)
        nearest = np.where(is_stuck, before + np.sign(owner - before) * units * self.smallest, nearest)
        return np.where(np.abs(owner - before) <= self.step * before + _NOISE, owner, nearest)

    @cached_property
    def log_ratios(self) -> Floats:
        """Log of each of `prices` over the owner's, 0 where it may not be shown; shape as `prices`."""
        return np.log(np.where(self.is_free, self.prices, self.owner[:, :, None]) / self.owner[:, :, None])
