"""The guardrails on one shelf in one tick: what they leave of prices, and which products may change price now."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats
from catalog.pricing import NO_CLAMPS, Shelf
from serving.guardrails import Limits, guarded, guarded_with_trail, is_given, ordered_on, usable_prices


@dataclass(frozen=True)
class ShelfLimits:
    """Guardrails with the shelf they are applied to.

    `limits` is None for a shelf without guardrails; `may_move`, shape (n_stores, n_products), is None while all
    products may change price.
    """

    limits: Limits | None
    shelf: Shelf
    may_move: Flags | None = None

    def apply(self, prices: Floats) -> Floats:
        """Return what the limits leave of prices, EUR, shape (..., n_stores, n_products)."""
        return prices if self.limits is None else guarded(self.limits, prices, self.shelf, self.may_move)

    def apply_with_trail(self, prices: Floats, first_rule: int) -> tuple[Floats, NDArray[Any]]:
        """Return the same for prices of shape (n_stores, n_products), and every change that a limit made.

        Changes are `CLAMP` records; rules are numbered by their position in `LIMITS`, from `first_rule` on.
        """
        if self.limits is None:
            return prices, NO_CLAMPS
        return guarded_with_trail(self.limits, prices, self.shelf, self.may_move, first_rule)

    @property
    def may_explore(self) -> Flags | None:
        """Where a price may be tried at all: not where it is fixed or may not move now; None where it may everywhere.

        Shape (n_stores, n_products).
        """
        limits, shape = self.limits, self.shelf.stock.shape
        if limits is None or limits.are_bounds_alone:
            return None
        if limits.kill_switch:
            return np.zeros(shape, dtype=bool)
        is_free = np.broadcast_to(~is_given(limits, self.shelf), shape)
        ordered = ordered_on(limits, self.shelf)
        if ordered is not None:
            is_free = is_free & ~ordered.is_fixed
        return is_free if self.may_move is None else is_free & self.may_move

    def approves(self, candidates: Floats) -> Flags:
        """Tell which candidate prices nobody has to approve before they are tried; others are not tried.

        A candidate that is brought to what was approved would be a new label that teaches nothing.

        Parameters
        ----------
        candidates
            EUR, shape (n_prices, 1, n_products).

        Returns
        -------
        Flags
            Shape (n_prices, n_stores or 1, n_products).
        """
        ordered = None if self.limits is None else ordered_on(self.limits, self.shelf)
        if ordered is None:
            return np.ones(candidates.shape, dtype=bool)
        within = (ordered.lowest <= candidates) & (candidates <= ordered.highest)
        return within | ~ordered.bound_by("price")


def which_may_move(limits: Limits, shelf: Shelf, wanted: Floats, gain: Floats) -> Flags:
    """Choose which products may change price in this tick, shape (n_stores, n_products).

    Those that want to come first, by what they gain in expectation; equal ones take turns. It does not look at the
    dice, so that what is tried has a chance that can be logged. Openings and products
    whose price is given are not counted.

    Parameters
    ----------
    wanted
        Prices as they would be if all might move, EUR.
    gain
        What each would gain by moving there, EUR per visit.
    """
    n_products = wanted.shape[1]
    shown = usable_prices(shelf.shown_prices, limits.money)
    counted = np.isfinite(shown) & ~is_given(limits, shelf)
    turn = np.broadcast_to((np.arange(n_products) + shelf.ticks_left) % n_products, wanted.shape)
    stays = ~(counted & (wanted != shown))
    order = np.lexsort((turn, -gain, stays, ~counted), axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(n_products), order.shape), axis=1)
    return (rank < limits.movable) | ~counted
