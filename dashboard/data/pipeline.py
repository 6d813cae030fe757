"""What stands in the lake by its receipts, and the proof of it on demand, one check at a time."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock, Thread

from catalog.contracts import TABLES
from catalog.errors import LakeError, ShelfpriceError
from catalog.settings import Settings
from warehouse.lake import Lake, Partition
from warehouse.proof import Inspection, verify
from warehouse.receipts import Receipt


@dataclass(frozen=True)
class LakeTable:
    """One table as its receipts tell it.

    Attributes
    ----------
    name, grain
        The table, and what one row of it is.
    rows, partitions, bytes
        Sums over the partitions that a receipt proves.
    unproven
        Partitions without a receipt that speaks for them.
    newest_date
        Newest business date; None for tables without days, and without data.
    published_at
        When a partition was published last (UTC); None without data.
    """

    name: str
    grain: str
    rows: int
    partitions: int
    bytes: int
    unproven: int
    newest_date: dt.date | None
    published_at: dt.datetime | None


def table_states(settings: Settings) -> tuple[LakeTable, ...]:
    """Return the state of every table of the catalog, in its order."""
    lake = Lake(settings)
    return tuple(_state(lake, name) for name in TABLES)


def _state(lake: Lake, name: str) -> LakeTable:
    partitions = list(lake.partitions(name))
    receipts = [receipt for partition in partitions if (receipt := _receipt(lake, partition))]
    dates = [partition.business_date for partition in partitions if partition.business_date]
    published = [moment for partition in partitions if (moment := lake.published_at(partition))]
    return LakeTable(
        name,
        TABLES[name].grain,
        rows=sum(receipt.rows for receipt in receipts),
        partitions=len(receipts),
        bytes=sum(receipt.bytes for receipt in receipts),
        unproven=len(partitions) - len(receipts),
        newest_date=max(dates, default=None),
        published_at=max(published, default=None),
    )


def _receipt(lake: Lake, partition: Partition) -> Receipt | None:
    try:
        return lake.receipt(partition)
    except (LakeError, FileNotFoundError):  # damaged, or replaced while we looked: counted as unproven
        return None


@dataclass(frozen=True)
class VerificationProgress:
    """How far the newest check is.

    Attributes
    ----------
    running
        Whether it goes on.
    done, total
        Files checked, and files in all.
    verdict
        What the last check that came to its end found.
    failure
        Why the newest one did not come to its end.
    finished_at
        When the last one ended (UTC).
    """

    running: bool = False
    done: int = 0
    total: int = 0
    verdict: Inspection | None = None
    failure: str | None = None
    finished_at: dt.datetime | None = None


class Verification:
    """Checks every file of the lake against its receipt when asked to; all browsers see the same check."""

    def __init__(self, settings: Settings, clock: Callable[[], dt.datetime]) -> None:
        self._lake = Lake(settings)
        self._clock = clock
        self._lock = Lock()
        self._progress = VerificationProgress()

    @property
    def progress(self) -> VerificationProgress:
        """Where the newest check stands."""
        return self._progress

    def start(self) -> None:
        """Start a check unless one is running."""
        with self._lock:
            if not self._progress.running:
                self._progress = replace(self._progress, running=True, done=0, total=0, failure=None)
                Thread(target=self._run, name="verify", daemon=True).start()

    def _run(self) -> None:
        failure, verdict = "the check ended unexpectedly; run `shelfprice health --files`", self._progress.verdict
        try:
            verdict, failure = verify(self._lake, self._tell), ""
        except (ShelfpriceError, OSError) as error:
            failure = f"{error}; run `shelfprice health --files`"
        finally:
            self._progress = VerificationProgress(verdict=verdict, failure=failure or None, finished_at=self._clock())

    def _tell(self, done: int, total: int) -> None:
        self._progress = replace(self._progress, done=done, total=total)
