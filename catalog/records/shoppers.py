"""When stores are open, and who comes to the simulated ones: opening hours in ticks, personas, footfall, shocks."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from catalog.records.fields import ClosingTime, Name, Record, Share, Sku, StoreId, TimeOfDay

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Temperature = Annotated[float, Field(ge=-90, le=60, allow_inf_nan=False)]
_LAST_DAY = 30  # since a pay day


class DemandEffect(Record):
    """What differs where all conditions hold that are given; without any it holds always.

    Effects that hold together add up: their budget shifts are added, their demand factors multiplied.
    """

    weekdays: tuple[Weekday, ...] = Field(default=(), strict=False)
    """days of the week; none is every day"""
    starts: TimeOfDay | None = None
    """time of day from which it holds, local time; null is from opening"""
    ends: TimeOfDay | None = None
    """time of day until which it holds, local time; null is closing"""
    stores: tuple[StoreId, ...] = Field(default=(), strict=False)
    """stores; none is every store"""
    skus: tuple[Sku, ...] = Field(default=(), strict=False)
    """products; none is every product"""
    holidays: bool = False
    """true: on public holidays of `country`"""
    day_before_holiday: bool = False
    """true: on the day before one of these"""
    days_since_pay_day: tuple[Annotated[int, Field(ge=0, le=_LAST_DAY)], ...] = Field(default=(), strict=False)
    """first and last number of days since `pay_day`, which is 0 itself; none is any"""
    above_temperature: Temperature | None = None
    """on days whose temperature is above so many degrees Celsius; null is any"""
    before: dt.date | None = None
    """on business dates before this one; null is any. With stores and a demand factor of 0, they open on it"""
    budget_shift: float = Field(default=0.0, ge=-5, le=5, allow_inf_nan=False)
    """added to every budget multiplier"""
    demand_factor: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False)
    """visits times this"""

    @field_validator("days_since_pay_day")
    @classmethod
    def _are_first_and_last(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if days and (len(days) != len(("first", "last")) or days[0] > days[1]):
            raise ValueError(f"expected the first and the last of some days, such as [0, 3], found {list(days)}")
        return days

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "DemandEffect":
        if self.starts is not None and self.ends is not None and self.ends <= self.starts:
            raise ValueError(f"starts {self.starts} is not before ends {self.ends}: such an effect never holds")
        return self


class WeatherSettings(Record):
    """Temperature of the twin's days: a year's wave and days that are warmer or colder, the same for all stores."""

    mean: Temperature = 10.0
    """mean over the year, degrees Celsius"""
    swing: float = Field(default=10.0, ge=0, le=50, allow_inf_nan=False)
    """how far the warmest day of a year is above that"""
    warmest_day: int = Field(default=196, ge=1, le=366)
    """day of the year that is warmest on average"""
    day_variation: float = Field(default=3.0, ge=0, le=30, allow_inf_nan=False)
    """standard deviation of a day around the wave"""
    persistence: Share = Field(default=0.7, lt=1)
    """correlation of that deviation from one day to the next"""
    seed: int = Field(default=0, ge=0, le=999_999_999)
    """which days are warm; every run of the world meets the same ones"""


class Substitution(Record):
    """How the twin's shoppers who find a product too dear or sold out choose among its substitutes.

    One takes substitute j with the chance w_j / (1 + sum of all w), where w_j = strength x exp(value / noise), and the
    value is the budget multiplier less the price of j over its base price: a multinomial logit in which leaving has the
    weight 1.
    """

    strength: float = Field(default=0.0, ge=0, le=1000, allow_inf_nan=False)
    """weight of a substitute that is worth its price to her, against 1 for leaving; 0 is nobody"""
    noise: float = Field(default=0.25, gt=0, le=10, allow_inf_nan=False)
    """how little its price matters, as a share of the base price"""


class Opening(Record):
    """Opening hours (local, within one calendar date, 24:00 at the latest) in ticks; a price stands for one tick."""

    opens: TimeOfDay
    """time of day at which the stores open, local time, in quotes"""
    closes: ClosingTime
    """time of day at which they close, local time, on the same date"""
    tick_minutes: int = Field(default=15, ge=1, le=240)
    """length of a tick, minutes; opening hours are a whole number of ticks"""

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

    @property
    def hour_ticks(self) -> int:
        """Ticks that begin within an hour, at least 1."""
        return -(-60 // self.tick_minutes)

    @model_validator(mode="after")
    def _ticks_fill_the_day(self) -> "Opening":
        if self.minutes <= 0:
            raise ValueError(
                f"closes {self.closes} is not after opens {self.opens}; a store closes on the day it opens"
            )
        if self.minutes % self.tick_minutes:
            raise ValueError(f"{self.minutes} open minutes are not a whole number of {self.tick_minutes}-minute ticks")
        return self


def _minute_of_day(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


_SUM_NOISE = 1e-9  # of decimals kept as binary
_DAYS_OF_THE_WEEK = 7


class Persona(Record):
    """A segment of shoppers: budget multiplier ~ Normal(mean, standard_deviation), dimensionless."""

    name: Name
    """name for people"""
    share: float = Field(gt=0, le=1, allow_inf_nan=False)
    """share of the shoppers"""
    mean: float = Field(gt=0, le=10, allow_inf_nan=False)
    """mean of the budget multiplier: what a shopper would pay over the base price"""
    standard_deviation: float = Field(gt=0, le=5, allow_inf_nan=False)
    """its standard deviation"""


def check_shares(personas: Sequence[Persona]) -> None:
    """Check that the shares of some personas add up to 1.

    Raises
    ------
    ValueError
        When they do not.
    """
    shares = sum(persona.share for persona in personas)
    if abs(shares - 1) > _SUM_NOISE:
        raise ValueError(f"the personas' shares add up to {shares:g}, expected 1")


class FootfallSettings(Record):
    """How the twin's visits differ from day to day. Prices are set without it: a planner sees only who came."""

    day_variation: float = Field(default=0.0, ge=0, le=2, allow_inf_nan=False)
    """coefficient of variation of a day's mean visits, beside the weekday; the factor is lognormal with mean 1, and the
    same for all stores"""
    weekday_factors: tuple[Annotated[float, Field(ge=0, le=7, allow_inf_nan=False)], ...] = Field(
        default=(), strict=False
    )
    """visits times this, Monday to Sunday, 1 on average; none is 1 on each day"""
    busy_days_seed: int = Field(default=0, ge=0, le=999_999_999)
    """which days are busy; every run of the world meets the same ones"""

    @field_validator("weekday_factors")
    @classmethod
    def _average_one(cls, factors: tuple[float, ...]) -> tuple[float, ...]:
        if factors and len(factors) != _DAYS_OF_THE_WEEK:
            raise ValueError(f"expected {_DAYS_OF_THE_WEEK} factors, Monday to Sunday, or none; found {len(factors)}")
        if factors and abs(sum(factors) - _DAYS_OF_THE_WEEK) > _SUM_NOISE:
            raise ValueError(
                f"the factors average {sum(factors) / _DAYS_OF_THE_WEEK:g}, expected 1; visits_per_day is the average"
            )
        return factors


