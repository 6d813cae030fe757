"""The frozen records of a shelf and a store. Each says its unit; each refuses what cannot be sold from."""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Name = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
StoreId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
Price = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
Cost = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

FLOOR_RATIO = 0.7
CEILING_RATIO = 1.6
_CENT_NOISE = 1e-9  # of decimals kept as binary
_MIDNIGHT = "24:00"  # the end of the date


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=False)


class Product(_Record):
    """One product on the shelf. Prices and cost in EUR, cost 0 when not known; `par_stock` in units when restocked."""

    sku: Sku
    name: Name
    category: Name
    icon: str = ""
    base_price: Price
    unit_cost: Cost
    floor_price: Price | None = None
    ceiling_price: Price | None = None
    par_stock: Annotated[int, Field(ge=1, le=30_000)] = 100

    @property
    def floor(self) -> float:
        """Lowest price that may be shown, EUR."""
        return self.floor_price if self.floor_price is not None else round(FLOOR_RATIO * self.base_price, 2)

    @property
    def ceiling(self) -> float:
        """Highest price that may be shown, EUR."""
        return self.ceiling_price if self.ceiling_price is not None else round(CEILING_RATIO * self.base_price, 2)

    @field_validator("base_price", "floor_price", "ceiling_price")
    @classmethod
    def _is_whole_cents(cls, price: float | None) -> float | None:
        if price is not None and not _whole_cents(price):
            raise ValueError(f"a price on a shelf is in whole cents, found {price}")
        return price

    @model_validator(mode="after")
    def _prices_are_in_order(self) -> "Product":
        if self.floor > self.ceiling:
            raise ValueError(f"floor_price {self.floor} of {self.sku} is above its ceiling_price {self.ceiling}")
        if self.floor < self.unit_cost:
            raise ValueError(
                f"floor_price {self.floor} of {self.sku} is below its unit_cost {self.unit_cost}: "
                "every sale there loses money"
            )
        if not self.floor <= self.base_price <= self.ceiling:
            raise ValueError(
                f"base_price {self.base_price} of {self.sku} is outside its floor {self.floor} "
                f"and ceiling {self.ceiling}"
            )
        return self


class Opening(_Record):
    """Opening hours (UTC, within one calendar date, 24:00 at the latest) in ticks; a price stands for one tick."""

    opens: str
    closes: str
    tick_minutes: Annotated[int, Field(ge=1, le=240)] = 15

    @field_validator("opens")
    @classmethod
    def _is_a_time_of_day(cls, text: str) -> str:
        return _time_of_day(text)

    @field_validator("closes")
    @classmethod
    def _is_a_time_of_day_or_midnight(cls, text: str) -> str:
        return text if text == _MIDNIGHT else _time_of_day(text)

    @property
    def opens_minute(self) -> int:
        """Minutes from midnight to opening."""
        return _minute_of_day(self.opens)

    def tick_at(self, time_of_day: str) -> int:
        """Return the tick in which a time of day lies; below 0 before opening."""
        return (_minute_of_day(time_of_day) - self.opens_minute) // self.tick_minutes

    @property
    def minutes(self) -> int:
        """Minutes between opening and closing."""
        return _minute_of_day(self.closes) - self.opens_minute

    @property
    def ticks(self) -> int:
        """Ticks in a day."""
        return self.minutes // self.tick_minutes

    @model_validator(mode="after")
    def _ticks_fill_the_day(self) -> "Opening":
        if self.minutes <= 0:
            raise ValueError(
                f"closes {self.closes} is not after opens {self.opens}; a store closes on the day it opens"
            )
        if self.minutes % self.tick_minutes:
            raise ValueError(f"{self.minutes} open minutes are not a whole number of {self.tick_minutes}-minute ticks")
        return self


class Persona(_Record):
    """A segment of shoppers: budget multiplier ~ Normal(mean, standard_deviation), dimensionless."""

    name: Name
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
    mean: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
    standard_deviation: Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)]


class Shock(_Record):
    """What happens to the world from one date through another, to one product or (without `sku`) to all of them.

    Without `through`, the last date, it is over the next morning. With `starts`, a time of day, the demand factor holds
    from there until closing on each date; the rest always holds all day.
    """

    business_date: dt.date
    through: dt.date | None = None
    sku: Sku | None = None
    starts: str | None = None
    demand_factor: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1.0
    budget_shift: Annotated[float, Field(ge=-5, le=5, allow_inf_nan=False)] = 0.0
    delivered_share: Share = 1.0

    @field_validator("starts")
    @classmethod
    def _is_a_time_of_day(cls, text: str | None) -> str | None:
        return None if text is None else _time_of_day(text)

    def holds_on(self, date: dt.date) -> bool:
        """Tell whether it is felt on a business date."""
        return self.business_date <= date <= (self.through or self.business_date)

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Shock":
        if self.through is not None and self.through < self.business_date:
            raise ValueError(
                f"through {self.through} is before business_date {self.business_date}: such a shock is never felt; "
                "give the last date on which it holds, or leave through out for one date"
            )
        return self

    @model_validator(mode="after")
    def _only_footfall_changes_during_a_day(self) -> "Shock":
        if self.starts is not None and (self.budget_shift != 0 or self.delivered_share != 1):
            raise ValueError(
                f"a shock that starts at {self.starts} can change demand_factor alone; give budget_shift and "
                "delivered_share a shock of their own, without starts"
            )
        return self


