"""What the examination is asked. Imports nothing slow, so that wrong usage is refused at once."""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

DAYS = 365  # that the store plays
_DAY_BEFORE = dt.date(2024, 12, 31)
_WEEK = 7


@dataclass(frozen=True)
class ExaminationQuestion:
    """What is examined.

    Attributes
    ----------
    python
        The Python that has the package.
    seed
        Decides the neighbourhood, its shoppers and the year.
    learn_days, play_days
        Days of the learning period, and days that count after it.
    variation
        How far prices are tried in the learning period, as a share of the opening price, one drawn a week and product;
        0 leaves them to the owner.
    grain
        What the engine reads: till receipts, or visits made from them.
    objective
        What our prices maximise.
    relearn_days
        Days after which the export is read again and new prices are made; None is once.
    draws
        Whether prices are drawn week by week, by nights that learn from the tills.
    """

    python: Path
    seed: int = 1124
    learn_days: int = 181
    play_days: int = 91
    variation: float = 0.0
    grain: Literal["receipts", "visits"] = "receipts"
    objective: Literal["revenue", "margin"] = "revenue"
    relearn_days: int | None = None
    draws: bool = False

    @property
    def round_days(self) -> tuple[int, ...]:
        """The last day of each round's receipts: the learning period, then every so many days of those played."""
        end = self.learn_days + self.play_days
        return tuple(range(self.learn_days, end, self.relearn_days or self.play_days))

    @classmethod
    def date_of(cls, day: int) -> dt.date:
        """Return the date of a day of the store's year, counted from 1."""
        return _DAY_BEFORE + dt.timedelta(days=day)

    def in_whole_weeks(self) -> "ExaminationQuestion":
        """Return the question with a learning period that ends on a Sunday, and whole weeks after it."""
        learn_days = self.learn_days + _WEEK - self.date_of(self.learn_days).isoweekday()
        return replace(self, learn_days=learn_days, play_days=self.play_days // _WEEK * _WEEK)
