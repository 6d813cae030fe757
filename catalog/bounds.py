"""The bounds on a price that do not depend on stock or time, and conflicts between guardrails.

Floor and ceiling come from the product; cost plus margin and the price ending come from the store's guardrails. All are
whole numbers of the smallest unit of the currency: a bound between two is rounded inwards, never outwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import NamedTuple

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.currency import EUR, SMALLEST_OF_ALL, Currency
from catalog.records.guardrails import Guardrails
from catalog.records.product import Product
from catalog.records.store import Store

HIGHEST_NUMBER = 2**31 - 1
"""Of whole numbers that are asked for or stored, such as units on a shelf or a version."""
LOWEST_PRICE, HIGHEST_PRICE = SMALLEST_OF_ALL, 1_000_000.0
"""Of prices that are asked about, in any currency; that of the shelf may have a larger smallest unit."""

_NOISE = 1e-6  # smallest units, of decimals kept as binary
_BETWEEN_ENDINGS = 10  # smallest units


@dataclass(frozen=True)
class PriceBounds:
    """Bounds of each product's price, EUR, shape (n_products,); with a price ending, every bound has it."""

    floors: Floats
    ceilings: Floats
    cost_plus_margin: Floats

    @property
    def lowest(self) -> Floats:
        """The higher of floor and cost plus margin, EUR, shape (n_products,)."""
        return np.maximum(self.floors, self.cost_plus_margin)

    def among(self, part: slice | Ints) -> "PriceBounds":
        """Return the bounds of some products."""
        return PriceBounds(self.floors[part], self.ceilings[part], self.cost_plus_margin[part])


def price_bounds(products: Sequence[Product], guardrails: Guardrails, money: Currency = EUR) -> PriceBounds:
    """Return the bounds that the guardrails leave each product, in whole smallest units."""
    ending = guardrails.price_ending
    least_paid = [product.unit_cost * (1 + guardrails.margin_of(product.category)) for product in products]
    return PriceBounds(
        floors=not_below(np.array([product.floor for product in products]), ending, money),
        ceilings=not_above(np.array([product.ceiling for product in products]), ending, money),
        cost_plus_margin=not_below(np.array(least_paid), ending, money),
    )


def cost_plus_margin(product: Product, guardrails: Guardrails, money: Currency = EUR) -> float:
    """Return the lowest price that covers cost plus minimum margin, EUR, whatever its ending."""
    least_paid = product.unit_cost * (1 + guardrails.margin_of(product.category))
    return float(not_below(np.array([least_paid]), money=money)[0])


def not_below(prices: Floats, ending: int | None = None, money: Currency = EUR) -> Floats:
    """Return the lowest possible price, with the ending if one is set, that is not below each price."""
    units = prices * money.scale - _NOISE
    if ending is None:
        return np.ceil(units) / money.scale
    return (np.ceil((units - ending) / _BETWEEN_ENDINGS) * _BETWEEN_ENDINGS + ending) / money.scale


def not_above(prices: Floats, ending: int | None = None, money: Currency = EUR) -> Floats:
    """Return the highest possible price, with the ending if one is set, that is not above each price."""
    units = prices * money.scale + _NOISE
    if ending is None:
        return np.floor(units) / money.scale
    return (np.floor((units - ending) / _BETWEEN_ENDINGS) * _BETWEEN_ENDINGS + ending) / money.scale


def conflicts(products: Sequence[Product], store: Store) -> Iterator[str]:
    """Yield guardrails that contradict each other or the shelf, each as `field: what was found and what to do`."""
    guardrails, money = store.guardrails, store.money
    yield from _conflicts_of_the_shelf(products, guardrails)
    yield from _conflicts_of_events(guardrails)
    yield from _conflicts_of_modes(products, store)
    bounds = price_bounds(products, guardrails, money)
    for position, product in enumerate(products):
        yield from _conflicts_of_a_product(product, guardrails, money)
        lowest, ceiling = float(bounds.lowest[position]), float(bounds.ceilings[position])
        if lowest > ceiling:
            yield (
                f"price_ending: {guardrails.price_ending}: no price of {product.sku} between its lowest price and its "
                f"ceiling {product.ceiling} ends in it; widen floor_price and ceiling_price or drop the ending"
            )
        yield from _steps_too_small_to_move(product.sku, lowest, guardrails, money)
        if guardrails.allow_only_markdowns(product.sku, product.category):
            yield from _conflicts_of_a_markdown(product, lowest, guardrails, money)


