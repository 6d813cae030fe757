"""What a pricing policy is: it says what it wants, and nothing else.

`serving.store.storefront` turns what it wants into a price: support, exploration and guardrails are steps there, and no
policy knows of them. A policy is a pure function of the shelf.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from catalog.arrays import Floats, Ints
from catalog.decisions.pricing import Shelf


@dataclass(frozen=True)
class Asked:
    """What a policy wants. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    prices
        Prices asked for, EUR.
    rule
        Index into the policy's `rules`: which of them decided the price.
    p_sale
        Chance of sale at these prices; NaN where the policy does not know it.
    unit_value
        Value of one unit kept, EUR; NaN where the policy does not value stock.
    sticker
        Prices for the stickers of last-day units, EUR, NaN for none; None where the policy sticks none.
    saving
        What each sticker that is asked for now is expected to bring more than none, EUR; None where none is.
    """

    prices: Floats
    rule: Ints
    p_sale: Floats
    unit_value: Floats
    sticker: Floats | None = None
    saving: Floats | None = None


class PricingPolicy(Protocol):
    """Anything that can say which prices it wants.

    Attributes
    ----------
    name
        The policy's name in the tables.
    model_version
        Registered model version behind the prices, or None.
    rules
        Names, all in `catalog.price_rules.RULES`, of what can decide a price; `Asked.rule` points into it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def model_version(self) -> str | None: ...  # noqa: D102

    @property
    def rules(self) -> tuple[str, ...]: ...  # noqa: D102

    def ask(self, shelf: Shelf) -> Asked:
        """Say which price every product of every store should have for one tick."""
        ...


def asked_without_model(prices: Floats, rule: Ints) -> Asked:
    """Return prices that come without a chance of sale and without a value of stock."""
    unknown = np.full(prices.shape, np.nan)
    return Asked(prices, rule, unknown, unknown)
