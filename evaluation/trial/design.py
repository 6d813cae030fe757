"""The design of a switchback trial: which policy prices which block of which store day, and what counts.

Days of a store are paired. In the first day of a pair a fair coin gives each block to A or B; in the second day the
same block goes to the other one. So each policy sells every hour of the day equally often, and each pair is a small
experiment of its own: coins of different pairs are independent, which is all that the analysis asks for.

With one block a day this is a trial of whole store days. Shelves are restocked at opening, so nothing carries over, and
B minus A is what a store day gains. With several blocks, stock carries over from one policy to the other: see
`evaluation.trial.rewards` for what is then estimated. The first ticks after a switch are left out (washout), and the
same ticks count double where no switch came before them, since half of the coins bring one: the Horvitz-Thompson
estimator of Bojinov, Simchi-Levi and Zhao ("Design and analysis of switchback experiments", Management Science 69(7),
2023) for a carryover that lasts as long as the washout.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalog.arrays import Flags, Floats
from catalog.errors import DataError

_FORTNIGHT, _WEEK = 14, 7
_COIN = 1_953_721_961  # sets the design's random stream apart from the shoppers' of the same seed
FEWEST_PAIRS = 3
"""Pairs of store days without which an interval says nothing."""


@dataclass(frozen=True)
class Design:
    """A seeded assignment of two policies to blocks of store days.

    Attributes
    ----------
    a, b
        Names of the policies.
    start, days, stores
        First business date, number of them, and the stores.
    ticks
        Ticks in a store day.
    block_ticks
        Ticks in a block; `ticks` makes whole days take turns.
    washout_ticks
        Ticks left out at the start of a block in which the policy changed.
    seed
        Seed of the coins; the shoppers have a stream of their own.
    """

    a: str
    b: str
    start: dt.date
    days: int
    stores: tuple[str, ...]
    ticks: int
    block_ticks: int
    washout_ticks: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse a design that cannot be balanced, or that has too few pairs to say anything."""
        if self.days < 2 or self.days % 2:  # noqa: PLR2004 - days come in pairs
            raise DataError(
                f"expected an even number of days, for days are paired, found {self.days}; nothing was done"
            )
        if self.block_ticks < 1 or self.ticks % self.block_ticks:
            raise DataError(
                f"expected blocks that fill a store day of {self.ticks} ticks, found blocks of {self.block_ticks}; "
                "nothing was done: choose other --hours"
            )
        if not 0 <= self.washout_ticks < self.block_ticks:
            raise DataError(
                f"expected a washout shorter than a block of {self.block_ticks} ticks, found {self.washout_ticks}; "
                "nothing was done: choose a shorter --washout"
            )
        if self.n_pairs < FEWEST_PAIRS:
            raise DataError(
                f"expected at least {FEWEST_PAIRS} pairs of store days, found {self.n_pairs} from {self.days} days of "
                f"{len(self.stores)} stores; no interval would mean anything: use more --days or --stores"
            )

    @property
    def is_by_day(self) -> bool:
        """Whether whole store days take turns."""
        return self.block_ticks == self.ticks

    @property
    def n_blocks(self) -> int:
        """Blocks in a store day."""
        return self.ticks // self.block_ticks

    @property
    def n_pairs(self) -> int:
        """Pairs of days, all stores together."""
        return self.days // 2 * len(self.stores)

    @property
    def dates(self) -> list[dt.date]:
        """The business dates."""
        return [self.start + dt.timedelta(days=day) for day in range(self.days)]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Days of each pair by number: the same weekday of two weeks in every full fortnight, then adjacent days."""
        fortnights = range(self.days // _FORTNIGHT)
        weekly = [(_FORTNIGHT * n + day, _FORTNIGHT * n + day + _WEEK) for n in fortnights for day in range(_WEEK)]
        return [*weekly, *((day, day + 1) for day in range(len(fortnights) * _FORTNIGHT, self.days, 2))]

    @cached_property
    def is_b(self) -> Flags:
        """Whether B prices a block, shape (n_stores, n_days, n_blocks)."""
        stream = np.random.Generator(np.random.SFC64(np.random.SeedSequence((self.seed, _COIN))))
        first, second = np.array(self.pairs).T
        coins = stream.random((len(self.stores), len(first), self.n_blocks)) < 0.5  # noqa: PLR2004 - a fair coin
        assigned = np.empty((len(self.stores), self.days, self.n_blocks), dtype=bool)
        assigned[:, first], assigned[:, second] = coins, ~coins
        return assigned

    @cached_property
    def weights(self) -> Floats:
        """What each tick counts, shape (n_stores, n_days, n_ticks).

        0 in the washout after a switch, 2 in the same ticks where none came, as half of the coins bring one; else 1.
        """
        counted = np.ones((*self.is_b.shape, self.block_ticks))
        is_switched = self.is_b[..., 1:] != self.is_b[..., :-1]
        counted[..., 1:, : self.washout_ticks] = np.where(is_switched, 0.0, 2.0)[..., None]
        return counted.reshape(len(self.stores), self.days, self.ticks)

    @property
    def variance_factor(self) -> float:
        """How much the washout raises the variance of the estimate: a tick that counts 0 or 2 has twice that of 1."""
        return 1 + (self.n_blocks - 1) * self.washout_ticks / self.ticks