class Shock(Record):
    """What happens to the world from one date through another, to one product or (without `sku`) to all of them.

    Without `through`, the last date, it is over the next morning. With `starts`, a time of day, the demand factor holds
    from there until closing on each date; the rest always holds all day.
    """

    business_date: dt.date
    """first date on which it holds"""
    through: dt.date | None = None
    """last date on which it holds; null is the first date"""
    sku: Sku | None = None
    """the product; null is all products"""
    starts: TimeOfDay | None = None
    """time of day from which `demand_factor` holds, local time; null is all day"""
    demand_factor: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False)
    """visits times this"""
    budget_shift: float = Field(default=0.0, ge=-5, le=5, allow_inf_nan=False)
    """added to every budget multiplier"""
    delivered_share: Share = 1.0
    """share of the par stock that is on the shelf at opening"""

    def holds_on(self, date: dt.date) -> bool:
        """Tell whether it holds on a business date."""
        return self.business_date <= date <= (self.through or self.business_date)

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Shock":
        if self.through is not None and self.through < self.business_date:
            raise ValueError(
                f"through {self.through} is before business_date {self.business_date}: such a shock never holds; "
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


def check_effects(
    effects: Sequence[DemandEffect], opening: Opening, stores: Sequence[str], country: str | None, pay_day: int | None
) -> None:
    """Refuse an effect whose condition never holds, or whose date cannot be worked out.

    Raises
    ------
    ValueError
        With the number of the effect, and what is missing.
    """
    for number, effect in enumerate(effects, start=1):
        entry = f"demand_effects: entry {number}"
        if strangers := sorted(set(effect.stores) - set(stores)):
            raise ValueError(f"{entry}: expected stores of the list in stores, found {strangers[0]!r}")
        if (effect.holidays or effect.day_before_holiday) and country is None:
            raise ValueError(f"{entry} asks for holidays, and no country is given: none would be found; give country")
        if effect.days_since_pay_day and pay_day is None:
            raise ValueError(f"{entry} asks for days since the pay day, which is not given; give pay_day")
        for time in (effect.starts, effect.ends):
            if time is not None and not 0 <= opening.tick_at(time) < opening.ticks:
                raise ValueError(
                    f"{entry}: expected times from {opening.opens} to before {opening.closes}, while the stores are "
                    f"open, found {time}"
                )
