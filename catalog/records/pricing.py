"""How a store prices and learns: its policies, exploration, the gate for models, and what waits for a person."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from catalog.records.fields import Record, Share, Sku

Objective = Literal["revenue", "margin", "profit"]
"""What prices maximise."""


class RuleSettings(Record):
    """Raise the base price by the share `raise_by` when fewer than `low_stock` units are left."""

    low_stock: int = Field(default=10, ge=0)
    """stock, units, below which the price is raised"""
    raise_by: float = Field(default=0.2, ge=0, le=10, allow_inf_nan=False)
    """share by which it is raised"""


class Policies(Record):
    """Which policy prices the shelf, before and after a champion exists, and its objective."""

    before_champion: Literal["belief", "static", "rule"] = "belief"
    """what prices a store without a price book: `belief` learns from each hour's sales, `static` and `rule` explore a
    share of the time"""
    with_champion: Literal["greedy", "stock_aware"] = "stock_aware"
    """policy that makes the price book; `greedy` ignores what one more unit kept is worth"""
    objective: Objective = "profit"
    """what prices maximise: `profit`, which counts unit costs, what is thrown away and what is kept, so that prices
    look ahead to the next deliveries; `margin`, the price less the unit cost of what is sold; or `revenue`"""
    rule: RuleSettings = RuleSettings()
    """settings of the policy `rule`, below"""
    calm: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.005
    """share of expected revenue that a price change has to earn more, a rise twice as much; within an hour no price
    then rises by 10 %, none falls by more at once before the last quarter of the day, and an explored price stands for
    such a quarter; 0 lets prices move freely"""
    stickers: bool = False
    """whether units on their last day may carry a sticker with a lower price, beside younger ones at the price on the
    label; it takes the objective `profit`, and no sticker is stuck where a zone shows one price, sales come from
    outside, all take the oldest unit, or `greedy` prices"""

    @model_validator(mode="after")
    def _stickers_are_for_profit(self) -> "Policies":
        if self.stickers and self.objective != "profit":
            raise ValueError(
                f"stickers: expected the objective `profit`, found `{self.objective}`, for which waste does not count; "
                "set `objective: profit`, or leave stickers out"
            )
        return self


class BeliefSettings(Record):
    """What is believed of shoppers before any was seen, and how often that is corrected while the store sells.

    Log odds of a sale are described over price ratio, the price over the base price: a level at the base price, a
    slope, and bends around that line. Spreads are standard deviations in log odds and say how weak this is.
    """

    chance_at_base: float = Field(default=0.5, gt=0, lt=1, allow_inf_nan=False)
    """chance of sale at the base price"""
    level_spread: float = Field(default=1.5, gt=0, le=10, allow_inf_nan=False)
    """how far off that may be, in log odds"""
    slope: float = Field(default=5.0, gt=0, le=100, allow_inf_nan=False)
    """fall of the log odds per base price"""
    slope_spread: float = Field(default=4.0, gt=0, le=100, allow_inf_nan=False)
    """how far off that may be"""
    bend_spread: float = Field(default=0.8, gt=0, le=10, allow_inf_nan=False)
    """how far demand may bend away from a line"""
    visits_per_unit: float = Field(default=2.0, gt=0, le=10_000, allow_inf_nan=False)
    """visits expected on a day for each unit that a day's orders bring, until some were counted; orders follow from par
    stock, deliveries, shelf life and closed days"""
    visits_per_day: dict[Sku, Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]] = Field(
        default_factory=dict
    )
    """visits to a product expected on a store day, by sku, in place of those that its orders suggest"""
    trust_in_owner: float = Field(default=10.0, ge=0, le=1000, allow_inf_nan=False)
    """how many times likelier than demand of any shape would make it the owner's price is within 0.3 % of the best
    there is; 0 gives it no start"""
    update_ticks: int = Field(default=4, ge=1, le=1440)
    """ticks after which the day's own sales correct belief and prices; on a first day a quarter of them, and with more
    than 200 products or stores more where they teach little"""


class Exploration(Record):
    """How often a ladder price is explored: a share of the time without a champion, of expected revenue with one."""

    before_champion: Share = 0.5
    """share of the time a ladder price is explored before the first champion, or where a price never varied"""
    budget: Share = 0.01
    """share of expected revenue that exploration may cost once there is a champion"""
    pays_within_days: int = Field(default=28, ge=1, le=365)
    """days in which what a trial teaches must bring more than it costs, where a belief prices"""
    hold_ticks: int = Field(default=4, ge=1, le=1440)
    """ticks for which an explored price stands; a calm one stands for a quarter of the day, in whole holds"""


_FIRST_QUARTER = 91  # days


class DrawnPriceRules(Record):
    """Which prices of an outside store are drawn, so that their sales teach, and how far from its own."""

    products: Literal["none", "all"] | Annotated[tuple[Sku, ...], Field(min_length=1, strict=False)] = "none"
    """products whose prices are drawn: `none`, `all`, or a list of them"""
    changes: Literal["weekly", "daily", "hourly"] = "weekly"
    """when another price may be drawn: on Mondays, or every day; `hourly` takes a store that says who looked at each
    product, and prices as the twin does"""
    band: float = Field(default=0.25, gt=0, le=0.5, allow_inf_nan=False)
    """farthest from the shelf price, as a share of it"""
    step: float = Field(default=0.10, gt=0, le=0.5, allow_inf_nan=False)
    """farthest from the price before, as a share of it; an opening price of a store that changes hourly is free within
    the band"""
    held_share: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = 0.10
    """share of product weeks, drawn, in which a product shows the shelf price in a store, for the first 13 weeks: they
    tell what was earned; with 0 that is not known"""
    held_share_later: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = 0.03
    """the same from the 14th week on"""
    families: Annotated[
        tuple[Annotated[tuple[Sku, ...], Field(min_length=2, strict=False)], ...], Field(strict=False)
    ] = ()
    """lists of products that move together, such as the sizes of one juice: one throw decides for all of a list, and an
    experiment takes all or none"""

    def held_share_after(self, days: int) -> float:
        """Return the share of product weeks that are held so many days after the first draw."""
        return self.held_share if days < _FIRST_QUARTER else self.held_share_later

    @field_validator("families")
    @classmethod
    def _are_apart(cls, families: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        skus = [sku for family in families for sku in family]
        twice = next((sku for sku in skus if skus.count(sku) > 1), None)
        if twice is not None:
            raise ValueError(f"expected each product in one family, found {twice} twice")
        return families

    def numbers_of_families(self, skus: Sequence[str]) -> list[int]:
        """Return the number of each product's family; a product without one has a number of its own."""
        first = {sku: family[0] for family in self.families for sku in family}
        place = {sku: position for position, sku in enumerate(skus)}
        return [place.get(first.get(sku, sku), position) for position, sku in enumerate(skus)]

    def with_families(self, skus: Sequence[str]) -> tuple[str, ...]:
        """Return products and those that move together with them, none twice."""
        mates = {sku: family for family in self.families for sku in family}
        return tuple(dict.fromkeys(mate for sku in skus for mate in mates.get(sku, (sku,))))

    def includes(self, sku: str) -> bool:
        """Tell whether the prices of a product are drawn."""
        return self.products == "all" or (self.products != "none" and sku in self.products)


