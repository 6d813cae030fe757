"""What rivals' prices mean for ours: how long one that was seen counts, and how far ours may be above it."""

from collections.abc import Collection, Iterator
from typing import Annotated

from pydantic import Field, model_validator

from catalog.records.fields import Name, Record, Sku

MOST_STALE_DAYS = 31
"""Days after which no rival's price counts, whatever a catalog says."""


class RivalRules(Record):
    """How long a rival's price counts, and how far ours may be above the cheapest of some rivals."""

    stale_after_days: int = Field(
        default=7,
        ge=0,
        le=MOST_STALE_DAYS,
        description="a price counts through so many days after the date on which it was seen; its last date is noted "
        "when it is taken in",
    )
    of: tuple[Name, ...] = Field(
        default=(), strict=False, description="names of the rivals whose prices limit ours, as they are taken in"
    )
    at_most_above: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = Field(
        default=None,
        description="no price is more than this share above the cheapest price of these rivals that counts; null is no "
        "limit",
    )
    held: tuple[Sku, ...] = Field(
        default=(), strict=False, description="key-value items, by sku: at most the cheapest price of these rivals"
    )

    @model_validator(mode="after")
    def _rules_have_rivals(self) -> "RivalRules":
        is_rule = self.at_most_above is not None or bool(self.held)
        if is_rule != bool(self.of):
            missing = "of: the rivals that limit our prices" if is_rule else "at_most_above or held beside of"
            raise ValueError(f"rivals: expected {missing}, found none; name some, or leave the rule out")
        return self

    def share_above(self, sku: str) -> float | None:
        """Return how far a product's price may be above the cheapest rival, as a share of it; None is any."""
        return 0.0 if sku in self.held else self.at_most_above


def rival_conflicts(
    rules: RivalRules, skus: Collection[str], frozen: Collection[str], drawn: Collection[str]
) -> Iterator[str]:
    """Yield rules that cannot hold, each as `field: what was found and what to do`.

    Parameters
    ----------
    skus, frozen, drawn
        Products of the shelf, those whose price is frozen, and those whose price is drawn by the week or day.
    """
    for sku in rules.held:
        if sku not in skus:
            yield f"held: {sku!r} is not on the shelf; name products of products.yaml"
        elif sku in frozen:
            yield f"held: {sku}: its price is frozen, whatever rivals ask; take it out of held, or out of frozen"
    for sku in drawn:
        if rules.share_above(sku) is not None:
            yield (
                f"of: {sku}: its prices are drawn on both sides of its shelf price, and what rivals ask would cut some "
                "off; take it out of drawn_prices.products, or leave the rule out"
            )
