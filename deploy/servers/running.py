"""Run servers for as long as a block of code, as tests do: they end with the block, and with this process."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from catalog.errors import ServiceError
from operate.up.groups import ENDS_WITHIN
from operate.up.services import Service
from operate.up.tied_process import TiedProcess

STARTS_WITHIN = 60.0  # seconds; the machine may be busy
_LOOK_EVERY = 0.05  # seconds


@contextmanager
def running(*services: Service) -> Iterator[list[TiedProcess]]:
    """Start servers one after the other, each when the one before answers; end all of them afterwards, at once.

    Raises
    ------
    ServiceError
        When one ends or does not answer in time; the message has its last lines.
    """
    processes: list[TiedProcess] = []
    try:
        for service in services:
            processes.append(begun(service))
            wait_for(service, processes[-1])
        yield processes
    finally:
        end(processes)


def begun(service: Service) -> TiedProcess:
    """Start a server, and do not wait until it answers; it ends with this process at the latest."""
    return TiedProcess(service.command, service.environment, lambda _line: None)


def end(processes: Sequence[TiedProcess]) -> None:
    """Ask processes to end with all that they started, and kill those that do not."""
    for process in processes:
        process.ask_to_end()
    limit = time.monotonic() + ENDS_WITHIN
    while any([process.poll() is None for process in processes]):  # noqa: C419 - each of them is polled
        if time.monotonic() > limit:
            for process in processes:
                process.kill()
        time.sleep(_LOOK_EVERY)


def wait_for(service: Service, process: TiedProcess) -> None:
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