class Gate(Record):
    """When a challenger replaces a champion that is stale without having to earn more."""

    stale_after_days: int = Field(default=7, ge=0, le=3650)
    """a champion trained through a date more than so many days before the last one judged is stale: a challenger that
    is not worse replaces it"""


class Learning(Record):
    """How often the store trains, and on how many of its last days."""

    train_every_days: int = Field(default=1, ge=1, le=3650)
    """days from one training to the next; detected drift starts one at once"""
    rest_below: float = Field(default=0.005, ge=0, le=1, allow_inf_nan=False)
    """nights train no model while each of the last three could earn less than this share more than the prices in force;
    until the champion is stale or demand changes; 0 never rests"""
    window_days: Annotated[int, Field(ge=2, le=36_500)] | None = None
    """largest number of days a training uses, the last ones; null is all days"""


class Approval(Record):
    """Which prices pass by themselves, and which wait for a person; the defaults let every price pass.

    A price passes within all shares that are given. One that waits is not shown: the nearest price that passes is.
    """

    within_of_yesterday: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = None
    """largest distance from the price of the day before, as a share of it; null is any"""
    within_of_base: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] | None = None
    """largest distance from the base price, as a share of it; null is any"""
    by_another: bool = False
    """true: who asks for a price may not approve it; somebody else has to"""

    @property
    def is_asked_for(self) -> bool:
        """Whether some prices wait for a person."""
        return self.within_of_yesterday is not None or self.within_of_base is not None