class RuleSettings(_Record):
    """Raise the base price by the share `raise_by` when fewer than `low_stock` units are left."""

    low_stock: Annotated[int, Field(ge=0)] = 10
    raise_by: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.2


class Policies(_Record):
    """Which policy prices the shelf, before and after a champion exists, and what it is to earn.

    The objective is revenue, or margin: price less unit cost.
    """

    before_champion: Literal["static", "rule"] = "static"
    with_champion: Literal["greedy", "stock_aware"] = "stock_aware"
    objective: Literal["revenue", "margin"] = "revenue"
    rule: RuleSettings = RuleSettings()


class Exploration(_Record):
    """How often a ladder price is tried: a share of the time before, a share of expected revenue with a champion.

    A product whose price never varied is tried as before a champion. A tried price stands for `hold_ticks` ticks.
    """

    before_champion: Share = 0.5
    budget: Share = 0.01
    hold_ticks: Annotated[int, Field(ge=1, le=1440)] = 4


class Gate(_Record):
    """A champion is stale when it was trained through a date more than `stale_after_days` before the last one judged.

    A challenger that is not worse takes a stale champion's place without having to earn more.
    """

    stale_after_days: Annotated[int, Field(ge=0, le=3650)] = 7


class Learning(_Record):
    """How often the store learns, and from how many of its last days.

    It trains every `train_every_days` days, and at once when the champion's demand no longer holds; `window_days` is
    the most days that go into a training, all of them when null.
    """

    train_every_days: Annotated[int, Field(ge=1, le=3650)] = 1
    window_days: Annotated[int, Field(ge=2, le=36_500)] | None = None


class Guardrails(_Record):
    """Limits on every price that is shown, checked whenever one is set; the defaults leave prices as they are.

    Shares are of the price shown before (`largest_step`), of the day's opening price (`largest_daily_move`), of the
    number of products (`moving_share`) and of unit cost (`minimum_margin`). None is no limit. `frozen` holds prices in
    EUR by sku. The days of the twin are independent of one another, so an opening price is free within the bounds.
    """

    minimum_margin: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    largest_step: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] | None = None
    largest_daily_move: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] | None = None
    moving_share: Share = 1.0
    price_ending: Annotated[int, Field(ge=0, le=9)] | None = None
    frozen: dict[Sku, Price] = Field(default_factory=dict)
    kill_switch: bool = False

    @field_validator("frozen")
    @classmethod
    def _is_whole_cents(cls, frozen: dict[str, float]) -> dict[str, float]:
        for sku, price in frozen.items():
            if not _whole_cents(price):
                raise ValueError(f"a price on a shelf is in whole cents, found {price} for {sku}")
        return frozen


class Store(_Record):
    """One chain of equal stores: when they open, who comes, and how they price."""

    currency: Literal["EUR"] = "EUR"
    stores: Annotated[tuple[StoreId, ...], Field(min_length=1, strict=False)]
    opening: Opening
    visits_per_day: Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
    hourly_profile: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)], ...], Field(min_length=1, strict=False)
    ]
    popularity: dict[Sku, Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)]] = Field(default_factory=dict)
    shopper_pool: Annotated[int, Field(ge=1, le=10_000_000)] = 2000
    personas: Annotated[tuple[Persona, ...], Field(min_length=1, strict=False)]
    ladder_prices: Annotated[int, Field(ge=2, le=1000)] = 20
    policies: Policies = Policies()
    exploration: Exploration = Exploration()
    gate: Gate = Gate()
    learning: Learning = Learning()
    guardrails: Guardrails = Guardrails()
    shocks: Annotated[tuple[Shock, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _parts_agree(self) -> "Store":
        if len(set(self.stores)) != len(self.stores):
            raise ValueError("a store is listed twice in stores")
        if sum(self.hourly_profile) <= 0:
            raise ValueError("hourly_profile has no positive weight: nobody would come")
        shares = sum(persona.share for persona in self.personas)
        if abs(shares - 1) > 1e-9:  # noqa: PLR2004 - rounding of written decimals
            raise ValueError(f"the personas' shares add up to {shares:g}, expected 1")
        for shock in self.shocks:
            if shock.starts is not None and not 0 <= self.opening.tick_at(shock.starts) < self.opening.ticks:
                raise ValueError(
                    f"a shock starts at {shock.starts}, expected a time from {self.opening.opens} to before "
                    f"{self.opening.closes}, while the stores are open"
                )
        return self


def _time_of_day(text: str) -> str:
    try:
        parsed = dt.datetime.strptime(text, "%H:%M")  # noqa: DTZ007 - a time of day has no zone
    except ValueError as error:
        raise ValueError(f'expected a time of day such as "08:00" in quotes, found {text!r}') from error
    return parsed.strftime("%H:%M")


def _whole_cents(price: float) -> bool:
    return abs(price - round(price, 2)) <= _CENT_NOISE


def _minute_of_day(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)
