"""Jobs in processes of this machine: as many as it has cores, each with one job at a time.

They are started by the first job, live until the block ends that opened them, and never outlive this process. When one
dies, the job that it was at is done once more by a new one.

`spreading` chooses where independent work is done, by the settings and by how much of it there is.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from catalog.child_process import ChildProcess, signal_of
from catalog.errors import ServiceError
from catalog.settings import Settings
from catalog.spread import HERE, Done, InThisProcess, Job, Spread, cores, unheard
from catalog.wings import needed
from flows.progress import say, tell

_Job = TypeVar("_Job", bound=Job)
_Result = TypeVar("_Result")

Say = Callable[[str], object]
"""Told in a sentence what happens meanwhile."""

_COMMAND = (sys.executable, "-P", "-m", "flows.spread_worker")
_DEATHS_BORNE = 1
"""How often a job may take down the process that works on it; the second time it is given up."""


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
        self._workers: list[_Worker] = []

    def __call__(
        self, function: Callable[[_Job], _Result], jobs: Sequence[_Job], on_done: Done = unheard
    ) -> list[_Result]:
        """Do every job, as `Spread` says.

        Raises
        ------
        ServiceError
            When a job took down two processes; all others were done.
        """
        found, waiting, deaths = dict[int, _Result](), deque(range(len(jobs))), dict[int, str]()
        again, failure = set[int](), None
        while waiting or any(worker.job is not None for worker in self._workers):
            self._begin(function, jobs, waiting)
            for worker in self._answering():
                position, ended = worker.job, worker.answer()
                assert position is not None  # noqa: S101 - it was working
                if ended is not None and ended[0] is None:
                    tell(*ended[1])
                elif ended is None:
                    code = self._buried(worker)
                    self._say(
                        f"the process that worked on {jobs[position].name} ended ({code}): {_then(again, position)}"
                    )
                    if position in again:
                        deaths[position] = code
                    elif failure is None:
                        again.add(position)
                        waiting.appendleft(position)
                elif ended[0]:
                    found[position] = ended[1]
                    on_done(len(found), len(jobs))
                else:
                    failure = failure or ended[1]
                    waiting.clear()
        if failure is not None:
            raise failure
        _refuse_losses([(jobs[position], code) for position, code in sorted(deaths.items())])
        return [found[position] for position in range(len(jobs))]

    def end(self) -> None:
        """End all processes at once, whatever they do."""
        for worker in self._workers:
            worker.ask_to_end()
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def _begin(self, function: Callable[[Any], Any], jobs: Sequence[Any], waiting: deque[int]) -> None:
        """Give every process something to do that has nothing, and start those that are still missing."""
        for worker in self._workers:
            if waiting and worker.job is None:
                worker.begin(function, jobs, waiting.popleft())
        while waiting and len(self._workers) < self.width:
            self._workers.append(_Worker())
            self._workers[-1].begin(function, jobs, waiting.popleft())

    def _answering(self) -> list["_Worker"]:
        """Wait until a process has an answer or has ended, and return those."""
        at_work = {worker.connection: worker for worker in self._workers if worker.job is not None}
        return [at_work[connection] for connection in wait(list(at_work)) if isinstance(connection, Connection)]

    def _buried(self, worker: "_Worker") -> str:
        """Forget a process that ended, and say how it did."""
        self._workers.remove(worker)
        return worker.end()


class _Worker:
    """A process, and the position of the job that it works on, if any."""

    def __init__(self) -> None:
        self.job: int | None = None
        self.connection, theirs = Pipe()
        try:
            self._process = ChildProcess((*_COMMAND, str(theirs.fileno())), pass_fds=(theirs.fileno(),))
        finally:
            theirs.close()

    def begin(self, function: Callable[[Any], Any], jobs: Sequence[Any], position: int) -> None:
        """Let it work on a job; where it has ended already, the answer will be that."""
        self.job = position
        try:
            self.connection.send((function, jobs[position]))
        except ConnectionError:
            return

    def answer(self) -> tuple[bool | None, Any] | None:
        """Return what `flows.spread_worker` sends: a result, an error, or progress; None when it has ended."""
        try:
            sent: tuple[bool | None, Any] | None = self.connection.recv()
        except (EOFError, ConnectionError):
            sent = None
        if sent is None or sent[0] is not None:
            self.job = None
        return sent

    def ask_to_end(self) -> None:
        """End it in the middle of its work, and do not wait."""
        self._process.ask_to_end()

    def end(self) -> str:
        """End the process if it is still there, and say how it ended."""
        self.connection.close()
        code = self._process.end()
        return signal_of(code) or f"code {code}"


def _then(again: set[int], position: int) -> str:
    return "it is given up" if position in again else "it is done once more by another"


def _refuse_losses(lost: list[tuple[Job, str]]) -> None:
    if lost:
        named = ", ".join(f"{job.name} ({code})" for job, code in lost)
        raise ServiceError(
            f"expected processes that live, found that two ended while they worked on {named}; everything else was "
            "done: see that there is memory, and run the same command again"
        )


_WORTH_PROCESSES = 20.0  # seconds of work on one core; to start processes takes some of them


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
        with needed("spread", "SHELFPRICE_DASK").on_cluster(settings, say) as spread:
            yield spread
    elif cores() > 1 and seconds > _WORTH_PROCESSES:
        with in_processes(cores(), say) as spread:
            yield spread
    else:
        yield HERE if threads == 1 else InThisProcess(threads)
