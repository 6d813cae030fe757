"""Proving the lake on demand, beside the pages: one check at a time, in a thread of its own."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock, Thread

from catalog.errors import ShelfpriceError
from catalog.settings import Settings
from warehouse.lake import Lake
from warehouse.proof import Inspection, verify


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
        failure, verdict = "the check ended unexpectedly; run `shelfprice verify`", self._progress.verdict
        try:
            verdict, failure = verify(self._lake, self._tell), ""
        except (ShelfpriceError, OSError) as error:
            failure = f"{error}; run `shelfprice verify`"
        finally:
            self._progress = VerificationProgress(verdict=verdict, failure=failure or None, finished_at=self._clock())

    def _tell(self, done: int, total: int) -> None:
        self._progress = replace(self._progress, done=done, total=total)
