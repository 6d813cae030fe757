"""Run services as one foreground group, with one log, until asked to stop; a service that fails is started again.

Each service is a `catalog.child_process`. So Ctrl-C reaches this process alone, which then stops the others, and none
outlives it.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from catalog.addresses import is_free
from catalog.child_process import ENDS_WITHIN
from catalog.errors import ServiceError
from operate.up.services import Service
from operate.up.supervised import Log, Patience, SupervisedService
from warehouse.services import ServiceState

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_INTERVAL = 0.1  # seconds
_STOOD_STILL = 5.0  # seconds between two polls, after which this process itself was held up
_SECOND_PRESS_AFTER = 0.3  # seconds; a signal may reach this process twice at once, from a terminal and a parent


class Stop:
    """Whether the group shall stop: `hear` is the handler of the signals that ask for it."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.is_urgent = False
        self._asked_at = 0.0

    @property
    def is_asked(self) -> bool:
        """Whether a signal came."""
        return self.number is not None

    def hear(self, number: int, _frame: FrameType | None = None) -> None:
        """Note a signal; a second one is urgent."""
        if self.number is None:
            self.number, self._asked_at = number, time.monotonic()
        elif time.monotonic() - self._asked_at > _SECOND_PRESS_AFTER:
            self.is_urgent = True


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


def run_group(
    services: Sequence[Service],
    log: Log,
    all_answer: Callable[[], None],
    stop: Stop,
    record: Callable[[Sequence[ServiceState]], None] = lambda _states: None,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    *,
    in_order: bool = False,
) -> None:
    """Start services, report when all of them answer, and run them until asked to stop.

    Parameters
    ----------
    log
        Called with the name of a service and a line, its own or about it.
    all_answer
        Called once.
    stop
        Asks the group to stop.
    record
        Called with the state of each service when one has changed.
    in_order
        Whether a service ends before those that it depends on; otherwise all end at once, which is faster.

    Raises
    ------
    ServiceError
        When a service failed too often; the others are stopped first.
    """
    group = [SupervisedService(service, log, patience) for service in services]
    try:
        _supervise(group, all_answer, stop, record)
    finally:
        for those in _waves(group) if in_order else [group]:
            _end(those, stop)


def _supervise(
    group: Sequence[SupervisedService],
    all_answer: Callable[[], None],
    stop: Stop,
    record: Callable[[Sequence[ServiceState]], None],
) -> None:
    recorded: list[ServiceState] = []
    all_answered, before = False, time.monotonic()
    while not stop.is_asked:
        now = time.monotonic()
        for one in group:
            if now - before > _STOOD_STILL:
                one.excuse(now)
            one.step(now, {other.service.name for other in group if other.is_answering})
        before = now
        states = [one.state for one in group]
        if states != recorded:
            record(states)
            recorded = states
        if not all_answered and all(one.is_answering for one in group):
            all_answer()
            all_answered = True
        time.sleep(_POLL_INTERVAL)


def _waves(group: Sequence[SupervisedService]) -> Iterator[Sequence[SupervisedService]]:
    """Yield the services on which no other one depends, then those on which none of the rest does, and so on."""
    rest = list(group)
    while rest:
        needed = {name for one in rest for name in one.service.after}
        free = [one for one in rest if one.service.name not in needed]
        yield free
        rest = [one for one in rest if one not in free]


def _end(group: Sequence[SupervisedService], stop: Stop) -> None:
    """Ask all at once to end; kill what has not ended in time, and all of it when that is urgent."""
    for one in group:
        one.ask_to_end()
    limit = time.monotonic() + ENDS_WITHIN
    while not all(one.has_ended for one in group):
        if stop.is_urgent or time.monotonic() > limit:
            for one in group:
                one.kill()
            return
        time.sleep(_POLL_INTERVAL / 2)
