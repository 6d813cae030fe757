"""Run servers for as long as a block of code, as tests do: they end with the block, and with this process."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from catalog.child_process import ChildProcess
from catalog.errors import ServiceError
from operate.up.services import Service

STARTS_WITHIN = 60.0  # seconds; the machine may be busy
_LOOK_EVERY = 0.05  # seconds


@contextmanager
def running(*services: Service) -> Iterator[list[ChildProcess]]:
    """Start servers one after the other, each when the one before answers; end all of them afterwards, at once.

    Raises
    ------
    ServiceError
        When one ends or does not answer in time; the message has its last lines.
    """
    processes: list[ChildProcess] = []
    try:
        for service in services:
            processes.append(begun(service))
            wait_for(service, processes[-1])
        yield processes
    finally:
        end(processes)


def begun(service: Service) -> ChildProcess:
    """Start a server, and do not wait until it answers; it ends with this process at the latest."""
    return ChildProcess(service.command, service.environment, lambda _line: None)  # its last lines are kept


def end(processes: Sequence[ChildProcess]) -> None:
    """Ask processes to end with all that they started, and kill those that do not."""
    for process in processes:
        process.ask_to_end()
    for process in processes:
        process.end()


def wait_for(service: Service, process: ChildProcess) -> None:
    """Wait until a server that was begun answers.

    Raises
    ------
    ServiceError
        When it ends or does not answer in time; the message has its last lines.
    """
    limit = time.monotonic() + STARTS_WITHIN
    while not (service.answers() and service.is_ready()):
        code = process.poll()
        if code is not None:
            raise ServiceError(f"{service.name} exited with code {code} before it answered: {process.last_lines}")
        if time.monotonic() > limit:
            raise ServiceError(f"{service.name} did not answer within {STARTS_WITHIN:.0f} s: {process.last_lines}")
        time.sleep(_LOOK_EVERY)
