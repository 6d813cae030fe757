"""How the demand of the twin's shoppers depends on when and where they come: effects with conditions, and weather."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from catalog.records.fields import Record, Share, Sku, StoreId, time_of_day
from catalog.records.shoppers import Opening

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Temperature = Annotated[float, Field(ge=-90, le=60, allow_inf_nan=False)]
_LAST_DAY = 30  # since a pay day


class DemandEffect(Record):
    """What differs where all conditions hold that are given; without any it holds always.

    Effects that hold together add up: their budget shifts are added, their demand factors multiplied.
    """

    weekdays: tuple[Weekday, ...] = Field(default=(), strict=False, description="days of the week; none is every day")
    starts: str | None = Field(
        default=None, description="time of day from which it holds, local time; null is from opening"
    )
    ends: str | None = Field(default=None, description="time of day until which it holds, local time; null is closing")
    stores: tuple[StoreId, ...] = Field(default=(), strict=False, description="stores; none is every store")
    skus: tuple[Sku, ...] = Field(default=(), strict=False, description="products; none is every product")
    holidays: bool = Field(default=False, description="true: on public holidays of `country`")
    day_before_holiday: bool = Field(default=False, description="true: on the day before one of these")
    days_since_pay_day: tuple[Annotated[int, Field(ge=0, le=_LAST_DAY)], ...] = Field(
        default=(),
        strict=False,
        description="first and last number of days since `pay_day`, which is 0 itself; none is any",
    )
    above_temperature: Temperature | None = Field(
        default=None, description="on days whose temperature is above so many degrees Celsius; null is any"
    )
    budget_shift: float = Field(
        default=0.0, ge=-5, le=5, allow_inf_nan=False, description="added to every budget multiplier"
    )
    demand_factor: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False, description="visits times this")

    @field_validator("starts", "ends")
    @classmethod
    def _is_a_time_of_day(cls, text: str | None) -> str | None:
        return None if text is None else time_of_day(text)

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


def check_effects(
    effects: Sequence[DemandEffect], opening: Opening, stores: Sequence[str], country: str | None, pay_day: int | None
) -> None:
    """Refuse an effect with a condition that can never hold, or that nobody could tell.

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


class WeatherSettings(Record):
    """Temperature of the twin's days: a year's wave and days that are warmer or colder, the same for all stores."""

    mean: Temperature = Field(default=10.0, description="mean over the year, degrees Celsius")
    swing: float = Field(
        default=10.0, ge=0, le=50, allow_inf_nan=False, description="how far the warmest day of a year is above that"
    )
    warmest_day: int = Field(default=196, ge=1, le=366, description="day of the year that is warmest on average")
    day_variation: float = Field(
        default=3.0, ge=0, le=30, allow_inf_nan=False, description="standard deviation of a day around the wave"
    )
    persistence: Share = Field(default=0.7, lt=1, description="correlation of that deviation from one day to the next")
    seed: int = Field(
        default=0, ge=0, le=999_999_999, description="which days are warm; every run of the world meets the same ones"
    )
