"""The bounds on a price that do not depend on stock or time, and conflicts between guardrails.

Floor and ceiling come from the product; cost plus margin and the price ending come from the store's guardrails. All are
whole cents: a bound between two cents is rounded inwards, never outwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats
from catalog.records.pricing_rules import Guardrails
from catalog.records.product import Product

HIGHEST_NUMBER = 2**31 - 1
"""Of whole numbers that are asked for or stored, such as units on a shelf or a version."""
LOWEST_PRICE, HIGHEST_PRICE = 0.01, 1_000_000.0
"""Of prices that are asked about, EUR."""

_NOISE = 1e-6  # cents, of decimals kept as binary
_BETWEEN_ENDINGS = 10  # cents


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


def price_bounds(products: Sequence[Product], guardrails: Guardrails) -> PriceBounds:
    """Return the bounds that the guardrails leave each product, in whole cents."""
    ending = guardrails.price_ending
    costs = np.array([product.unit_cost for product in products])
    return PriceBounds(
        floors=not_below(np.array([product.floor for product in products]), ending),
        ceilings=not_above(np.array([product.ceiling for product in products]), ending),
        cost_plus_margin=not_below(costs * (1 + guardrails.minimum_margin), ending),
    )


def not_below(prices: Floats, ending: int | None = None) -> Floats:
    """Return the lowest price in whole cents, and with the ending if one is set, that is not below each price, EUR."""
    cents = prices * 100 - _NOISE
    if ending is None:
        return np.ceil(cents) / 100
    return (np.ceil((cents - ending) / _BETWEEN_ENDINGS) * _BETWEEN_ENDINGS + ending) / 100


def not_above(prices: Floats, ending: int | None = None) -> Floats:
    """Return the highest price in whole cents, and with the ending if one is set, that is not above each price, EUR."""
    cents = prices * 100 + _NOISE
    if ending is None:
        return np.floor(cents) / 100
    return (np.floor((cents - ending) / _BETWEEN_ENDINGS) * _BETWEEN_ENDINGS + ending) / 100


def conflicts(products: Sequence[Product], guardrails: Guardrails) -> Iterator[str]:
    """Yield guardrails that contradict each other or the shelf, each as `field: what was found and what to do`."""
    yield from _conflicts_of_the_shelf(products, guardrails)
    bounds = price_bounds(products, guardrails)
    for position, product in enumerate(products):
        yield from _conflicts_of_a_product(product, guardrails)
        lowest, ceiling = float(bounds.lowest[position]), float(bounds.ceilings[position])
        if lowest > ceiling:
            yield (
                f"price_ending: {guardrails.price_ending}: no price of {product.sku} between its lowest price and its "
                f"ceiling {product.ceiling} ends in it; widen floor_price and ceiling_price or drop the ending"
            )
        yield from _steps_too_small_to_move(product.sku, lowest, guardrails)


def _conflicts_of_the_shelf(products: Sequence[Product], guardrails: Guardrails) -> Iterator[str]:
    strangers = sorted(guardrails.frozen.keys() - {product.sku for product in products})
    if strangers:
        yield f"frozen: {strangers[0]!r} is not on the shelf"
    if guardrails.moving_share * len(products) + _NOISE < 1:
        yield (
            f"moving_share: {guardrails.moving_share} of {len(products)} products is less than one: no price could "
            "ever change; raise it, or freeze the products"
        )


def _conflicts_of_a_product(product: Product, guardrails: Guardrails) -> Iterator[str]:
    least = float(not_below(np.array([product.unit_cost * (1 + guardrails.minimum_margin)]))[0])
    margin = f"minimum_margin: {guardrails.minimum_margin}: the lowest price of {product.sku} would be {least},"
    if least > product.ceiling:
        yield f"{margin} above its ceiling {product.ceiling}"
    elif least > product.base_price:
        yield f"{margin} above its base_price {product.base_price}, the price that must always be possible"
    frozen = guardrails.frozen.get(product.sku)
    if frozen is not None and not product.floor <= frozen <= product.ceiling:
        yield f"frozen: {product.sku}: {frozen} is outside its floor {product.floor} and ceiling {product.ceiling}"
    elif frozen is not None and frozen < least:
        yield f"frozen: {product.sku}: {frozen} is below {least}, its cost plus minimum_margin"


def _steps_too_small_to_move(sku: str, lowest: float, guardrails: Guardrails) -> Iterator[str]:
    """Yield limits smaller than the distance to the next possible price: they would freeze the product silently."""
    between = 1 if guardrails.price_ending is None else _BETWEEN_ENDINGS
    for field in ("largest_step", "largest_daily_move"):
        share = getattr(guardrails, field)
        if share is not None and lowest * 100 * share + _NOISE < between:
            yield (
                f"{field}: {share} of {sku}'s lowest price {lowest:g} is less than the {between} cents to the next "
                "possible price: it could never rise from there; allow more, or freeze it"
            )
