"""The guardrails on one shelf in one tick: what they leave of prices, and which products may change price now.

Support is the last of them: a policy chooses among prices that were observed; a product whose price never varied keeps
its base price.

A forest is flat outside the prices it has seen, so there it promises a chance of sale that nobody measured. Exploration
may go one step of the ladder beyond the support, so that the support can grow.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.decisions.pricing import Shelf
from catalog.decisions.rules import NO_CLAMPS
from catalog.load import Catalog
from serving.limits.guardrails import guarded, guarded_with_trail, is_above_another, side_by_side, usable_prices
from serving.limits.limits import Limits, is_given, ordered_on, rule_given
from serving.optimise.curves import DemandCurves, chance_at
from serving.optimise.policies import Asked

_SAME = 1e-9  # EUR


def with_support(curves: DemandCurves, observed: Floats) -> DemandCurves:
    """Mark the candidates that lie between the lowest and highest price observed, EUR, shape (n_products, 2).

    A product with a single observed price, or none, has no support: nothing is known about how demand answers.
    """
    lowest, highest = observed[:, :1], observed[:, 1:]
    inside = (curves.prices >= lowest - _SAME) & (curves.prices <= highest + _SAME)
    return replace(curves, observed=inside & (highest - lowest > _SAME))


def may_be_tried(curves: DemandCurves) -> Flags:
    """Flag the supported candidates and one step beyond; the whole ladder of a product without support."""
    wider = curves.supported.copy()
    wider[:, 1:] |= curves.supported[:, :-1]
    wider[:, :-1] |= curves.supported[:, 1:]
    return wider | ~curves.has_support[:, None]


@dataclass(frozen=True)
class Support:
    """Which products' prices may follow the policy, and what stands in for the others, shape (n_products,).

    `base_prices` are in EUR; `p_base` is the chance of sale at them.
    """

    is_known: Flags
    base_prices: Floats
    p_base: Floats

    def apply(self, asked: Asked, rule: int) -> Asked:
        """Ask for the base price of every product without support; what a unit kept is worth is not known there.

        `rule` is the number of `never_varied` among the rules.
        """
        return replace(
            asked,
            prices=np.where(self.is_known, asked.prices, self.base_prices),
            rule=np.where(self.is_known, asked.rule, rule),
            p_sale=np.where(self.is_known, asked.p_sale, self.p_base),
            unit_value=np.where(self.is_known, asked.unit_value, np.nan),
        )


def support_of(catalog: Catalog, curves: DemandCurves) -> Support | None:
    """Return the support that curves have; None where every product has some and so nothing is to be done."""
    if curves.has_support.all():
        return None
    p_base = chance_at(curves.prices, curves.p_sale, catalog.base_prices[None, :])[0]
    return Support(curves.has_support, catalog.base_prices, p_base)


@dataclass(frozen=True)
class ShelfLimits:
    """Guardrails with the shelf they are applied to.

    `limits` is None for a shelf without guardrails; `may_move`, shape (n_stores, n_products), is None while all
    products may change price.
    """

    limits: Limits | None
    shelf: Shelf
    may_move: Flags | None = None

    def beside(self, asked: Floats) -> "ShelfLimits":
        """Return the same with what prices, EUR, shape (n_stores, n_products), allow each other."""
        if self.limits is None or not self.limits.links:
            return self
        return replace(self, limits=side_by_side(self.limits, asked, self.shelf, self.may_move))

    def apply(self, prices: Floats) -> Floats:
        """Return what the limits leave of prices, EUR, shape (..., n_stores, n_products)."""
        return prices if self.limits is None else guarded(self.limits, prices, self.shelf, self.may_move)

    def apply_with_trail(self, prices: Floats, asked_by: Ints, first_rule: int) -> tuple[Floats, Ints, NDArray[Any]]:
        """Return the same for prices of shape (n_stores, n_products), by which rule each stands, and every change.

        Changes are `CLAMP` records; rules are numbered by their position in `limits.rules`, from `first_rule` on.

        Parameters
        ----------
        asked_by
            The rule by which each price was asked for.
        """
        rule = np.array(asked_by)
        if self.limits is None:
            return prices, rule, NO_CLAMPS
        prices, clamps = guarded_with_trail(self.limits, prices, self.shelf, self.may_move, first_rule)
        rule.flat[clamps["decision"]] = clamps["rule"]
        given = rule_given(self.limits, self.shelf)  # what people set decides also where it changes nothing
        return prices, np.maximum(rule, np.where(given < 0, given, given + first_rule)), clamps

    @property
    def have_one_price(self) -> bool:
        """Whether the shelves are a zone's, which show one price."""
        return self.limits is not None and self.limits.rails.one_price is not None and self.shelf.stores is not None

    @property
    def dice(self) -> Floats:
        """The dice by which prices are tried, shape (n_stores, n_products): a zone throws those of its first store."""
        dice = self.shelf.dice
        return np.broadcast_to(dice[0], dice.shape) if self.have_one_price else dice

    @property
    def may_explore(self) -> Flags | None:
        """Where a price may be tried at all: not where it is fixed or may not move now; None where it may everywhere.

        Shape (n_stores, n_products).
        """
        limits, shape = self.limits, self.shelf.stock.shape
        if limits is None or limits.are_bounds_alone:
            return None
        if limits.rails.kill_switch:
            return np.zeros(shape, dtype=bool)
        is_free = np.broadcast_to(~is_given(limits, self.shelf), shape)
        ordered = ordered_on(limits, self.shelf)
        if ordered is not None:
            is_free = is_free & ~ordered.is_fixed
        is_free = is_free & ~is_above_another(limits)
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
        return self._everywhere(within | ~ordered.bound_by("price"))

    def leads_back(self, candidates: Floats, usual: Floats) -> Flags | None:
        """Tell from which candidate prices the day can go back to the usual price; None where it can from all.

        A trial that nothing ends would cost until closing what was budgeted for the while that it was meant to stand.
        The opening price is another matter: its trial may stand all day, for its chance is that of a whole day.

        Parameters
        ----------
        candidates
            What the limits leave of them, EUR, shape (n_prices, n_stores or 1, n_products).
        usual
            Prices shown where nothing is tried, EUR, shape (n_stores, n_products).
        """
        rails = None if self.limits is None else self.limits.rails
        if rails is None or (rails.changes_per_day is None and not rails.down_only_within_day):
            return None
        leads = np.ones((len(candidates), *usual.shape), dtype=bool)
        if rails.down_only_within_day:
            leads &= candidates >= usual
        if rails.changes_per_day is not None:
            left = rails.changes_per_day - self.shelf.changes - (candidates != self.shelf.shown_prices)
            leads &= left >= 1
        return self._everywhere(leads | np.isnan(self.shelf.shown_prices))

    def chance_for_all(self, chance: Floats) -> Floats:
        """Return the chance of a trial: in a zone that of the store that affords the least, in all its stores.

        So it costs no store more than its budget. A store with an empty shelf goes along, for the price is one; one
        whose price people set neither goes along nor holds the others back.
        """
        if not self.have_one_price:
            return chance
        may_explore = np.broadcast_to(True if self.may_explore is None else self.may_explore, chance.shape)
        least = np.where(may_explore & (self.shelf.stock > 0), chance, np.inf).min(axis=0)
        return np.where(may_explore & np.isfinite(least), least, 0.0)

    def _everywhere(self, flags: Flags) -> Flags:
        """Return flags of shape (n_prices, n_stores, n_products): in a zone, what holds in all of its stores."""
        return np.broadcast_to(flags.all(axis=1, keepdims=True), flags.shape) if self.have_one_price else flags


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
