"""Independent work, wherever it is done: one function over many jobs, in this thread, in others, or in executors.

What must hold: the function can be imported by its name, and a job and its result are plain frozen data, since they may
travel to another machine. A job may be done twice, for its process may die in the middle: that leaves the same as once.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import islice
from typing import Any, Protocol, TypeVar

from catalog.errors import DamagedError, Declined, LakeError

Progress = Callable[[str, int, int], None]
"""Called with a stage in words, the steps done, and the steps in all."""
Done = Callable[[int, int], object]
"""Called with how many jobs are done and how many there are, each time that one is done."""


def silent(*_progress: object) -> None:
    """Ignore progress."""


class Job(Protocol):
    """Something to be done, with a name for people."""

    @property
    def name(self) -> str: ...  # noqa: D102 - described above


_Job = TypeVar("_Job", bound=Job)
_Result = TypeVar("_Result")


class Spread:
    """Does independent jobs one after another in this thread; its subclasses do several at once.

    `width` is how many are worked on at once. `is_elsewhere` says that jobs run by the settings of another process.
    """

    width = 1
    is_elsewhere = False

    def __call__(
        self, function: Callable[[_Job], _Result], jobs: Sequence[_Job], on_done: Done = silent
    ) -> list[_Result]:
        """Do every job, and return the results in the order of the jobs.

        When one fails, no other is begun; those that are being done are waited for. Then its error is raised.
        """
        results: dict[int, _Result] = {}
        for position, result in self.results_of(function, list(enumerate(jobs))):
            results[position] = result
            on_done(len(results), len(jobs))
        return [results[position] for position in range(len(jobs))]

    def results_of(self, function: Callable[[Any], Any], jobs: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Yield the position of each job and its result, as soon as it is done."""
        return ((position, function(job)) for position, job in jobs)


HERE = Spread()
"""One job after another, in this thread, as if nothing stood between."""


class InThreads(Spread):
    """Does jobs in some threads of this process."""

    def __init__(self, width: int) -> None:
        self.width = width

    def results_of(self, function: Callable[[Any], Any], jobs: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Yield results as `Spread` does; what met the disk is tried again."""
        with ThreadPoolExecutor(self.width) as pool:
            yield from as_done(
                lambda job: pool.submit(copy_context().run, attempt, lambda: function(job)), jobs, self.width
            )


def as_done(
    submit: Callable[[Any], Future[Any]], jobs: Iterable[tuple[int, Any]], width: int
) -> Iterator[tuple[int, Any]]:
    """Yield the position and result of each job that is done, `width` at once; after a failure no other is begun."""
    waiting, under_way, failure = iter(jobs), dict[Future[Any], int](), None
    while True:
        for position, job in islice(waiting, width - len(under_way)) if failure is None else ():
            under_way[submit(job)] = position
        if not under_way:
            break
        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
            position = under_way.pop(future)
            try:
                yield position, future.result()
            except BrokenExecutor:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the end
                failure = failure or error
    if failure is not None:
        raise failure


_ATTEMPTS = 3
_PAUSE = 1.0  # seconds between attempts


def attempt(work: Callable[[], _Result], patience: float = 0.0) -> _Result:
    """Do something, and try again where it met the disk or a network.

    Parameters
    ----------
    patience
        Seconds for which work that was declined is also tried again: a process that seemed to have died may still be
        at it.
    """
    until, failures = time.monotonic() + patience, 0
    while True:
        try:
            return work()
        except Declined:
            if time.monotonic() >= until:
                raise
        except (LakeError, OSError) as error:
            failures += 1
            if failures == _ATTEMPTS or not may_pass(error):
                raise
        time.sleep(_PAUSE)


def may_pass(error: BaseException) -> bool:
    """Return whether an error came from the disk or a network, which may be better next time.

    What was damaged is set aside: a second attempt would go on without it and say nothing.
    """
    return isinstance(error, LakeError | OSError) and not isinstance(error, DamagedError)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
