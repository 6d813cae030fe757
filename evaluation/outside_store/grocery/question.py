"""What the examination is asked. Imports nothing slow, so that wrong usage is refused at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DAYS = 365  # that the store plays


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
    """

    python: Path
    seed: int = 1124
    learn_days: int = 181
    play_days: int = 91
    variation: float = 0.0
    grain: Literal["receipts", "visits"] = "receipts"
    objective: Literal["revenue", "margin"] = "revenue"
    relearn_days: int | None = None

    @property
    def round_days(self) -> tuple[int, ...]:
        """The last day of each round's receipts: the learning period, then every so many days of those played."""
        end = self.learn_days + self.play_days
        return tuple(range(self.learn_days, end, self.relearn_days or self.play_days))
