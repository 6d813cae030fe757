"""Opening hours, in ticks that fill them."""

from pydantic import Field, field_validator, model_validator

from catalog.records.fields import Record, time_of_day

_MIDNIGHT = "24:00"  # the end of the date


class Opening(Record):
    """Opening hours (local, within one calendar date, 24:00 at the latest) in ticks; a price stands for one tick."""

    opens: str = Field(description="time of day at which the stores open, local time, in quotes")
    closes: str = Field(description="time of day at which they close, local time, on the same date")
    tick_minutes: int = Field(
        default=15,
        ge=1,
        le=240,
        description="length of a tick, minutes; opening hours are a whole number of ticks",
    )

    @field_validator("opens")
    @classmethod
    def _is_a_time_of_day(cls, text: str) -> str:
        return time_of_day(text)

    @field_validator("closes")
    @classmethod
    def _is_a_time_of_day_or_midnight(cls, text: str) -> str:
        return text if text == _MIDNIGHT else time_of_day(text)

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


def _minute_of_day(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)
