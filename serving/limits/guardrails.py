"""Guardrails: what the limits leave of a price, whatever a policy asks for.

`catalog.decisions.rules.LIMITS` are applied in their order, and the last one wins: how far a policy may go within the
day, the one price of a zone, what rivals' prices and other prices of the shelf allow, what was approved, what people
ordered, floor, ceiling and cost, and the kill switch. They bind an explored price, too. All functions are pure;
arrays have shape (..., n_stores, n_products) unless said otherwise.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats
from catalog.bounds import not_above, not_below
from catalog.currency import EUR, Currency
from catalog.decisions.pricing import Shelf
from catalog.decisions.rules import CLAMP, NO_CLAMPS
from serving.limits.limits import Limits, is_given, ordered_on
from serving.limits.orders import Windows

_HIGHEST = 1_000_000.0  # EUR; the catalog allows no price above it


def guarded(limits: Limits, asked: Floats, shelf: Shelf, may_move: Flags | None = None) -> Floats:
    """Return the prices that the limits leave of those asked for, EUR; `may_move` is None where all products may."""
    if leaves_alone(limits, asked):
        return asked
    *_, (_, prices) = _in_order(limits, asked, shelf, may_move)
    return prices


def guarded_with_trail(
    limits: Limits, asked: Floats, shelf: Shelf, may_move: Flags | None = None, first_rule: int = 0
) -> tuple[Floats, NDArray[Any]]:
    """Return the guarded prices, shape (n_stores, n_products), and every change on the way as `CLAMP` records.

    Rules are numbered by their position in `limits.rules`, from `first_rule` on.
    """
    if leaves_alone(limits, asked):
        return asked, NO_CLAMPS
    before, clamps = _whole(asked, limits.money), [NO_CLAMPS]
    for rule, after in _in_order(limits, asked, shelf, may_move):
        where = np.flatnonzero((after != before) & ~(np.isnan(after) & np.isnan(before)))
        if len(where):
            found = np.empty(len(where), dtype=CLAMP)
            found["decision"], found["rule"] = where, first_rule + limits.rules.index(rule)
            found["before"], found["after"] = before.ravel()[where], after.ravel()[where]
            clamps.append(found)
        before = after
    return before, np.concatenate(clamps)


def leaves_alone(limits: Limits, asked: Floats) -> bool:
    """Tell whether no limit can change any of these prices, which is the rule and costs little to see."""
    if not limits.are_bounds_alone or not ((asked >= limits.bounds.lowest) & (asked <= limits.bounds.ceilings)).all():
        return False
    return bool((np.rint(asked * limits.money.scale) / limits.money.scale == asked).all())


def nothing_shown(shape: tuple[int, int]) -> Shelf:
    """Return stocked shelves that show no price yet, on which static limits alone bind."""
    return Shelf(np.ones(shape, dtype=np.int64), np.full(shape, np.nan), 1, np.zeros(shape))


def in_zone(limits: Limits, prices: Floats, shelf: Shelf) -> Floats:
    """Return prices, EUR, shape (..., n_stores, n_products), with the zone's one price in all of its stores.

    That is the middle one of its stores' prices, the lower of two: a price that some store wants, and as many want a
    higher one as a lower one. A store with an empty shelf has no voice, for it wants a high price that nobody pays,
    nor has one whose price is given. Shelves that are nobody's in particular are no zone.
    """
    if limits.rails.one_price is None or shelf.stores is None:
        return prices
    is_free = np.broadcast_to(~is_given(limits, shelf), shelf.stock.shape)
    has_voice = is_free & (shelf.stock > 0)
    for more in (is_free, np.ones_like(is_free)):
        has_voice = np.where(has_voice.any(axis=0), has_voice, more)
    ascending = np.sort(np.where(has_voice, prices, np.inf), axis=-2)
    middle = np.broadcast_to((has_voice.sum(axis=0) - 1) // 2, (*prices.shape[:-2], 1, prices.shape[-1]))
    return np.broadcast_to(np.take_along_axis(ascending, middle, axis=-2), prices.shape)


def usable_prices(prices: Floats, money: Currency = EUR) -> Floats:
    """Return prices in whole smallest units; NaN what is none: not a finite number, or less than half a unit."""
    whole = _whole(prices, money)
    return np.where(np.isfinite(prices) & (whole > 0), whole, np.nan)


def _in_order(limits: Limits, asked: Floats, shelf: Shelf, may_move: Flags | None) -> Iterator[tuple[str, Floats]]:
    """Yield each limit with the prices after it, in the order of `limits.rules`."""
    if limits.rails.kill_switch:  # nothing before it matters
        yield "kill_switch", np.broadcast_to(limits.base_at(shelf), asked.shape).copy()
        return
    shown, wanted = (usable_prices(own, limits.money) for own in (shelf.shown_prices, asked))
    prices = np.where(np.isnan(wanted), np.where(np.isnan(shown), limits.base_at(shelf), shown), wanted)
    yield "impossible_price", prices
    ordered = ordered_on(limits, shelf)
    given = np.broadcast_to(is_given(limits, shelf), prices.shape)
    stays = np.zeros(asked.shape, dtype=bool) if may_move is None else ~may_move & np.isfinite(shown) & ~given
    prices = np.where(stays, shown, prices)
    yield "moving_share", prices
    if (at_most := limits.rails.changes_per_day) is not None:
        stays = stays | ((shelf.changes >= at_most) & np.isfinite(shown) & ~given)
        yield "changes_per_day", (prices := np.where(stays, shown, prices))
    # Steps and endings are for prices of ours: a store's own needs nobody's leave.
    own = given if limits.standing is None else given | (prices == limits.base_at(shelf))
    for rule, after in _steps_and_ending(limits, shelf, prices, shown, own | stays):
        yield rule, after
        prices = after
    for rule, after in _beside_others(limits, shelf, prices, shown, given):
        yield rule, after
        prices = after
    by_people = own
    if ordered is not None:
        approved = _approved(limits, ordered, prices)
        by_people = own | (approved != prices)
        yield "not_approved", (prices := approved)
    for rule, after in _given(limits, ordered, prices):
        yield rule, after
        prices = after
    for rule, after in _bounded(limits, ordered, prices, by_people, limits.base_at(shelf)):
        yield rule, after
        prices = after
    if ordered is not None:
        yield "kill_switch", np.where(ordered.bound_by("kill_switch"), limits.base_at(shelf), prices)


def _steps_and_ending(
    limits: Limits, shelf: Shelf, prices: Floats, shown: Floats, fixed: Flags
) -> Iterator[tuple[str, Floats]]:
    """Yield the prices after each limit on how far a policy may go from what stood, and after the price ending."""
    low, high = np.full(shown.shape, -np.inf), np.full(shown.shape, np.inf)
    opened_at = (
        np.full(shown.shape, np.nan)
        if shelf.opening_prices is None
        else usable_prices(shelf.opening_prices, limits.money)
    )
    windows = {
        "largest_step": (shown, limits.rails.largest_step),
        "largest_daily_move": (opened_at, limits.rails.largest_daily_move),
    }
    for rule, (center, share) in windows.items():
        if share is not None:
            least = not_below(center * (1 - share), money=limits.money)
            most = not_above(center * (1 + share), money=limits.money)
            prices = np.where(fixed | np.isnan(center), prices, np.clip(prices, least, most))
            yield rule, prices
            low, high = np.fmax(low, least), np.fmin(high, most)
    if limits.rails.price_ending is not None:
        yield "price_ending", np.where(fixed, prices, _nearest_with_ending(limits, prices, low, high))


def _beside_others(
    limits: Limits, shelf: Shelf, prices: Floats, shown: Floats, given: Flags
) -> Iterator[tuple[str, Floats]]:
    """Yield the prices after each limit by earlier prices of the day, other stores, rivals and the same shelf."""
    if limits.rails.down_only_within_day:
        yield "down_only_within_day", (prices := np.where(given, prices, np.fmin(prices, shown)))
    if limits.rails.one_price is not None:
        yield "one_price", (prices := np.where(given, prices, in_zone(limits, prices, shelf)))
    for rule, caps in {"rivals": limits.rival_caps, **limits.caps}.items():
        yield rule, (prices := np.where(prices > caps, caps, prices))


def _given(limits: Limits, ordered: Windows | None, prices: Floats) -> Iterator[tuple[str, Floats]]:
    """Yield the prices after each rule by which a price stands whatever the policy asks for."""
    prices = np.where(np.isnan(limits.frozen), prices, limits.frozen)
    if ordered is None:
        yield "frozen", prices
        return
    prices = np.where(ordered.bound_by("freeze"), ordered.lowest, prices)
    yield "frozen", prices
    if "event" in limits.rules:
        yield "event", (prices := np.where(ordered.bound_by("event"), ordered.lowest, prices))
    yield "override", np.where(ordered.bound_by("override"), ordered.lowest, prices)


def _bounded(
    limits: Limits, ordered: Windows | None, prices: Floats, by_people: Flags, base: Floats
) -> Iterator[tuple[str, Floats]]:
    """Yield the prices after each bound: in any whole smallest unit where people decided, else with the price ending.

    `base` are the base prices, EUR, of the shape of `prices` or of the last axis alone.
    """
    floors, ceilings, least = (
        np.where(by_people, getattr(limits.whole_bounds, name), getattr(limits.bounds, name))
        for name in ("floors", "ceilings", "cost_plus_margin")
    )
    if ordered is not None:  # a price below floor or cost stands while the cost is no higher than the accepted one
        is_accepted = ordered.accepted_cost >= limits.whole_bounds.cost_plus_margin
        floors, least = (np.where(is_accepted, -np.inf, own) for own in (floors, least))
    yield "ceiling", (prices := np.minimum(prices, ceilings))
    if "markdown_only" in limits.rules:
        most = np.where(by_people, base, not_above(base, limits.rails.price_ending, limits.money))
        prices = np.where(limits.is_markdown_only, np.fmin(prices, most), prices)
        yield "markdown_only", prices
    yield "floor", (prices := np.maximum(prices, floors))
    yield "minimum_margin", np.maximum(prices, least)


def _approved(limits: Limits, ordered: Windows, prices: Floats) -> Floats:
    """Return prices within what was approved; one that floor, ceiling or cost bring there is left to them."""
    waits = ordered.bound_by("price")
    bounded = np.maximum(np.clip(prices, limits.bounds.floors, limits.bounds.ceilings), limits.bounds.cost_plus_margin)
    is_approved = (ordered.lowest <= bounded) & (bounded <= ordered.highest)
    return np.where(waits & ~is_approved, np.clip(bounded, ordered.lowest, ordered.highest), prices)


def _nearest_with_ending(limits: Limits, prices: Floats, low: Floats, high: Floats) -> Floats:
    """Return the nearest price with the ending between low and high, the lower of two; the price itself without one."""
    ending, money = limits.rails.price_ending, limits.money
    below, above = not_above(prices, ending, money), not_below(prices, ending, money)
    has_below = below >= np.maximum(low, limits.bounds.lowest)
    has_above = above <= np.minimum(high, limits.bounds.ceilings)
    takes_below = has_below & (~has_above | (prices - below <= above - prices + 1e-9))
    return np.where(takes_below, below, np.where(has_above, above, prices))


def _whole(prices: Floats, money: Currency) -> Floats:
    """Round to smallest units; a price beyond any allowed one becomes the highest allowed, before it is limited."""
    return np.rint(np.clip(prices, -_HIGHEST, _HIGHEST) * money.scale) / money.scale


def side_by_side(limits: Limits, asked: Floats, shelf: Shelf, may_move: Flags | None = None) -> Limits:
    """Return the limits with the caps that hold where these prices are asked for, EUR, shape (n_stores, n_products)."""
    if not limits.links:
        return limits
    while True:  # links have no circle, so each pass settles one more product of a chain
        found = replace(limits, caps=caps_beside(limits, guarded(limits, asked, shelf, may_move)))
        if limits.caps and all(
            np.array_equal(own, limits.caps[rule], equal_nan=True) for rule, own in found.caps.items()
        ):
            return found
        limits = found


def caps_beside(limits: Limits, shown: Floats) -> dict[str, Floats]:
    """Return by rule the highest prices that shown ones allow, with the price ending, EUR, of the same shape."""
    caps = dict[str, Floats]()
    for link in limits.links:
        of_rule = caps.setdefault(link.rule, np.full(shown.shape, np.nan))
        most = not_above(shown[..., link.other] * link.ratio, limits.rails.price_ending, limits.money)
        of_rule[..., link.own] = np.fmin(of_rule[..., link.own], most)
    return caps


def is_above_another(limits: Limits) -> Flags:
    """Tell which products others have to stay below, shape (n_products,)."""
    above = np.zeros(len(limits.base_prices), dtype=bool)
    above[[link.other for link in limits.links]] = True
    return above