def _conflicts_of_the_shelf(products: Sequence[Product], guardrails: Guardrails) -> Iterator[str]:
    skus = {product.sku for product in products}
    for field, prices in _fixed_prices(guardrails):
        if strangers := sorted(prices.keys() - skus):
            yield f"{field}: {strangers[0]!r} is not on the shelf"
    categories = {product.category for product in products}
    if strangers := sorted(guardrails.margins.keys() - categories):
        yield f"margins: {strangers[0]!r} is no category of the shelf; name one ({', '.join(sorted(categories))})"
    named = () if isinstance(guardrails.markdown_only, str) else guardrails.markdown_only or ()
    if strangers := sorted(set(named) - skus - categories):
        yield (
            f"markdown_only: {strangers[0]!r} is neither a sku nor a category of the shelf; name one, or take it out"
        )
    if guardrails.moving_share * len(products) + _NOISE < 1:
        yield (
            f"moving_share: {guardrails.moving_share} of {len(products)} products is less than one: no price could "
            "ever change; raise it, or freeze the products"
        )


def _fixed_prices(guardrails: Guardrails) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the fields that fix prices, and what they say, EUR by sku."""
    yield "frozen", guardrails.frozen
    for number, event in enumerate(guardrails.frozen_during):
        yield f"frozen_during[{number}]", event.prices


def _conflicts_of_events(guardrails: Guardrails) -> Iterator[str]:
    numbered = list(enumerate(guardrails.frozen_during))
    for (number, event), (other_number, other) in combinations(numbered, 2):
        both = max(event.first, other.first)
        for sku in sorted(event.prices.keys() & other.prices.keys()):
            if both <= min(event.last, other.last) and event.prices[sku] != other.prices[sku]:
                yield (
                    f"frozen_during[{other_number}]: {sku}: {other.prices[sku]} stands on {both}, and so does "
                    f"{event.prices[sku]} of frozen_during[{number}]; let one event end before the other begins"
                )


def _conflicts_of_modes(products: Sequence[Product], store: Store) -> Iterator[str]:
    """Yield modes with which another limit binds nothing, or that a store which sells outside cannot keep."""
    rails, drawn = store.guardrails, store.drawn_prices
    if rails.changes_per_day == 0:
        for field in ("down_only_within_day", "largest_step", "largest_daily_move", "moving_share"):
            value = getattr(rails, field)
            if value != type(rails).model_fields[field].default:
                yield (
                    f"{field}: {value} binds nothing where changes_per_day is 0, for no price changes within the day; "
                    f"leave {field} out, or allow changes"
                )
    if store.sales != "outside":
        return
    for field in ("one_price", "families", "own_brands"):
        if value := getattr(rails, field):
            named = f"{field}: {value}" if isinstance(value, str) else field
            yield (
                f"{named}: stores that sell outside have prices of their own, which no other price moves; leave "
                f"{field} out"
            )
    if drawn.changes != "hourly":
        for product in products:
            if drawn.includes(product.sku) and rails.allow_only_markdowns(product.sku, product.category):
                yield (
                    f"markdown_only: {product.sku}: its prices are drawn on both sides of its shelf price; take it out "
                    "of markdown_only, or out of drawn_prices.products"
                )


def _conflicts_of_a_markdown(product: Product, lowest: float, guardrails: Guardrails, money: Currency) -> Iterator[str]:
    base = product.base_price
    for field, prices in _fixed_prices(guardrails):
        if (price := prices.get(product.sku)) is not None and price > base:
            yield (
                f"{field}: {product.sku}: {price} is above its base_price {base}, and it is in markdown_only; give a "
                "lower price, or take it out of markdown_only"
            )
    if lowest > float(not_above(np.array([base]), guardrails.price_ending, money)[0]):
        yield (
            f"markdown_only: {product.sku}: no price between its lowest price and its base_price {base} ends in "
            f"{guardrails.price_ending}, the price_ending; drop the ending, or take it out of markdown_only"
        )


def _conflicts_of_a_product(product: Product, guardrails: Guardrails, money: Currency) -> Iterator[str]:
    least = cost_plus_margin(product, guardrails, money)
    share = guardrails.margin_of(product.category)
    field = "minimum_margin" if share == guardrails.minimum_margin else f"margins: {product.category}"
    if least > product.base_price:
        yield (
            f"{field}: {share}: the lowest price of {product.sku} would be {least}, above its base_price "
            f"{product.base_price}, the price that must always be possible"
        )
    for field, prices in _fixed_prices(guardrails):
        price = prices.get(product.sku)
        if price is not None and not product.floor <= price <= product.ceiling:
            yield f"{field}: {product.sku}: {price} is outside its floor {product.floor} and ceiling {product.ceiling}"
        elif price is not None and price < least:
            yield f"{field}: {product.sku}: {price} is below {least}, its cost plus its minimum margin"


def _steps_too_small_to_move(sku: str, lowest: float, guardrails: Guardrails, money: Currency) -> Iterator[str]:
    """Yield limits smaller than the distance to the next possible price: they would freeze the product silently."""
    unit = "cents" if money == EUR else f"x {money.smallest:g} {money.code}"
    between = 1 if guardrails.price_ending is None else _BETWEEN_ENDINGS
    for field in ("largest_step", "largest_daily_move"):
        share = getattr(guardrails, field)
        if share is not None and lowest * money.scale * share + _NOISE < between:
            yield (
                f"{field}: {share} of {sku}'s lowest price {lowest:g} is less than the {between} {unit} to the next "
                "possible price: it could never rise from there; allow more, or freeze it"
            )


class PriceLink(NamedTuple):
    """The price of a product is at most `ratio` x that of another, by a rule; products are positions on the shelf."""

    rule: str
    limited: int
    other: int
    ratio: float


def price_links(products: Sequence[Product], store: Store) -> tuple[PriceLink, ...]:
    """Return the links of a shelf's families and own brands.

    A day that is being sold keeps its products, so what it does not have, or not measured, is left out.
    """
    rails, place = store.guardrails, {product.sku: position for position, product in enumerate(products)}
    links = []
    for family in rails.families:
        sizes = [place[sku] for sku in family.skus if sku in place and products[place[sku]].measure is not None]
        for small, large in combinations(sorted(sizes, key=lambda position: products[position].measured[0]), 2):
            ratio = products[large].measured[0] / products[small].measured[0]
            links.append(PriceLink("families", large, small, ratio))
    for rule in rails.own_brands:
        if rule.sku not in place or rule.brand not in place:
            continue
        cheaper, brand = products[place[rule.sku]], products[place[rule.brand]]
        has_both = cheaper.measure is not None and brand.measure is not None
        ratio = cheaper.measured[0] / brand.measured[0] if has_both else 1.0
        links.append(PriceLink("own_brands", place[rule.sku], place[rule.brand], ratio * (1 - rule.below)))
    return tuple(links)


def link_conflicts(products: Sequence[Product], store: Store) -> Iterator[str]:
    """Yield families and own brands that cannot be, each as `field: what was found and what to do`."""
    conflicts_of_sizes = list(_conflicts_of_sizes(products, store.guardrails))
    yield from conflicts_of_sizes
    if conflicts_of_sizes or not (links := price_links(products, store)):
        return
    graph = TopologicalSorter[int]()
    for link in links:
        graph.add(link.limited, link.other)
    try:
        graph.prepare()
    except CycleError as error:
        names = ", ".join(products[position].sku for position in error.args[1])
        yield f"own_brands: each of {names} is to stay below the next; take one rule out"
    bounds = price_bounds(products, store.guardrails, store.money)
    for link in links:
        sku, other = products[link.limited].sku, products[link.other].sku
        lowest = bounds.lowest[link.limited]
        most = not_above(np.array(bounds.ceilings[link.other] * link.ratio), store.guardrails.price_ending, store.money)
        if lowest > most:
            yield (
                f"{link.rule}: {sku}: its lowest price {lowest:g} is above {most:g}, the most that {other} at its "
                "ceiling allows, so the rule can never hold; lower its floor and margin, or take the rule out"
            )


def _conflicts_of_sizes(products: Sequence[Product], guardrails: Guardrails) -> Iterator[str]:
    """Yield families and own brands whose products are not there, or not of sizes that can be compared."""
    shelf = {product.sku: product for product in products}
    groups = [(f"families[{number}]", family.skus) for number, family in enumerate(guardrails.families)]
    groups += [(f"own_brands[{number}]", (rule.sku, rule.brand)) for number, rule in enumerate(guardrails.own_brands)]
    for field, skus in groups:
        if strangers := [sku for sku in skus if sku not in shelf]:
            yield f"{field}: {strangers[0]!r} is not on the shelf; name products of products.yaml"
            continue
        is_family, without = field.startswith("families"), [sku for sku in skus if shelf[sku].measure is None]
        if without:
            if is_family:
                yield f"{field}: {without[0]} has no measure, so its size is not known; give it one in products.yaml"
            continue
        for pack, other in combinations((shelf[sku] for sku in skus), 2):
            if is_family and pack.measured == other.measured:
                yield f"{field}: {other.sku} holds as much as {pack.sku}; name packs of different sizes"
            if pack.measured[1] != other.measured[1]:
                units = f"{pack.measured[1]}, and {other.sku} by the {other.measured[1]}"
                yield f"{field}: {pack.sku} is priced by the {units}; name products of one unit"
