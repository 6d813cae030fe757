"""Watch whether the champion's demand still holds: residuals per product and day, by ADWIN; announce each change once.

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
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.arrays import Floats, Ints
from catalog.hooks import Announce, DemandChange, unannounced
from catalog.tables.contracts import TABLES
from features.cells import feature_workbench, query, seals_of_cells
from serving.champion import Champion
from warehouse.checks.proof import Span, prove
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.workspace import Workspace

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
    """One product on one date: its visits with stock, and their mean residual, probability.

    `standard_error` is that of the mean if the champion is right; `shift` is what was found on this date.
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
    for sku, of_product in rows.groupby("sku", sort=True):
        days = [_day_of(str(sku), stamp, cells) for stamp, cells in of_product.groupby("business_date", sort=True)]
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
        for earlier in days[first : today + 1]:
            _fires(detector, earlier)
        yield Shift(days[first].date, before, after)


def _detector(delta: float) -> "ADWIN":
    from river.drift import ADWIN

    return ADWIN(delta=delta, clock=_CLOCK)


def _fires(detector: "ADWIN", day: _Day) -> bool:
    """Show all values of a day to the detector, and return whether it saw a change."""
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


@dataclass(frozen=True)
class Watched:
    """What a check of the champion found.

    Attributes
    ----------
    new
        Changes that were announced now.
    standing
        All changes against this champion, the new ones included, oldest first.
    """

    new: tuple[DemandChange, ...] = ()
    standing: tuple[DemandChange, ...] = ()

    @property
    def since(self) -> dt.date | None:
        """First date from which everything is as it is now; None while the champion holds."""
        return max((change.since for change in self.standing), default=None)


def watch_drift(
    workspace: Workspace, champion: Champion, through: dt.date, announce: Announce = unannounced
) -> Watched | None:
    """Check the champion on every day since its training, and announce each change in demand once.

    Running it again publishes and announces nothing. None for a champion that does not say what it was trained on.
    """
    trained_through = champion.trained_through
    if trained_through is None:
        return None
    checks = check_champion(workspace, champion, trained_through, through)
    new = publish_checks(workspace.lake, champion.version, trained_through, checks, announce)
    standing = sorted((_change_in(check) for check in checks if check.shift), key=lambda change: change.business_date)
    return Watched(tuple(new), tuple(standing))


def check_champion(
    workspace: Workspace, champion: Champion, trained_through: dt.date, through: dt.date
) -> list[DayCheck]:
    """Read the cells of the days since the champion's training, and check them."""
    first = trained_through + dt.timedelta(days=1)
    prove(workspace.lake, (Span("demand_cells", first, through), Span("products")))
    with feature_workbench(workspace.settings, within=between(first, through)) as connection:
        span = {"trained_through": trained_through, "judged_through": through}
        cells = connection.execute(query("holdout_cells"), span).df()
    return check_days(cells, champion.p_sale(cells)) if len(cells) else []


def publish_checks(
    lake: Lake, version: str, trained_through: dt.date, checks: Sequence[DayCheck], announce: Announce
) -> list[DemandChange]:
    """Publish the days whose checks are not in the lake, and announce what they found first.

    An announcement that is repeated after a kill, before its day was published, is about the same days and products.
    """
    days: dict[dt.date, list[DayCheck]] = {}
    for check in checks:
        days.setdefault(check.business_date, []).append(check)
    stale = {}
    for date, inputs in _inputs(lake, version, trained_through, max(days, default=trained_through)):
        partition = Partition("drift_checks", date, f"v{version}")
        if date in days and not lake.is_current(partition, inputs):
            stale[date] = partition, inputs
    new = []
    for date, (partition, _) in stale.items():
        announced = _announced(lake, partition)
        new += [_change_in(check) for check in days[date] if check.shift and check.sku not in announced]
    if new:
        announce(version, new)
    for date, (partition, inputs) in stale.items():
        lake.publish(partition, checks_to_table(days[date], version), inputs=inputs)
    return new


def checks_to_table(checks: Sequence[DayCheck], version: str) -> pa.Table:
    """Return the checks of one day in the columns of `drift_checks`."""
    shifts = [check.shift for check in checks]
    columns = {
        "sku": pa.array([check.sku for check in checks]).dictionary_encode(),
        "model_version": [version] * len(checks),
        "decisions": [check.decisions for check in checks],
        "mean_residual": [check.mean_residual for check in checks],
        "standard_error": [check.standard_error for check in checks],
        "detected": [shift is not None for shift in shifts],
        "since": pa.array([shift and shift.since for shift in shifts], pa.date32()),
        "direction": pa.array([shift and shift.direction for shift in shifts], pa.string()),
        "residual_before": pa.array([shift and shift.before for shift in shifts], pa.float64()),
        "residual_after": pa.array([shift and shift.after for shift in shifts], pa.float64()),
    }
    return pa.table(columns, schema=TABLES["drift_checks"].schema)


def _inputs(lake: Lake, version: str, trained_through: dt.date, through: dt.date) -> Iterator[tuple[dt.date, str]]:
    """Yield each date with cells and the fingerprint of all that its checks rest on: the cells up to that date."""
    digest = hashlib.sha256(version.encode())
    seals: dict[dt.date, list[str]] = {}
    for date, seal in seals_of_cells(lake, trained_through + dt.timedelta(days=1), through):
        seals.setdefault(date, []).append(seal)
    for date, of_date in sorted(seals.items()):
        digest.update("".join(sorted(of_date)).encode())
        yield date, digest.hexdigest()


def _announced(lake: Lake, partition: Partition) -> set[str]:
    """Return the products whose change was announced with a partition that is there already."""
    if lake.receipt(partition) is None:
        return set()
    return {row["sku"] for row in lake.read(partition).to_pylist() if row["detected"]}


def _change_in(check: DayCheck) -> DemandChange:
    shift = check.shift
    if shift is None:
        raise ValueError(f"{check.sku} on {check.business_date}: nothing was detected")
    return DemandChange(check.sku, check.business_date, shift.since, shift.direction, shift.before, shift.after)
