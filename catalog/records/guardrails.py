"""Guardrails of every price, and the events on whose dates prices stand."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from catalog.records.fields import Name, Record, Share, ShelfPrice, Sku


class FrozenDuring(Record):
    """An event: from a date through another, or on one alone, its prices stand in every store."""

    first: dt.date
    """first date of the event"""
    through: dt.date | None = None
    """last date of the event; null is the first date"""
    prices: dict[Sku, ShelfPrice] = Field(min_length=1)
    """prices that stand on its dates whatever the policy asks for, EUR by sku"""

    @property
    def last(self) -> dt.date:
        """The last date of the event."""
        return self.through or self.first

    def holds_on(self, date: dt.date) -> bool:
        """Tell whether its prices stand on a business date."""
        return self.first <= date <= self.last

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "FrozenDuring":
        if self.last < self.first:
            raise ValueError(
                f"through {self.through} is before first {self.first}: such an event never holds; give its last date, "
                "or leave through out for one date"
            )
        return self


class Family(Record):
    """Sizes of one product: a larger pack is never dearer per kg or l than a smaller one."""

    skus: Annotated[tuple[Sku, ...], Field(min_length=2, strict=False)]
    """its packs, in any order; each has a `measure` in products.yaml"""


class OwnBrand(Record):
    """A product of the chain's own brand, and the brand that it stays below."""

    sku: Sku
    """product of the own brand"""
    brand: Sku
    """product of the brand"""
    below: Annotated[float, Field(ge=0, le=0.9, allow_inf_nan=False)]
    """share by which it is cheaper at least: per kg or l where both have a `measure`, else by price"""


class Guardrails(Record):
    """Limits on every price that is shown, checked whenever one is set; the defaults leave prices as they are.

    The days of the twin are independent of one another, so an opening price is free within the bounds.
    """

    minimum_margin: float = Field(default=0.0, ge=0, le=100, allow_inf_nan=False)
    """the lowest price is unit cost x (1 + this), or the floor if that is higher"""
    margins: dict[Name, Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]] = Field(default_factory=dict)
    """minimum margins by category, as a share of unit cost; where `minimum_margin` is higher, it holds"""
    largest_step: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] | None = None
    """largest single change, as a share of the price shown; null is no limit"""
    largest_daily_move: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] | None = None
    """largest distance from the opening price, as a share of it; null is no limit"""
    moving_share: Share = 1.0
    """share of the products whose price may change in one tick; those that gain most go first"""
    price_ending: Annotated[int, Field(ge=0, le=9)] | None = None
    """last digit of a price in the smallest unit of the currency, such as of the cents, not kept where no such price is
    near enough; null is any digit"""
    frozen: dict[Sku, ShelfPrice] = Field(default_factory=dict)
    """fixed prices, EUR by sku"""
    frozen_during: tuple[FrozenDuring, ...] = Field(default=(), strict=False)
    """events, on whose dates their prices stand, below"""
    down_only_within_day: bool = False
    """true: a price never rises from one tick to the next of a day; the opening price may be a higher one than the day
    before"""
    changes_per_day: int | None = Field(default=None, ge=0, le=1440)
    """how often the price of a product may change within a store's day, the opening not counted; null is no limit"""
    markdown_only: Literal["all"] | Annotated[tuple[Name, ...], Field(min_length=1, strict=False)] | None = None
    """products whose price is never above the base price: `all`, or a list of skus and categories; null is none"""
    one_price: Literal["zone"] | None = None
    """`zone`: all stores that share a belief and a price book, and are played in one batch, show the same price of a
    product at the same time; null is a price for each store"""
    families: tuple[Family, ...] = Field(default=(), strict=False)
    """packs of which a larger one is never dearer per kg or l than a smaller one, below"""
    own_brands: tuple[OwnBrand, ...] = Field(default=(), strict=False)
    """products of the own brand, and the brand that each stays below, below"""
    kill_switch: bool = False
    """true: base prices at once (of a retailer's stores the last regular shelf prices), no exploration, and no price
    book is written"""

    def margin_of(self, category: str) -> float:
        """Return the minimum margin of a category's products, as a share of unit cost."""
        return max(self.minimum_margin, self.margins.get(category, 0.0))

    def allow_only_markdowns(self, sku: str, category: str) -> bool:
        """Tell whether the price of a product is never above its base price."""
        return self.markdown_only == "all" or bool({sku, category}.intersection(self.markdown_only or ()))
