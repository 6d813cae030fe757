"""Jobs in processes of this machine, and the choice of where work is done: here, in processes, or on a cluster.

Processes are started by the first jobs, live until the block ends that opened them, and never outlive this process:
each ends when the pipe does whose other end this process alone holds. When one dies, what is missing is done once more.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import copy_context
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue
from multiprocessing.reduction import ForkingPickler
from threading import Thread
from typing import Any

from catalog.errors import ServiceError, first_line
from catalog.hooks import SPREAD
from catalog.settings import Settings
from catalog.spread import HERE, InThreads, Spread, as_done, attempt, cores
from flows.progress import listening, say, tell

_WORTH_PROCESSES = 20.0  # seconds of work on one core; to start processes takes some of them
_NAMED = 3  # jobs that a message names

_PROGRESS: "list[SimpleQueue[Any]]" = []
"""In a process that works for another: the queue on which it tells how far a job has come."""


def spreading(settings: Settings, *, seconds: float, threads: int = 1) -> AbstractContextManager[Spread]:
    """Return the place where independent jobs are done, opened by `with`.

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
        return SPREAD.needed("SHELFPRICE_DASK").on_cluster(settings, say)
    if cores() > 1 and seconds > _WORTH_PROCESSES:
        return Processes(cores(), say)
    return nullcontext(HERE if threads == 1 else InThreads(threads))


class Processes(Spread, AbstractContextManager["Processes"]):
    """Does jobs in other processes of this machine, which are gone when the block ends; `say` hears of deaths."""

    def __init__(self, count: int, say: Callable[[str], object]) -> None:
        self.width, self._say = count, say
        self._pool: ProcessPoolExecutor | None = None

    def results_of(self, function: Callable[[Any], Any], jobs: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        """Yield results as `Spread` does.

        Raises
        ------
        ServiceError
            When processes died twice.
        """
        missing = dict(jobs)
        for is_last in (False, True):
            try:
                for position, result in self._once(function, list(missing.items())):
                    del missing[position]
                    yield position, result
            except BrokenProcessPool as error:
                self.__exit__()
                names = ", ".join([job.name for job in missing.values()][:_NAMED])
                names += f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
                if is_last:
                    raise ServiceError(
                        f"expected processes that live, found that one died, and another when it was tried again; "
                        f"missing is {names}: see that there is memory, and run the same command again"
                    ) from error
                self._say(f"a process died; done once more is {names}")
            else:
                return

    def _once(self, function: Callable[[Any], Any], jobs: list[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            theirs, self._tie = context.Pipe(duplex=False)
            self._progress = context.SimpleQueue()
            self._pool = ProcessPoolExecutor(self.width, context, _begin, (theirs, self._progress))
        pool = self._pool
        hearing = Thread(target=copy_context().run, args=(_hear, self._progress), daemon=True)
        hearing.start()
        try:
            yield from as_done(lambda job: pool.submit(_work, function, job), jobs, self.width)
        finally:
            self._progress.put(None)  # behind all that was told
        hearing.join()

    def __exit__(self, *_: object) -> None:
        """End all processes at once, in the middle of their work."""
        if self._pool is not None:
            self._tie.close()
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


def _hear(progress: "SimpleQueue[Any]") -> None:
    while (step := progress.get()) is not None:
        tell(*step)


def _begin(tie: "Connection[Any, Any]", progress: "SimpleQueue[Any]") -> None:
    """Begin a process that works for another: it ends with that one, which alone hears Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _PROGRESS.append(progress)
    Thread(target=_end_with, args=(tie,), daemon=True).start()


def _end_with(tie: "Connection[Any, Any]") -> None:
    with suppress(EOFError, OSError):
        tie.recv()
    os._exit(1)


def _work(function: Callable[[Any], Any], job: Any) -> Any:
    """Do a job; an error that cannot be sent is raised in words."""
    try:
        with listening(lambda *step: _PROGRESS[-1].put(step)):
            return attempt(lambda: function(job))
    except Exception as error:
        try:
            ForkingPickler.loads(ForkingPickler.dumps(error))
        except Exception:  # noqa: BLE001 - errors of libraries are made in any way
            raise ServiceError(f"{type(error).__name__}: {first_line(error)}") from error
        raise
