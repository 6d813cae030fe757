"""Price orders: what people decided about prices, as far as it binds one business date.

They come from the price changes in the lake (`serving.price_changes`), never from a file: `catalog.load` refuses them.
A catalog carries them while a day is sold, so that whoever replays the day finds what bound it.
"""

from typing import Literal

from pydantic import Field, model_validator

from catalog.records.fields import Price, Record, Sku, StoreId

OrderRule = Literal["not_approved", "override", "freeze", "kill_switch"]
"""Why prices are bound, the weakest first: where two orders bind a price, the later one in this list holds."""


class PriceOrder(Record):
    """The prices that a product may have in some ticks of a date: one price, or a range of them."""

    sku: Sku = Field(description="product")
    store: StoreId | None = Field(default=None, description="store; null is every store")
    lowest: Price = Field(description="lowest price, EUR")
    highest: Price = Field(description="highest price, EUR; the lowest where one price stands")
    first_tick: int = Field(default=0, ge=0, le=1440, description="first tick that it binds")
    end_tick: int | None = Field(
        default=None, ge=1, le=1440, description="tick from which it binds no more; null is closing"
    )
    rule: OrderRule = Field(description="why: no approval yet, an override, a freeze, or the kill switch")

    @model_validator(mode="after")
    def _is_a_range(self) -> "PriceOrder":
        if self.lowest > self.highest:
            raise ValueError(f"lowest {self.lowest} is above highest {self.highest}")
        return self
