"""What the examination is asked. Imports nothing slow, so that wrong usage is refused at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DAYS = 365  # that the store plays


@dataclass(frozen=True)
class Question:
    """What is examined.

    Attributes
    ----------
    python
        The Python that has the package.
    seed, learn_days, play_days, variation
        As in `OutsideStore`.
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
