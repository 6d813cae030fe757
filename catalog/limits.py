"""The bounds on a price that do not depend on stock or time, and conflicts between guardrails.

Floor and ceiling come from the product; cost plus margin and the price ending come from the store's guardrails. All are
whole numbers of the smallest unit of the currency: a bound between two is rounded inwards, never outwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats
from catalog.currency import EUR, SMALLEST_OF_ALL, Currency
from catalog.records.pricing_rules import Guardrails
from catalog.records.product import Product

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

    def among(self, part: slice) -> "PriceBounds":
        """Return the bounds of some products."""
        return PriceBounds(self.floors[part], self.ceilings[part], self.cost_plus_margin[part])


def price_bounds(products: Sequence[Product], guardrails: Guardrails, money: Currency = EUR) -> PriceBounds:
    """Return the bounds that the guardrails leave each product, in whole smallest units."""
    ending = guardrails.price_ending
    costs = np.array([product.unit_cost for product in products])
    return PriceBounds(
        floors=not_below(np.array([product.floor for product in products]), ending, money),
        ceilings=not_above(np.array([product.ceiling for product in products]), ending, money),
        cost_plus_margin=not_below(costs * (1 + guardrails.minimum_margin), ending, money),
    )


def cost_plus_margin(product: Product, guardrails: Guardrails, money: Currency = EUR) -> float:
    """Return the lowest price that covers cost plus minimum margin, EUR, whatever its ending."""
    return float(not_below(np.array([product.unit_cost * (1 + guardrails.minimum_margin)]), money=money)[0])


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


def conflicts(products: Sequence[Product], guardrails: Guardrails, money: Currency = EUR) -> Iterator[str]:
    """Yield guardrails that contradict each other or the shelf, each as `field: what was found and what to do`."""
    yield from _conflicts_of_the_shelf(products, guardrails)
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


def _conflicts_of_the_shelf(products: Sequence[Product], guardrails: Guardrails) -> Iterator[str]:
    strangers = sorted(guardrails.frozen.keys() - {product.sku for product in products})
    if strangers:
        yield f"frozen: {strangers[0]!r} is not on the shelf"
    if guardrails.moving_share * len(products) + _NOISE < 1:
        yield (
            f"moving_share: {guardrails.moving_share} of {len(products)} products is less than one: no price could "
            "ever change; raise it, or freeze the products"
        )


def _conflicts_of_a_product(product: Product, guardrails: Guardrails, money: Currency) -> Iterator[str]:
    least = cost_plus_margin(product, guardrails, money)
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
