"""Watch whether the champion's demand still holds, and ask for a new model when it does not."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import NAMESPACE_OID, uuid5

import pyarrow as pa
from prefect import flow, task
from prefect.events import emit_event

from catalog.errors import ModelError
from catalog.tables.drift import DRIFT_CHECKS
from features.cells import feature_workbench, query
from flows.edge import TOUCHES_THE_DISK, Surroundings, newest_date, tag_run
from flows.progress import say
from serving.champion import Champion, load_champion
from training.drift.checks import DayCheck, check_days
from warehouse.lake import Lake, Partition

DRIFT_DETECTED = "shelfprice.drift.detected"
SHELF = {"prefect.resource.id": "shelfprice.shelf"}
"""The event that asks for a new model, and the resource it is about."""


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
    """What a look at the champion found.

    Attributes
    ----------
    champion
        Its version, or None when there is none or nobody can say.
    through
        Last business date that was looked at.
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


@flow(name="watch-drift", flow_run_name="watch-drift-{through}")
def watch_drift(through: dt.date | None = None, catalog_dir: str | None = None) -> Watched:
    """Check the champion on every day since its training, and announce each change in demand once.

    Running it again publishes and announces nothing. A champion that is not there or cannot be asked is no failure:
    `unchecked` says so, and prices are left alone.

    Raises
    ------
    DataError
        When there are no demand cells at all.
    """
    around = Surroundings(catalog_dir)
    last = through or newest_date(around.lake)
    tag_run("drift")
    try:
        champion = load_champion(around.settings)
        if champion is None or champion.trained_through is None:
            return Watched(None, last, unchecked="there is no champion that says what it was trained on")
        checks = check_champion(around, champion, champion.trained_through, last)
    except ModelError as error:
        return Watched(None, last, unchecked=str(error))
    new = publish_checks(around, champion, champion.trained_through, last, checks)
    standing = sorted((_detection(check) for check in checks if check.shift), key=lambda found: found.business_date)
    return Watched(champion.version, last, tuple(new), tuple(standing))


@task(**TOUCHES_THE_DISK)
def check_champion(
    around: Surroundings, champion: Champion, trained_through: dt.date, through: dt.date
) -> list[DayCheck]:
    """Read the cells of the days since the champion's training, and check them."""
    with feature_workbench(around.settings) as connection:
        span = {"trained_through": trained_through, "judged_through": through}
        cells = connection.execute(query("holdout_cells"), span).df()
    return check_days(cells, champion.p_sale(cells)) if len(cells) else []


@task(**TOUCHES_THE_DISK)
def publish_checks(
    around: Surroundings, champion: Champion, trained_through: dt.date, through: dt.date, checks: list[DayCheck]
) -> list[Detection]:
    """Publish the days whose checks are not in the lake, and announce what they found first.

    An announcement that is repeated after a kill, before its day was published, carries the same id.
    """
    days: dict[dt.date, list[DayCheck]] = {}
    for check in checks:
        days.setdefault(check.business_date, []).append(check)
    stale = {}
    for date, inputs in _inputs(around.lake, champion.version, trained_through, through):
        partition = Partition("drift_checks", date, f"v{champion.version}")
        if date in days and not around.lake.is_current(partition, inputs):
            stale[date] = partition, inputs
    new = []
    for date, (partition, _) in stale.items():
        known = _announced(around.lake, partition)
        new += [_detection(check) for check in days[date] if check.shift and check.sku not in known]
    if new:
        _announce(champion.version, new)
    for date, (partition, inputs) in stale.items():
        around.lake.publish(partition, checks_to_table(days[date], champion.version), inputs=inputs)
    return new


def _inputs(lake: Lake, version: str, trained_through: dt.date, through: dt.date) -> Iterator[tuple[dt.date, str]]:
    """Yield each date with cells and the fingerprint of all that its checks rest on: the cells up to that date."""
    digest = hashlib.sha256(version.encode())
    receipts: dict[dt.date, list[str]] = {}
    for cells in lake.partitions("demand_cells"):
        receipt = lake.receipt(cells)
        if receipt and cells.business_date and trained_through < cells.business_date <= through:
            receipts.setdefault(cells.business_date, []).append(f"{cells}:{receipt.sha256}\n")
    for date in sorted(receipts):
        digest.update("".join(sorted(receipts[date])).encode())
        yield date, digest.hexdigest()


def _announced(lake: Lake, partition: Partition) -> set[str]:
    """Return the products whose change was announced with a partition that is there already."""
    if not lake.path(partition).exists():
        return set()
    return {row["sku"] for row in lake.read(partition).to_pylist() if row["detected"]}


def _announce(version: str, found: list[Detection]) -> None:
    newest = max(detection.business_date for detection in found)
    since = max(detection.since for detection in found)
    skus = sorted({detection.sku for detection in found})
    emit_event(
        event=DRIFT_DETECTED,
        resource=SHELF,
        payload={"business_date": newest.isoformat(), "skus": skus, "since": since.isoformat()},
        id=uuid5(NAMESPACE_OID, f"{version} {newest} {' '.join(skus)}"),
    )
    say(f"drift in {', '.join(skus)} since {since}: a new model is asked for")


def _detection(check: DayCheck) -> Detection:
    shift = check.shift
    if shift is None:
        raise ValueError(f"{check.sku} on {check.business_date}: nothing was detected")
    return Detection(check.sku, check.business_date, shift.since, shift.direction, shift.before, shift.after)


def checks_to_table(checks: list[DayCheck], version: str) -> pa.Table:
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
