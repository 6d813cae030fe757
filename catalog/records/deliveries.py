"""When a product is delivered, and how much of it."""

from typing import Annotated

from pydantic import Field, field_validator

from catalog.records.fields import Record
from catalog.records.shoppers import WEEKDAYS, Weekday

_A_WEEK = len(WEEKDAYS)


class Deliveries(Record):
    """The deliveries of one product: they are on the shelf at opening.

    One order is under way at a time: it is made at a closing, after the delivery before has come.
    """

    weekdays: tuple[Weekday, ...] = Field(default=(), strict=False)
    """days of the week on which it is delivered; none is every day on which the stores open"""
    lead_time_days: int = Field(default=1, ge=1, le=_A_WEEK)
    """days from the closing after which it is ordered to the delivery; 1 is the closing before"""
    quantity: Annotated[int, Field(ge=1, le=30_000)] | None = None
    """units of each delivery; null orders what is missing up to `par_stock` when the order is made"""

    @field_validator("weekdays")
    @classmethod
    def _are_apart(cls, weekdays: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
        if len(set(weekdays)) != len(weekdays):
            raise ValueError(f"expected each day once, found {list(weekdays)}")
        return weekdays

    def days(self, closed: tuple[Weekday, ...] = ()) -> tuple[int, ...]:
        """Return the weekdays as numbers, 0 for Monday, in order; `closed` are those on which no store opens."""
        if self.weekdays:
            return tuple(sorted(WEEKDAYS.index(day) for day in self.weekdays))
        return tuple(number for number, day in enumerate(WEEKDAYS) if day not in closed)

    def shortest_gap(self, closed: tuple[Weekday, ...] = ()) -> int:
        """Return the fewest days between two deliveries."""
        days = self.days(closed)
        return min((later - day) % _A_WEEK or _A_WEEK for day, later in zip(days, (*days[1:], days[0]), strict=True))

    def most_within(self, days: int) -> int:
        """Return how many deliveries come at most within so many days in a row."""
        weeks, rest = divmod(days, _A_WEEK)
        delivered = self.days()
        return weeks * len(delivered) + max(
            sum((day - first) % _A_WEEK < rest for day in delivered) for first in range(_A_WEEK)
        )
