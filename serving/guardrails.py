"""Guardrails: the limits that a price keeps, whatever a policy asks for.

`LIMITS` are applied in their order, and the last one wins: what the policy may do, what was approved, what people
ordered, floor, ceiling and cost, and the kill switch. They bind an explored price as they bind the policy's own. Limits
that do not look at the price shown before are static: a price book is made under those alone. All functions are pure;
arrays have shape (..., n_stores, n_products) unless said otherwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Flags, Floats, Ints
from catalog.currency import EUR, Currency
from catalog.limits import PriceBounds, not_above, not_below, price_bounds
from catalog.load import Catalog
from catalog.pricing import CLAMP, LIMITS, NO_CLAMPS, Shelf
from serving.evidence import ShelfPrices
from serving.orders import Kind, Orders, Windows

_BY_PEOPLE: dict[Kind, str] = {"freeze": "frozen", "override": "override", "kill_switch": "kill_switch"}
_HIGHEST = 1_000_000.0  # EUR; the catalog allows no price above it


@dataclass(frozen=True)
class Limits:
    """The guardrails of a shelf. Arrays have shape (n_products,), in EUR.

    Attributes
    ----------
    base_prices
        What is shown under the kill switch, and where nothing usable was ever asked for; see `standing`.
    bounds, whole_bounds
        Floors, ceilings, and cost plus margin: for a policy's price with the price ending, and for one that people
        ordered or approved in any whole smallest unit.
    frozen
        Prices that stand whatever is asked for; NaN where a product is free.
    largest_step, largest_daily_move
        As shares of the price shown and of the opening price; None is no limit.
    movable
        How many products of a store may change price in one tick.
    price_ending
        Last digit of a price in smallest units, or None.
    kill_switch
        Base prices and nothing else.
    orders
        What people ordered and approved for the date; None where nobody did.
    money
        The currency, whose smallest unit every price is a whole number of.
    standing
        The last regular prices of a retailer's stores, which take the place of base prices there: a base price is what
        the first file showed, and nobody's order. None in any other store.
    """

    base_prices: Floats
    bounds: PriceBounds
    whole_bounds: PriceBounds
    frozen: Floats
    largest_step: float | None
    largest_daily_move: float | None
    movable: int
    price_ending: int | None
    kill_switch: bool
    orders: Orders | None = None
    money: Currency = EUR
    standing: ShelfPrices | None = None

    def base_at(self, shelf: Shelf) -> Floats:
        """Return the base prices of a shelf, EUR: of all stores, or each retailer's store's own, NaN where not known.

        Shape (n_products,), or (n_stores, n_products).
        """
        if self.standing is not None:
            return self.standing.of(shelf.stores, len(shelf.stock))
        return self.base_prices

    @cached_property
    def are_static(self) -> bool:
        """Whether every limit is the same for all shelves: none looks at the price shown before, store or time."""
        looks_back = self.largest_step is not None or self.largest_daily_move is not None or self.are_moves_limited
        return not looks_back and self.orders is None

    @cached_property
    def are_moves_limited(self) -> bool:
        """Whether not all products may change price at once."""
        return self.movable < len(self.base_prices)

    @cached_property
    def are_bounds_alone(self) -> bool:
        """Whether a price in whole smallest units within the bounds is left as it is."""
        plain = not self.kill_switch and self.price_ending is None and bool(np.isnan(self.frozen).all())
        return plain and self.are_static

    def only(self, position: int, sku: str) -> "Limits":
        """Return the guardrails of one product, for a shelf that holds it alone."""
        part = slice(position, position + 1)
        orders = None if self.orders is None else self.orders.only(sku)
        return replace(
            self,
            base_prices=self.base_prices[part],
            bounds=self.bounds.among(part),
            whole_bounds=self.whole_bounds.among(part),
            frozen=self.frozen[part],
            orders=orders if orders is not None and orders.orders else None,
            standing=None if self.standing is None else self.standing.only(position),
        )


def limits_of(catalog: Catalog, orders: Orders | None = None, standing: ShelfPrices | None = None) -> Limits:
    """Return the guardrails of a catalog as arrays, with what people ordered for a date.

    `standing` are the prices of a retailer's own shelves.
    """
    store, rails = catalog.store, catalog.store.guardrails
    return Limits(
        base_prices=catalog.base_prices,
        bounds=price_bounds(catalog.products, rails, store.money),
        whole_bounds=price_bounds(catalog.products, rails.model_copy(update={"price_ending": None}), store.money),
        frozen=np.array([rails.frozen.get(sku, np.nan) for sku in catalog.skus]),
        largest_step=rails.largest_step,
        largest_daily_move=rails.largest_daily_move,
        movable=int(rails.moving_share * len(catalog.products) + 1e-9),
        price_ending=rails.price_ending,
        kill_switch=rails.kill_switch,
        orders=orders if orders is not None and orders.orders else None,
        money=store.money,
        standing=standing,
    )


def ordered_on(limits: Limits, shelf: Shelf) -> Windows | None:
    """Return what people decided about the prices of a shelf in its tick; None where nobody decided anything."""
    return None if limits.orders is None else limits.orders.at(shelf.stores, len(shelf.stock), shelf.ticks_left)


def is_given(limits: Limits, shelf: Shelf) -> Flags:
    """Tell which prices stand whatever is asked for: frozen ones, and those that people set.

    Shape (n_products,), or (n_stores, n_products) where people set some.
    """
    frozen = ~np.isnan(limits.frozen)
    ordered = ordered_on(limits, shelf)
    return frozen if ordered is None else frozen | ordered.is_set


def rule_given(limits: Limits, shelf: Shelf) -> Ints:
    """Return by which rule a price stands whatever is asked for, as its position in `LIMITS`; -1 where none does.

    Shape (n_products,), or (n_stores, n_products) where people set some.
    """
    rules = np.where(np.isnan(limits.frozen), -1, LIMITS.index("frozen"))
    ordered = ordered_on(limits, shelf)
    if ordered is not None:
        for kind, rule in _BY_PEOPLE.items():
            rules = np.where(ordered.bound_by(kind), LIMITS.index(rule), rules)
    return np.full(rules.shape, LIMITS.index("kill_switch")) if limits.kill_switch else rules


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

    Rules are numbered by their position in `LIMITS`, from `first_rule` on.
    """
    if leaves_alone(limits, asked):
        return asked, NO_CLAMPS
    before, clamps = _whole(asked, limits.money), [NO_CLAMPS]
    for rule, after in _in_order(limits, asked, shelf, may_move):
        where = np.flatnonzero((after != before) & ~(np.isnan(after) & np.isnan(before)))
        if len(where):
            found = np.empty(len(where), dtype=CLAMP)
            found["decision"], found["rule"] = where, first_rule + LIMITS.index(rule)
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


