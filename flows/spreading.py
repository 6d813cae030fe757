"""Jobs in processes of this machine: as many as it has cores, each with one job at a time.

They are started by the first jobs, live until the block ends that opened them, and never outlive this process: each
ends when the pipe does whose other end this process alone holds. When one dies, what is missing is done once more by
new ones.

`spreading` chooses where independent work is done, by the settings and by how much of it there is.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from contextvars import copy_context
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue
from multiprocessing.reduction import ForkingPickler
from threading import Thread
from typing import Any, TypeVar

from catalog.errors import ServiceError, first_line
from catalog.hooks import SPREAD
from catalog.settings import Settings
from catalog.spread import HERE, Done, InThisProcess, Job, Spread, attempt, cores, unheard
from flows.progress import listening, say, tell

_Job = TypeVar("_Job", bound=Job)
_Result = TypeVar("_Result")

Say = Callable[[str], object]
"""Told in a sentence what happens meanwhile."""

_WORTH_PROCESSES = 20.0  # seconds of work on one core; to start processes takes some of them
_NAMED = 3  # jobs that a message names

_TOLD: "list[SimpleQueue[Any]]" = []
"""In a process that works for another: what tells that one how far a job has come."""


@contextmanager
def in_processes(count: int, say: Say) -> Iterator["Processes"]:
    """Let jobs be done by processes of this machine; they are gone when the block ends.

    Parameters
    ----------
    say
        Told when one of them dies.
    """
    processes = Processes(count, say)
    try:
        yield processes
    finally:
        processes.end()


class Processes:
    """Does jobs in other processes of this machine. Implements `catalog.spread.Spread`."""

    is_elsewhere = False

    def __init__(self, count: int, say: Say) -> None:
        self.width = count
        self._say = say
        self._pool: _Pool | None = None

    def __call__(
        self, function: Callable[[_Job], _Result], jobs: Sequence[_Job], on_done: Done = unheard
    ) -> list[_Result]:
        """Do every job, as `Spread` says.

        Raises
        ------
        ServiceError
            When processes died twice.
        """
        found: dict[int, _Result] = {}
        for is_last in (False, True):
            self._pool = self._pool or _Pool(self.width)
            left = [position for position in range(len(jobs)) if position not in found]
            try:
                for position, result in self._pool.done(function, [(position, jobs[position]) for position in left]):
                    found[position] = result
                    on_done(len(found), len(jobs))
                break
            except BrokenProcessPool as error:
                self.end()
                names = [jobs[position].name for position in left if position not in found]
                more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
                missing = f"{', '.join(names[:_NAMED])}{more}"
                if is_last:
                    raise ServiceError(
                        f"expected processes that live, found that one died, and another when it was tried again; "
                        f"missing is {missing}: see that there is memory, and run the same command again"
                    ) from error
                self._say(f"a process died; done once more is {missing}")
        return [found[position] for position in range(len(jobs))]

    def end(self) -> None:
        """End all processes at once, whatever they do."""
        if self._pool is not None:
            self._pool.end()
        self._pool = None


class _Pool:
    """Processes, the pipe that ties them to this one, and the queue on which they tell how far they have come."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        theirs, self._tie = context.Pipe(duplex=False)
        self._told = context.SimpleQueue()
        self._width, self._pool = count, ProcessPoolExecutor(count, context, _begin, (theirs, self._told))

    def done(self, function: Callable[[Any], Any], jobs: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Yield the position of each job that is done, and its result; after a failure no other is begun."""
        hearing = Thread(target=copy_context().run, args=(_hear, self._told), daemon=True)
        hearing.start()
        waiting, failure = iter(jobs), None
        flying: dict[Future[Any], int] = {}
        while True:
            for position, job in islice(waiting, self._width - len(flying)) if failure is None else ():
                flying[self._pool.submit(_work, function, job)] = position
            if not flying:
                break
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                position = flying.pop(future)
                try:
                    yield position, future.result()
                except BrokenProcessPool:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in the end
                    failure = failure or error
        self._told.put(None)  # behind all that was told
        hearing.join()
        if failure is not None:
            raise failure

    def end(self) -> None:
        """End the processes in the middle of their work."""
        self._tie.close()
        self._pool.shutdown(cancel_futures=True)


def _hear(told: "SimpleQueue[Any]") -> None:
    while (progress := told.get()) is not None:
        tell(*progress)


def _begin(tie: "Connection[Any, Any]", told: "SimpleQueue[Any]") -> None:
    """Begin a process that works for another: it ends with that one, which alone hears Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _TOLD.append(told)
    Thread(target=_end_with, args=(tie,), daemon=True).start()


def _end_with(tie: "Connection[Any, Any]") -> None:
    with suppress(EOFError, OSError):
        tie.recv()
    os._exit(1)


def _work(function: Callable[[Any], Any], job: Any) -> Any:
    try:
        with listening(lambda *progress: _TOLD[-1].put(progress)):
            return attempt(function, job)
    except Exception as error:
        raise _as_sent(error) from error


def _as_sent(error: Exception) -> Exception:
    """Return an error that can be sent; one that cannot be is told in words."""
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # noqa: BLE001 - errors of libraries are made in any way
        return ServiceError(f"{type(error).__name__}: {first_line(error)}")
    return error


@contextmanager
def spreading(settings: Settings, *, seconds: float, threads: int = 1) -> Iterator[Spread]:
    """Open the place where independent jobs are done while the block runs.

    Parameters
    ----------
    seconds
        How long all of it would take on one core, roughly: little is done in this process.
    threads
        In how many threads it is done then; with one, to try again what failed is up to the task around it.

    Raises
    ------
    SettingError, ServiceError
        When the settings name a cluster that cannot be used; nothing was done.
    """
    if settings.dask is not None:
        with SPREAD.needed("SHELFPRICE_DASK").on_cluster(settings, say) as spread:
            yield spread
    elif cores() > 1 and seconds > _WORTH_PROCESSES:
        with in_processes(cores(), say) as spread:
            yield spread
    else:
        yield HERE if threads == 1 else InThisProcess(threads)
