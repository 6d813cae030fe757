"""Independent work, wherever it is done: one function over many jobs, in this process, in others, or on a cluster.

What must hold: the function can be imported by its name, and a job and its result are plain frozen data, since they may
travel to another machine. A job may be done twice, for its process may die in the middle: that leaves the same as once.
"""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Protocol, TypeVar

from catalog.errors import DamagedError, Declined, LakeError

Progress = Callable[[str, int, int], None]
"""Called with a stage in words, the steps done, and the steps in all."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """Listen to nothing."""


Done = Callable[[int, int], object]
"""Called with how many jobs are done and how many there are, each time that one is done."""

_ATTEMPTS = 3
_PAUSE = 1.0  # seconds between attempts


class Job(Protocol):
    """Something to be done, with a name by which people are told of it."""

    @property
    def name(self) -> str: ...  # noqa: D102 - described above


_Job = TypeVar("_Job", bound=Job)
_Result = TypeVar("_Result")


def unheard(_done: int, _total: int) -> None:
    """Tell nobody."""


class Spread(Protocol):
    """Somewhere to do independent jobs.

    Attributes
    ----------
    width
        How many jobs are worked on at once.
    is_elsewhere
        Whether jobs run by the settings of another process, and not by those of this one.
    """

    @property
    def width(self) -> int: ...  # noqa: D102 - described above

    @property
    def is_elsewhere(self) -> bool: ...  # noqa: D102

    def __call__(
        self, function: Callable[[_Job], _Result], jobs: Sequence[_Job], on_done: Done = unheard
    ) -> list[_Result]:
        """Do every job, and return what each brought, in the order of the jobs.

        When one fails, no other is begun; those that are being done are waited for. Then its error is raised.
        """
        ...


@dataclass(frozen=True)
class InThisProcess:
    """Does jobs here, in as many threads as `width` says: where there are few or small ones, nothing is sooner.

    Attributes
    ----------
    tries_again
        Whether a job is tried again that met the disk; else that is up to the caller.
    """

    width: int = 1
    tries_again: bool = True
    is_elsewhere: bool = False

    def __call__(
        self, function: Callable[[_Job], _Result], jobs: Sequence[_Job], on_done: Done = unheard
    ) -> list[_Result]:
        """Do every job, as `Spread` says."""
        found: list[_Result] = []
        if self.width == 1 or len(jobs) == 1:
            for job in jobs:
                found.append(self._done(function, job))
                on_done(len(found), len(jobs))
            return found
        with ThreadPoolExecutor(self.width) as pool:
            contexts = [copy_context() for _ in jobs]
            for result in pool.map(lambda own, job: own.run(self._done, function, job), contexts, jobs):
                found.append(result)
                on_done(len(found), len(jobs))
        return found

    def _done(self, function: Callable[[_Job], _Result], job: _Job) -> _Result:
        return attempt(function, job) if self.tries_again else function(job)


HERE = InThisProcess(tries_again=False)
"""One job after another, in this thread, as if nothing stood between."""


def attempt(function: Callable[[_Job], _Result], job: _Job, patience: float = 0.0) -> _Result:
    """Do a job; it is tried again where it met the disk or a network.

    Parameters
    ----------
    patience
        Seconds for which a job is also tried again that was declined: one that seemed to have died may be at work on
        it still.
    """
    until, failures = time.monotonic() + patience, 0
    while True:
        try:
            return function(job)
        except Declined:
            if time.monotonic() >= until:
                raise
        except (LakeError, OSError) as error:
            failures += 1
            if failures == _ATTEMPTS or not may_pass(error):
                raise
        time.sleep(_PAUSE)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def may_pass(error: BaseException) -> bool:
    """Tell whether an error came from the disk or a network, which may be better next time.

    What was damaged is set aside: a second attempt would go on without it and say nothing.
    """
    return isinstance(error, LakeError | OSError) and not isinstance(error, DamagedError)
