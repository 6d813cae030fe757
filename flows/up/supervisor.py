"""Run services as one foreground group: one log, one fate.

Each service is the leader of a process group of its own, so that Ctrl-C reaches this process alone, which then stops
the others in order, and so that stopping reaches whatever a service has started. A guardian ends them when this
process is killed. When one service ends by itself, all are stopped: half a house is no house.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread

from catalog.addresses import is_free
from catalog.errors import ServiceError
from flows.up.reaper import end_groups
from flows.up.services import Service

_LOOK_EVERY = 0.2  # seconds
_MUST_ANSWER_WITHIN = 120.0  # seconds
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
    """Start services, tell when all of them answer, and keep them running until asked to stop.

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
        When a service ends by itself or does not answer in time; the others are stopped first.
    """
    group = _Group(log)
    try:
        group.open(services, stop)
        if not stop.is_set():
            all_answer()
        while not stop.wait(_LOOK_EVERY):
            group.refuse_absence()
    finally:
        group.end()


class _Group:
    """The processes that were started, in order."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._running: dict[str, subprocess.Popen[str]] = {}
        command = (sys.executable, "-m", "flows.up.reaper")
        self._guardian = subprocess.Popen(  # noqa: S603 - the command is our own
            command, stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def open(self, services: Sequence[Service], stop: Event) -> None:
        """Start each service when those it comes after answer, until all do."""
        waiting, answering = list(services), set[str]()
        limit = time.monotonic() + _MUST_ANSWER_WITHIN
        while len(answering) < len(services) and not stop.is_set():
            for service in [service for service in waiting if answering.issuperset(service.after)]:
                self._start(service)
                waiting.remove(service)
            self.refuse_absence()
            answering |= {one.name for one in services if one.name in self._running and one.answers()}
            if time.monotonic() > limit:
                silent = ", ".join(service.name for service in services if service.name not in answering)
                raise ServiceError(f"{silent}: no answer within {_MUST_ANSWER_WITHIN:.0f} s; everything was stopped")
            stop.wait(_LOOK_EVERY)

    def refuse_absence(self) -> None:
        """Raise when a service has ended by itself."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                raise ServiceError(f"{name} ended with code {code}, its last lines say why; everything was stopped")

    def end(self) -> None:
        """Stop the newest first, what they stand on after them; nothing is left."""
        newest_first = [process.pid for process in reversed(self._running.values())]
        half = len(newest_first) // 2
        end_groups(newest_first[:half])
        end_groups(newest_first[half:])
        for process in self._running.values():
            process.wait()
        assert self._guardian.stdin is not None  # noqa: S101 - it was asked for
        self._guardian.stdin.close()
        self._guardian.wait()

    def _start(self, service: Service) -> None:
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
        assert self._guardian.stdin is not None  # noqa: S101 - the same
        self._guardian.stdin.write(f"{process.pid}\n")
        self._guardian.stdin.flush()
        Thread(target=self._pass_on, args=(service.name, process), daemon=True).start()

    def _pass_on(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - the same
        for line in process.stdout:
            if line.strip():
                self._log(name, line.rstrip())


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", **own}
