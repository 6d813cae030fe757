"""What the law of a country asks of an announced price reduction."""

from pydantic import Field

from catalog.records.fields import Record


class PriceLaw(Record):
    """Article 6a of Directive 98/6/EC, with the exceptions that a country may make."""

    days: int = Field(
        default=30, ge=30, le=365, description="days before a reduction whose lowest price it names; 30 at least"
    )
    growing_reductions_keep_the_first: bool = Field(
        default=False,
        description="true: reductions that grow without a break name the lowest price before the first of them",
    )
    new_arrival_days: int | None = Field(
        default=None,
        ge=1,
        le=30,
        description="for goods on sale for less than that period, the days that count instead; null is as long as they "
        "are on sale",
    )
    perishables_name_the_last_price: bool = Field(
        default=False, description="true: goods of `perishable_categories` name the price just before the reduction"
    )
    perishable_categories: tuple[str, ...] = Field(
        default=(), strict=False, description="categories of goods that may deteriorate or expire rapidly"
    )
