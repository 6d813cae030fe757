"""Prices that other prices of the same shelf limit: those of larger packs of a family, and of own brands.

Both say one thing: the price of a product is at most a ratio of the price of another one, in the same store at the same
time. A ratio of packs is that of what they hold, so that prices per kg or l are compared.
"""

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from typing import NamedTuple

import numpy as np

from catalog.limits import not_above, price_bounds
from catalog.records.product import Product
from catalog.records.store import Store


class PriceLink(NamedTuple):
    """The price of a product is at most `ratio` x that of another, by a rule; products are positions on the shelf."""

    rule: str
    own: int
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
        for small, large in combinations(sorted(sizes, key=lambda own: products[own].measured[0]), 2):
            ratio = products[large].measured[0] / products[small].measured[0]
            links.append(PriceLink("families", large, small, ratio))
    for rule in rails.own_brands:
        if rule.sku not in place or rule.brand not in place:
            continue
        own, brand = products[place[rule.sku]], products[place[rule.brand]]
        has_both = own.measure is not None and brand.measure is not None
        ratio = own.measured[0] / brand.measured[0] if has_both else 1.0
        links.append(PriceLink("own_brands", place[rule.sku], place[rule.brand], ratio * (1 - rule.below)))
    return tuple(links)


def link_conflicts(products: Sequence[Product], store: Store) -> Iterator[str]:
    """Yield families and own brands that cannot be, each as `field: what was found and what to do`."""
    found = [*_of_families(products, store), *_of_own_brands(products, store)]
    yield from found
    if found or not (links := price_links(products, store)):
        return
    graph = TopologicalSorter[int]()
    for link in links:
        graph.add(link.own, link.other)
    try:
        graph.prepare()
    except CycleError as error:
        names = ", ".join(products[position].sku for position in error.args[1])
        yield f"own_brands: each of {names} is to stay below the next; take one rule out"
    bounds = price_bounds(products, store.guardrails, store.money)
    for link in links:
        own, other = products[link.own].sku, products[link.other].sku
        lowest = bounds.lowest[link.own]
        most = not_above(np.array(bounds.ceilings[link.other] * link.ratio), store.guardrails.price_ending, store.money)
        if lowest > most:
            yield (
                f"{link.rule}: {own}: its lowest price {lowest:g} is above {most:g}, the most that {other} at its "
                "ceiling allows, so the rule can never hold; lower its floor and margin, or take the rule out"
            )


def _of_families(products: Sequence[Product], store: Store) -> Iterator[str]:
    shelf = {product.sku: product for product in products}
    for number, family in enumerate(store.guardrails.families):
        field = f"families[{number}]"
        if strangers := [sku for sku in family.skus if sku not in shelf]:
            yield f"{field}: {strangers[0]!r} is not on the shelf; name products of products.yaml"
            continue
        if without := [sku for sku in family.skus if shelf[sku].measure is None]:
            yield f"{field}: {without[0]} has no measure, so its size is not known; give it one in products.yaml"
            continue
        for one, other in combinations((shelf[sku] for sku in family.skus), 2):
            if one.measured == other.measured:
                yield f"{field}: {other.sku} holds as much as {one.sku}; name packs of different sizes"
            yield from _of_units(field, one, other)


def _of_own_brands(products: Sequence[Product], store: Store) -> Iterator[str]:
    shelf = {product.sku: product for product in products}
    for number, rule in enumerate(store.guardrails.own_brands):
        field = f"own_brands[{number}]"
        if strangers := [sku for sku in (rule.sku, rule.brand) if sku not in shelf]:
            yield f"{field}: {strangers[0]!r} is not on the shelf; name products of products.yaml"
            continue
        own, brand = shelf[rule.sku], shelf[rule.brand]
        if own.measure is not None and brand.measure is not None:
            yield from _of_units(field, own, brand)


def _of_units(field: str, one: Product, other: Product) -> Iterator[str]:
    if one.measured[1] != other.measured[1]:
        units = f"{one.measured[1]}, and {other.sku} by the {other.measured[1]}"
        yield f"{field}: {one.sku} is priced by the {units}; name products of one unit"
