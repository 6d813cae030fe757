"""What a price decision is: the state a policy sees, what it answers, and the protocol all policies follow.

The twin plays any `Policy`, and serving provides them; neither imports the other. A policy is a pure function
of the `Shelf`: it holds no random state. Where a policy chooses by chance, it uses the uniform `dice` that come
with the shelf, so two policies can be played on the same shoppers and the same luck.
"""

from dataclasses import dataclass
from typing import Protocol

from catalog.arrays import Flags, Floats, Ints

RULES = {
    "base_price": "it is the base price",
    "low_stock": "stock is low",
    "greedy": "it promises the most per visit",
    "stock_value": "it earns most until closing",
    "exploration": "trying a price to learn demand",
    "sold_out": "nothing is left to sell",
}
"""Every rule that can bind a price, with the words that follow "Raised Milk 1.35 -> 1.62: "."""


@dataclass(frozen=True)
class Shelf:
    """The stores' shelves at the start of one tick. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    stock
        Units on the shelf.
    shown_prices
        Prices that stood in the tick before, EUR; NaN at opening.
    ticks_left
        Ticks until closing, this one included.
    dice
        One uniform number in [0, 1) per store and product, for policies that choose by chance.
    """

    stock: Ints
    shown_prices: Floats
    ticks_left: int
    dice: Floats


@dataclass(frozen=True)
class PriceDecision:
    """A policy's answer. Arrays have shape (n_stores, n_products).

    Attributes
    ----------
    prices
        Prices to show, EUR.
    propensity
        Chance with which the policy shows exactly this price in this state.
    explored
        Whether the price was tried in order to learn.
    rule
        Index into the policy's `rules`: which of them decided the price.
    p_sale
        Chance of sale at the price; NaN without a model.
    unit_value
        Value of one unit kept, EUR; NaN where the policy does not value stock.
    """

    prices: Floats
    propensity: Floats
    explored: Flags
    rule: Ints
    p_sale: Floats
    unit_value: Floats


class Policy(Protocol):
    """Anything that can price the shelves.

    Attributes
    ----------
    name
        The policy's name in the tables.
    model_version
        Registered model version behind the prices, or None.
    rules
        Names, all in `RULES`, of what can bind a decision; `PriceDecision.rule` points into it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def model_version(self) -> str | None: ...  # noqa: D102

    @property
    def rules(self) -> tuple[str, ...]: ...  # noqa: D102

    def decide(self, shelf: Shelf) -> PriceDecision:
        """Price every product of every store for one tick."""
        ...