def usable_prices(prices: Floats, money: Currency = EUR) -> Floats:
    """Return prices in whole smallest units; NaN what is none: not a finite number, or less than half a unit."""
    whole = _whole(prices, money)
    return np.where(np.isfinite(prices) & (whole > 0), whole, np.nan)


def _in_order(limits: Limits, asked: Floats, shelf: Shelf, may_move: Flags | None) -> Iterator[tuple[str, Floats]]:
    """Yield each limit with the prices after it, in the order of `LIMITS`."""
    if limits.kill_switch:  # nothing before it matters
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
    # Steps and endings are for prices of ours: a store's own needs nobody's leave.
    own = given if limits.standing is None else given | (prices == limits.base_at(shelf))
    for rule, after in _steps_and_ending(limits, shelf, prices, shown, own | stays):
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
    bounds = [np.where(by_people, whole, own) for whole, own in _pairs(limits)]
    floors, ceilings, least = bounds
    if ordered is not None:  # a price below floor or cost stands while the cost is no higher than the accepted one
        is_accepted = ordered.accepted_cost >= limits.whole_bounds.cost_plus_margin
        floors, least = (np.where(is_accepted, -np.inf, own) for own in (floors, least))
    yield "ceiling", (prices := np.minimum(prices, ceilings))
    yield "floor", (prices := np.maximum(prices, floors))
    yield "minimum_margin", (prices := np.maximum(prices, least))
    if ordered is not None:
        yield "kill_switch", np.where(ordered.bound_by("kill_switch"), limits.base_at(shelf), prices)


def _pairs(limits: Limits) -> Iterator[tuple[Floats, Floats]]:
    """Yield floors, ceilings and cost plus margin, each in any whole smallest unit and with the price ending."""
    for name in ("floors", "ceilings", "cost_plus_margin"):
        yield getattr(limits.whole_bounds, name), getattr(limits.bounds, name)


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
        "largest_step": (shown, limits.largest_step),
        "largest_daily_move": (opened_at, limits.largest_daily_move),
    }
    for rule, (center, share) in windows.items():
        if share is not None:
            least = not_below(center * (1 - share), money=limits.money)
            most = not_above(center * (1 + share), money=limits.money)
            prices = np.where(fixed | np.isnan(center), prices, np.clip(prices, least, most))
            yield rule, prices
            low, high = np.fmax(low, least), np.fmin(high, most)
    if limits.price_ending is not None:
        yield "price_ending", np.where(fixed, prices, _nearest_with_ending(limits, prices, low, high))


def _given(limits: Limits, ordered: Windows | None, prices: Floats) -> Iterator[tuple[str, Floats]]:
    """Yield the prices after each rule by which a price stands whatever the policy asks for."""
    prices = np.where(np.isnan(limits.frozen), prices, limits.frozen)
    if ordered is None:
        yield "frozen", prices
        return
    prices = np.where(ordered.bound_by("freeze"), ordered.lowest, prices)
    yield "frozen", prices
    yield "override", np.where(ordered.bound_by("override"), ordered.lowest, prices)


def _approved(limits: Limits, ordered: Windows, prices: Floats) -> Floats:
    """Return prices within what was approved; one that floor, ceiling or cost bring there is left to them."""
    waits = ordered.bound_by("price")
    bounded = np.maximum(np.clip(prices, limits.bounds.floors, limits.bounds.ceilings), limits.bounds.cost_plus_margin)
    is_approved = (ordered.lowest <= bounded) & (bounded <= ordered.highest)
    return np.where(waits & ~is_approved, np.clip(bounded, ordered.lowest, ordered.highest), prices)


def _nearest_with_ending(limits: Limits, prices: Floats, low: Floats, high: Floats) -> Floats:
    """Return the nearest price with the ending between low and high, the lower of two; the price itself without one."""
    ending, money = limits.price_ending, limits.money
    below, above = not_above(prices, ending, money), not_below(prices, ending, money)
    has_below = below >= np.maximum(low, limits.bounds.lowest)
    has_above = above <= np.minimum(high, limits.bounds.ceilings)
    takes_below = has_below & (~has_above | (prices - below <= above - prices + 1e-9))
    return np.where(takes_below, below, np.where(has_above, above, prices))


def _whole(prices: Floats, money: Currency) -> Floats:
    """Round to smallest units; a price beyond any allowed one becomes the highest allowed, before it is limited."""
    return np.rint(np.clip(prices, -_HIGHEST, _HIGHEST) * money.scale) / money.scale
