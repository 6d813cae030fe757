"""The guardrails of a shelf as arrays: those of a catalog, with what people ordered for a date.

`serving.limits.guardrails` applies them. Limits that look at neither the day so far nor at other stores are static: a
price book is made under those alone. Arrays have shape (..., n_stores, n_products) unless said otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats, Ints
from catalog.bounds import PriceBounds, PriceLink, not_above, not_below, price_bounds, price_links
from catalog.currency import EUR, Currency
from catalog.decisions.pricing import Shelf
from catalog.decisions.rules import LIMITS
from catalog.load import Catalog
from catalog.records.guardrails import Guardrails
from serving.limits.orders import Kind, Orders, Windows
from serving.optimise.policies import ShelfPrices

_RULE_OF_KIND: dict[Kind, str] = {
    "event": "event",
    "freeze": "frozen",
    "override": "override",
    "kill_switch": "kill_switch",
}
LINKED = ("families", "own_brands")
"""The rules by which other prices of the shelf limit a price."""


@dataclass(frozen=True)
class Limits:
    """The guardrails of a shelf. Arrays have shape (n_products,), in EUR.

    Attributes
    ----------
    rails
        The guardrails as the catalog says them.
    base_prices
        What is shown under the kill switch, and where nothing usable was ever asked for; see `standing`.
    bounds, whole_bounds
        Floors, ceilings, and cost plus margin: for a policy's price with the price ending, and for one that people
        ordered or approved in any whole smallest unit.
    frozen
        Prices that stand whatever is asked for; NaN where a product is free.
    is_markdown_only
        Whose price is never above the base price.
    rival_caps
        The highest prices that rivals' prices allow, with the price ending; NaN where nothing limits one.
    movable
        How many products of a store may change price in one tick.
    orders
        What people ordered and approved for the date, and the prices of its events; None where there is nothing.
    money
        The currency, whose smallest unit every price is a whole number of.
    standing
        The last regular prices of a retailer's stores, which take the place of base prices there: a base price is what
        the first file showed, and nobody's order. None in any other store.
    links
        Prices that other prices of the shelf limit.
    caps
        By rule, the highest prices that the others allow, EUR, shape (n_stores, n_products), or one row for all stores;
        NaN where none. Empty until `serving.limits.guardrails` has seen the others.
    """

    rails: Guardrails
    base_prices: Floats
    bounds: PriceBounds
    whole_bounds: PriceBounds
    frozen: Floats
    is_markdown_only: Flags
    rival_caps: Floats
    movable: int
    orders: Orders | None = None
    money: Currency = EUR
    standing: ShelfPrices | None = None
    links: tuple[PriceLink, ...] = ()
    caps: Mapping[str, Floats] = field(default_factory=dict)

    def base_at(self, shelf: Shelf) -> Floats:
        """Return the base prices of a shelf, EUR: of all stores, or each retailer's store's own, NaN where not known.

        Shape (n_products,), or (n_stores, n_products).
        """
        if self.standing is not None:
            return self.standing.of(shelf.stores, len(shelf.stock))
        return self.base_prices

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """The rules of `LIMITS` that these limits can bind by, in their order: all but modes that are not asked for."""
        is_asked_for = {
            "changes_per_day": self.rails.changes_per_day is not None,
            "down_only_within_day": self.rails.down_only_within_day,
            "one_price": self.rails.one_price is not None,
            "rivals": bool(np.isfinite(self.rival_caps).any()),
            **{rule: rule in self.caps or any(link.rule == rule for link in self.links) for rule in LINKED},
            "event": self.orders is not None and any(order.kind == "event" for order in self.orders.orders),
            "markdown_only": bool(self.is_markdown_only.any()),
        }
        return tuple(rule for rule in LIMITS if is_asked_for.get(rule, True))

    @cached_property
    def are_static(self) -> bool:
        """Whether every limit is the same for all shelves: none looks at the day so far, at stores or at the time."""
        rails = self.rails
        looks_back = rails.largest_step is not None or rails.largest_daily_move is not None or self.are_moves_limited
        is_of_the_day = rails.changes_per_day is not None or rails.down_only_within_day or rails.one_price is not None
        return not (looks_back or is_of_the_day or self.links or self.caps) and self.orders is None

    @cached_property
    def are_moves_limited(self) -> bool:
        """Whether not all products may change price at once."""
        return self.movable < len(self.base_prices)

    @cached_property
    def are_bounds_alone(self) -> bool:
        """Whether a price in whole smallest units within the bounds is left as it is."""
        in_arrays = {"minimum_margin": 0.0, "margins": {}, "frozen": {}, "frozen_during": (), "markdown_only": None}
        is_plain = self.rails.model_copy(update=in_arrays) == Guardrails() and not self.is_markdown_only.any()
        return is_plain and bool(np.isnan([self.frozen, self.rival_caps]).all()) and self.are_static

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
            is_markdown_only=self.is_markdown_only[part],
            rival_caps=self.rival_caps[part],
            orders=orders if orders is not None and orders.are_ordered else None,
            standing=None if self.standing is None else self.standing.only(position),
            links=(),
            caps={link.rule: np.full((1, 1), np.nan) for link in self.links if link.own == position},
        )


def limits_of(catalog: Catalog, orders: Orders | None = None, standing: ShelfPrices | None = None) -> Limits:
    """Return the guardrails of a catalog as arrays, with what people ordered for a date.

    `standing` are the prices of a retailer's own shelves.
    """
    store, rails = catalog.store, catalog.store.guardrails
    bounds = whole = catalog.whole_bounds
    if rails.price_ending is not None:
        bounds = price_bounds(catalog.products, rails, store.money)
    highest = _by_product(catalog, dict(() if orders is None else orders.rival_caps))
    marked = () if rails.markdown_only is None else catalog.products
    is_marked = [rails.allow_only_markdowns(own.sku, own.category) for own in marked]
    return Limits(
        rails=rails,
        base_prices=catalog.base_prices,
        bounds=bounds,
        whole_bounds=whole,
        frozen=_by_product(catalog, rails.frozen),
        is_markdown_only=np.array(is_marked) if is_marked else np.zeros(len(catalog.skus), dtype=bool),
        rival_caps=not_above(highest, rails.price_ending, store.money),
        movable=int(rails.moving_share * len(catalog.products) + 1e-9),
        orders=orders if orders is not None and orders.are_ordered else None,
        money=store.money,
        standing=standing,
        links=price_links(catalog.products, store),
    )


def _by_product(catalog: Catalog, prices: Mapping[str, float]) -> Floats:
    """Return prices of some products, EUR, as an array of all, shape (n_products,); NaN for the others."""
    found = np.full(len(catalog.skus), np.nan)
    for sku, price in prices.items():
        if sku in catalog.positions:
            found[catalog.positions[sku]] = price
    return found


def ordered_on(limits: Limits, shelf: Shelf) -> Windows | None:
    """Return what people decided about the prices of a shelf in its tick; None where nobody decided anything."""
    return None if limits.orders is None else limits.orders.at(shelf.stores, len(shelf.stock), shelf.ticks_left)


def is_given(limits: Limits, shelf: Shelf) -> Flags:
    """Tell which prices stand whatever is asked for: frozen ones, those of an event, and those that people set.

    Shape (n_products,), or (n_stores, n_products) where people set some.
    """
    frozen = ~np.isnan(limits.frozen)
    ordered = ordered_on(limits, shelf)
    return frozen if ordered is None else frozen | ordered.is_set


def lowest_that_passes(limits: Limits, shelf: Shelf, prices: Floats) -> Floats:
    """Return prices, EUR, raised to the lowest ones that nobody has to approve, with the price ending."""
    ordered = ordered_on(limits, shelf)
    if ordered is None:
        return prices
    lowest = not_below(ordered.lowest, limits.rails.price_ending, limits.money)
    return np.where(ordered.bound_by("price"), np.fmax(prices, lowest), prices)


def rule_given(limits: Limits, shelf: Shelf) -> Ints:
    """Return by which rule a price stands whatever is asked for, as its position in `limits.rules`; -1 where none does.

    Shape (n_products,), or (n_stores, n_products) where people set some.
    """
    place = limits.rules.index
    rules = np.where(np.isnan(limits.frozen), -1, place("frozen"))
    ordered = ordered_on(limits, shelf)
    if ordered is not None:
        for kind, rule in _RULE_OF_KIND.items():
            if rule in limits.rules:
                rules = np.where(ordered.bound_by(kind), place(rule), rules)
    return np.full(rules.shape, place("kill_switch")) if limits.rails.kill_switch else rules
