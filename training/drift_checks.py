"""Tell whether the champion's demand still holds: residuals per product, watched by ADWIN, day by day.

A residual is what happened (1 bought, 0 refused) less the champion's chance of sale at the price shown. What must hold:

- The days are later than those the champion was fitted on.
- Visits that met an empty shelf are left out. How many come, and how much was delivered, then moves no residual: only
  an answer to the same price that changed does.

A champion that is a little off from the start has residuals around its own offset. ADWIN compares the days with one
another and never with zero, so that offset is calibrated away and raises no alarm.

ADWIN keeps a window of values in [0, 1] and cuts it where two parts have different means, with a bound on false alarms
(Bifet and Gavalda, "Learning from time-changing data with adaptive windowing", SIAM International Conference on Data
Mining, 2007). A day's visits are shuffled and averaged into at most 200 values, so the cost of a day does not grow with
its visits, and on a day with a million of them no alarm is raised by a shift too small to matter.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints

if TYPE_CHECKING:
    from river.drift import ADWIN

_FALSE_ALARMS = 0.05  # ADWIN's delta for the whole shelf; the bound is loose, docs/drift.md says what was measured
_VALUES_A_DAY = 200  # of each product
_CLOCK = 8  # values between two tests for a change


@dataclass(frozen=True)
class Shift:
    """An answer to prices that changed.

    Attributes
    ----------
    since
        First date of the new answer.
    before, after
        Mean residual of the days before and from then on, probability.
    """

    since: dt.date
    before: float
    after: float

    @property
    def direction(self) -> str:
        """Whether shoppers buy `more` or `less` than they did at the same prices."""
        return "more" if self.after > self.before else "less"


@dataclass(frozen=True)
class DayCheck:
    """One product on one date.

    Attributes
    ----------
    decisions
        Visits that found it on the shelf.
    mean_residual
        Share that bought less the mean chance of sale, probability.
    standard_error
        Of that mean when the champion is right, probability.
    shift
        What was found on this date; None on all others.
    """

    sku: str
    business_date: dt.date
    decisions: int
    mean_residual: float
    standard_error: float
    shift: Shift | None


def check_days(cells: pd.DataFrame, p_sale: Floats) -> list[DayCheck]:
    """Check every product on every day, each against the days before it.

    Parameters
    ----------
    cells
        Demand cells of the days after the champion's training: `business_date`, `sku`, `n_offered`, `n_purchased`.
    p_sale
        The champion's chance of sale of each cell, shape (n_cells,).

    Returns
    -------
    list of DayCheck
        By product and then by date; a day on which nobody met a product on the shelf has none.
    """
    rows = cells[["business_date", "sku", "n_offered", "n_purchased"]].assign(p_sale=p_sale)
    rows = rows[rows["n_offered"] > 0]
    delta = _FALSE_ALARMS / max(1, rows["sku"].nunique())
    checks: list[DayCheck] = []
    for sku, own in rows.groupby("sku", sort=True):
        days = [_day_of(str(sku), stamp, cells) for stamp, cells in own.groupby("business_date", sort=True)]
        checks += [day.checked(shift) for day, shift in zip(days, _shifts(days, delta), strict=True)]
    return checks


@dataclass(frozen=True)
class _Day:
    """A product's day: the values that ADWIN sees, in [0, 1], and the sums behind them."""

    sku: str
    date: dt.date
    values: Floats
    residual: float
    decisions: int
    variance: float

    def checked(self, shift: Shift | None) -> DayCheck:
        error = float(np.sqrt(self.variance) / self.decisions)
        return DayCheck(self.sku, self.date, self.decisions, self.residual / self.decisions, error, shift)


def _day_of(sku: str, stamp: object, cells: pd.DataFrame) -> _Day:
    date = pd.Timestamp(str(stamp)).date()
    offered, bought = cells["n_offered"].to_numpy(dtype=np.int64), cells["n_purchased"].to_numpy(dtype=np.int64)
    chance = cells["p_sale"].to_numpy()
    residuals = np.concatenate([np.repeat(1 - chance, bought), np.repeat(-chance, offered - bought)])
    np.random.default_rng(date.toordinal()).shuffle(residuals)
    return _Day(
        sku,
        date,
        (1 + _means(residuals, min(len(residuals), _VALUES_A_DAY))) / 2,
        float(residuals.sum()),
        len(residuals),
        float((chance * (1 - chance) * offered).sum()),
    )


def _means(values: Floats, n_blocks: int) -> Floats:
    """Return the means of `n_blocks` blocks of nearly equal length, shape (n_blocks,)."""
    edges: Ints = np.arange(n_blocks + 1) * len(values) // n_blocks
    return np.add.reduceat(values, edges[:-1]) / np.diff(edges)


def _shifts(days: Sequence[_Day], delta: float) -> Iterator[Shift | None]:
    """Yield what is found on each day. After a shift the days from then on are the new normal."""
    first, detector = 0, _detector(delta)
    for today, day in enumerate(days):
        if not _fires(detector, day) or today == first:
            yield None
            continue
        began, before, after = _change(days[first : today + 1])
        first, detector = first + began, _detector(delta)
        for known in days[first : today + 1]:
            _fires(detector, known)
        yield Shift(days[first].date, before, after)


def _detector(delta: float) -> "ADWIN":
    from river.drift import ADWIN

    return ADWIN(delta=delta, clock=_CLOCK)


def _fires(detector: "ADWIN", day: _Day) -> bool:
    """Show a day to the detector, all of it, and tell whether it saw a change."""
    fired = False
    for value in day.values:
        detector.update(float(value))
        fired |= detector.drift_detected
    return fired


def _change(days: Sequence[_Day]) -> tuple[int, float, float]:
    """Return the position of the day from which on the mean residual differs most, and the means before and after.

    ADWIN says that there was a change; its window ends somewhere within days, and old days linger in it. The likeliest
    first day of the new mean is that of the largest standardised difference (Page, "A test for a change in a parameter
    occurring at an unknown point", Biometrika, 1955).
    """
    residual, decisions = (np.cumsum(sums) for sums in zip(*((d.residual, d.decisions) for d in days), strict=True))
    before = residual[:-1] / decisions[:-1]
    later = decisions[-1] - decisions[:-1]
    after = (residual[-1] - residual[:-1]) / later
    strength = np.abs(after - before) * np.sqrt(decisions[:-1] * later)
    last_before = int(np.argmax(strength))
    return last_before + 1, float(before[last_before]), float(after[last_before])
