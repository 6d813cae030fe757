"""Run servers of `plugins.operations.deploy.servers` for as long as a block of code: they end with the block, and
with this process."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import ServiceError
from plugins.operations.deploy.servers.dask import Dask
from plugins.operations.deploy.servers.ports import free_address
from plugins.operations.deploy.servers.postgres import Postgres
from plugins.operations.deploy.servers.seaweed import Seaweed
from plugins.operations.up.child_process import ChildProcess
from plugins.operations.up.services import Service

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


@contextmanager
def seaweed(folder: Path) -> Iterator[Seaweed]:
    """Run an object store for tests, with its files in `folder`."""
    server = Seaweed(folder, free_address(), secrets.token_hex(10), secrets.token_hex(20))
    try:
        with running(server.service()):
            yield server
    finally:
        server.forget_sockets()


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a database for tests, with its files in `folder`: quick, and nothing is kept through a power failure."""
    server = Postgres(folder, free_address(), secrets.token_hex(16), is_durable=False)
    with running(server.service()):
        yield server


@contextmanager
def dask(folder: Path, workers: int = 2, settings: Mapping[str, str] | None = None) -> Iterator[Dask]:
    """Run a cluster for tests; `settings` is the environment of its workers."""
    cluster = Dask(folder, free_address(), workers, settings or {})
    with running(*cluster.services()):
        yield cluster
