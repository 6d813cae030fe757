"""What raises an alert, and where it is sent."""

from pydantic import Field

from catalog.records.fields import Record, Share


class AlertRules(Record):
    """What raises an alert; null where a field allows it switches the rule off."""

    below_cost: bool = Field(default=True, description="a price is shown that is below the cost of a unit")
    drift: bool = Field(default=True, description="demand of a product has changed, by the newest check")
    late_night: bool = Field(
        default=True, description="a store sells a date without prices of its own although nights made some before"
    )
    nights_refused: int | None = Field(
        default=3, ge=1, le=365, description="so many dates in a row were sold from older prices; null is never"
    )
    override_days: int | None = Field(
        default=14, ge=1, le=3650, description="an override or a freeze is older than so many days; null is never"
    )
    waste_above: Share | None = Field(
        default=None, description="share of the day's stock that was left at closing; null is never"
    )
    silent_days: int | None = Field(
        default=2,
        ge=1,
        le=365,
        description="a store that sells by itself sent no sales of so many open days; null is never",
    )
    other_prices: Share | None = Field(
        default=0.2,
        gt=0,
        description="share of a week's units of drawn products that a store sold at prices that are not ours; null is "
        "never",
    )
    labels: bool = Field(default=True, description="a label has not followed a price two ticks after it was sent")
    webhook: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="address to which each alert is sent once, as JSON; null sends none",
    )
