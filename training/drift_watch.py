"""Watch whether the champion's demand still holds: check the days since its training, and announce each change once."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from catalog.errors import ModelError
from catalog.tables.learning import DRIFT_CHECKS
from features.cells import feature_workbench, query, seals_of_cells
from serving.champion import Champion
from training.drift_checks import DayCheck, check_days
from training.registry import ModelRegistry
from warehouse.checks.proof import Span, prove
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.workspace import Workspace


@dataclass(frozen=True)
class Detection:
    """A product whose shoppers answer prices otherwise than the champion says.

    `business_date` is the day on which it was seen, `since` the first day of the new answer, `direction` whether they
    buy `more` or `less`, and both means are shares that bought less the chance of sale, probability.
    """

    sku: str
    business_date: dt.date
    since: dt.date
    direction: str
    before: float
    after: float


@dataclass(frozen=True)
class Watched:
    """What watching the champion found.

    Attributes
    ----------
    champion
        Its version, or None when there is none or nobody can say.
    through
        Last business date that was checked.
    new
        Detections that were announced now.
    standing
        All detections against this champion, the new ones included, oldest first.
    unchecked
        Why nothing could be checked, or None.
    """

    champion: str | None
    through: dt.date
    new: tuple[Detection, ...] = ()
    standing: tuple[Detection, ...] = ()
    unchecked: str | None = None

    @property
    def since(self) -> dt.date | None:
        """First date from which everything is as it is now; None while the champion holds."""
        return max((detection.since for detection in self.standing), default=None)


Announce = Callable[[str, Sequence[Detection]], None]
"""Called with the champion's version and what was found anew, before the days that found it are published."""


def unannounced(_version: str, _found: Sequence[Detection]) -> None:
    """Tell nobody."""


def watch_drift(
    workspace: Workspace, registry: ModelRegistry, through: dt.date, announce: Announce = unannounced
) -> Watched:
    """Check the champion on every day since its training, and announce each change in demand once.

    Running it again publishes and announces nothing. A champion that is not there or cannot be asked is no failure:
    `unchecked` says so, and prices are left alone.
    """
    try:
        champion = registry.load()
        if champion is None or champion.trained_through is None:
            return Watched(None, through, unchecked="there is no champion that says what it was trained on")
        checks = check_champion(workspace, champion, champion.trained_through, through)
    except ModelError as error:
        return Watched(None, through, unchecked=str(error))
    new = publish_checks(workspace.lake, champion.version, champion.trained_through, checks, announce)
    standing = sorted((_detection(check) for check in checks if check.shift), key=lambda found: found.business_date)
    return Watched(champion.version, through, tuple(new), tuple(standing))


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
) -> list[Detection]:
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
        known = _announced(lake, partition)
        new += [_detection(check) for check in days[date] if check.shift and check.sku not in known]
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
    return pa.table(columns, schema=DRIFT_CHECKS.schema)


def _inputs(lake: Lake, version: str, trained_through: dt.date, through: dt.date) -> Iterator[tuple[dt.date, str]]:
    """Yield each date with cells and the fingerprint of all that its checks rest on: the cells up to that date."""
    digest = hashlib.sha256(version.encode())
    seals: dict[dt.date, list[str]] = {}
    for date, seal in seals_of_cells(lake, trained_through + dt.timedelta(days=1), through):
        seals.setdefault(date, []).append(seal)
    for date, own in sorted(seals.items()):
        digest.update("".join(sorted(own)).encode())
        yield date, digest.hexdigest()


def _announced(lake: Lake, partition: Partition) -> set[str]:
    """Return the products whose change was announced with a partition that is there already."""
    if lake.receipt(partition) is None:
        return set()
    return {row["sku"] for row in lake.read(partition).to_pylist() if row["detected"]}


def _detection(check: DayCheck) -> Detection:
    shift = check.shift
    if shift is None:
        raise ValueError(f"{check.sku} on {check.business_date}: nothing was detected")
    return Detection(check.sku, check.business_date, shift.since, shift.direction, shift.before, shift.after)
