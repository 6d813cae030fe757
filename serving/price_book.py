"""What a price book holds, and how a price is looked up in it."""

import datetime as dt
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Floats, Ints
from catalog.errors import DataError


@dataclass(frozen=True)
class BookedPrice:
    """What a book holds for one product in one state: prices, revenue and values in EUR.

    `unit_value` is None where the policy does not value stock.
    """

    sku: str
    stock: int
    ticks_left: int
    price: float
    p_sale: float
    expected_revenue: float
    unit_value: float | None
    binding_rule: str
    model_version: str | None


@dataclass(frozen=True)
class PriceBook:
    """Prices by product, stock and time. Arrays have shape (n_products, n_levels, n_ticks).

    Level l holds the answer with l units on the shelf, and position t that with t + 1 ticks left. A level above a
    product's par repeats the answer at par.

    Attributes
    ----------
    prices, unconstrained
        Price to show under the static limits, and the policy's price before any limit, EUR.
    p_sale, p_unconstrained
        Chance of sale at these two; 0 with an empty shelf, NaN where nobody knows.
    unit_value
        Value of one more unit kept, EUR; NaN where the policy does not value stock.
    rule, policy_rule
        Index into `rules`: the last limit that changed the price, else the policy's rule; and the policy's rule.
    """

    skus: tuple[str, ...]
    par_stock: Ints
    prices: Floats
    unconstrained: Floats
    p_sale: Floats
    p_unconstrained: Floats
    unit_value: Floats
    rule: NDArray[np.int16]
    policy_rule: NDArray[np.int16]
    rules: tuple[str, ...]
    policy: str
    model_version: str
    published_at: dt.datetime

    @cached_property
    def positions(self) -> dict[str, int]:
        """Position of each sku."""
        return {sku: position for position, sku in enumerate(self.skus)}

    def quote(self, sku: str, stock: int, ticks_left: int) -> BookedPrice:
        """Look up one price.

        Raises
        ------
        DataError
            When the book does not hold the product, or stock or time cannot be.
        """
        product = self.positions.get(sku)
        n_levels, n_ticks = self.prices.shape[1:]
        if product is None:
            raise DataError(
                f"the price book made for {self.published_at:%Y-%m-%d} does not hold {sku!r}; price it again"
            )
        if stock < 0 or not 1 <= ticks_left <= n_ticks:
            raise DataError(
                f"expected a stock of at least 0 and 1 to {n_ticks} ticks left, "
                f"found {stock} units and {ticks_left} ticks"
            )
        cell = (product, min(stock, n_levels - 1), ticks_left - 1)
        price, chance = float(self.prices[cell]), float(self.p_sale[cell])
        unit_value = float(self.unit_value[cell])
        return BookedPrice(
            sku,
            stock,
            ticks_left,
            price,
            chance,
            price * chance,
            None if math.isnan(unit_value) else unit_value,
            self.rules[self.rule[cell]],
            self.model_version,
        )

    def quotes(self, product: Ints, stock: Ints, ticks_left: Ints) -> tuple[Floats, Floats]:
        """Look up many prices at once: prices (EUR) and chances of sale, in the shape of the arguments."""
        _, n_levels, n_ticks = self.prices.shape
        cell = (product * n_levels + np.minimum(stock, n_levels - 1)) * n_ticks + (ticks_left - 1)
        return self.prices.ravel()[cell], self.p_sale.ravel()[cell]
