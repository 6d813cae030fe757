"""Run services as one foreground group, with one log; if one service exits, stop all.

Each service leads a process group of its own. So Ctrl-C reaches this process alone, which then stops the others in
order, and stopping a service also stops the processes that it started. A reaper process stops the services when this
process is killed.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread

from catalog.addresses import is_free
from catalog.errors import ServiceError
from flows.up.reaper import stop_groups
from flows.up.services import Service

_POLL_INTERVAL = 0.2  # seconds
_START_TIMEOUT = 120.0  # seconds
Log = Callable[[str, str], None]


def refuse_taken_ports(services: Sequence[Service]) -> None:
    """Refuse to start where a port is in use.

    Raises
    ------
    ServiceError
        Naming the address, the service and the setting that moves it.
    """
    for service in services:
        if service.address is not None and not is_free(service.address.host, service.address.port):
            where = f"{service.address.host}:{service.address.port}"
            raise ServiceError(
                f"{where} cannot be listened on, it is in use or not this machine's; {service.name} needs it: nothing "
                f"was started, stop what listens there or set {service.address.setting} to another address"
            )


def run_group(services: Sequence[Service], log: Log, all_answer: Callable[[], None], stop: Event) -> None:
    """Start services, report when all of them answer, and run them until asked to stop.

    Parameters
    ----------
    log
        Called with the name of a service and a line it wrote.
    all_answer
        Called once.
    stop
        Set to stop the group.

    Raises
    ------
    ServiceError
        When a service exits or does not answer in time; the others are stopped first.
    """
    group = _Group(log)
    try:
        group.start(services, stop)
        if not stop.is_set():
            all_answer()
        while not stop.wait(_POLL_INTERVAL):
            group.raise_if_exited()
    finally:
        group.stop()


class _Group:
    """The running services, in the order of their start."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._running: dict[str, subprocess.Popen[str]] = {}
        command = (sys.executable, "-m", "flows.up.reaper")
        self._reaper = subprocess.Popen(  # noqa: S603 - the command is our own
            command, stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def start(self, services: Sequence[Service], stop: Event) -> None:
        """Start each service as soon as those it depends on answer; return when all answer."""
        waiting, answering = list(services), set[str]()
        limit = time.monotonic() + _START_TIMEOUT
        while len(answering) < len(services) and not stop.is_set():
            for service in [service for service in waiting if answering.issuperset(service.after)]:
                self._launch(service)
                waiting.remove(service)
            self.raise_if_exited()
            answering |= {one.name for one in services if one.name in self._running and one.answers()}
            if time.monotonic() > limit:
                waited_for = ", ".join(service.name for service in services if service.name not in answering)
                raise ServiceError(f"{waited_for}: no answer within {_START_TIMEOUT:.0f} s; all services were stopped")
            stop.wait(_POLL_INTERVAL)

    def raise_if_exited(self) -> None:
        """Raise when a service has exited."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                raise ServiceError(f"{name} exited with code {code}, its last lines say why; all services were stopped")

    def stop(self) -> None:
        """Stop the newest services first, those they depend on after them, then the reaper."""
        newest_first = [process.pid for process in reversed(self._running.values())]
        half = len(newest_first) // 2
        stop_groups(newest_first[:half], reap=self._reap)
        stop_groups(newest_first[half:], reap=self._reap)
        for process in self._running.values():
            process.wait()
        assert self._reaper.stdin is not None  # noqa: S101 - it was asked for
        self._reaper.stdin.close()
        self._reaper.wait()

    def _reap(self) -> None:
        for process in self._running.values():
            process.poll()

    def _launch(self, service: Service) -> None:
        process = subprocess.Popen(  # noqa: S603 - the commands are our own
            service.command,
            env=_environment(service.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._running[service.name] = process
        assert self._reaper.stdin is not None  # noqa: S101 - the same
        self._reaper.stdin.write(f"{process.pid}\n")
        self._reaper.stdin.flush()
        Thread(target=self._forward_log, args=(service.name, process), daemon=True).start()

    def _forward_log(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - the same
        for line in process.stdout:
            if line.strip():
                self._log(name, line.rstrip())


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **own}
