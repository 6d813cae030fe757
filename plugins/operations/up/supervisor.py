"""Run services as one foreground group, with one log, until asked to stop; a service that fails is started again.

Each service is a `child_process`. So Ctrl-C reaches this process alone, which then stops the others, and none outlives
it. A service fails when its process ends, when it does not answer in time after its start, and when it cannot
be started because another program listens at its address. Each failure in a row doubles the pause before the next
start.
"""

import datetime as dt
import signal
import time
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from types import FrameType

from catalog.addresses import is_free
from catalog.errors import ServiceError
from plugins.operations.up.child_process import ENDS_WITHIN, ChildProcess, signal_of
from plugins.operations.up.services import Service
from plugins.operations.up.states import RECENT, Condition, ServiceState

Log = Callable[[str, str], None]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_INTERVAL = 0.1  # seconds
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


@dataclass(frozen=True)
class Patience:
    """How long a service may take, and how often it may fail.

    Attributes
    ----------
    start
        Seconds until it must answer after its start.
    well
        Seconds after which a service that answered has run well: earlier failures lengthen its next pause no more.
    failures, window
        This many failures within as many seconds end everything, and so do this many starts in a row without an answer.
    first_pause, longest_pause
        Seconds before it is started again, the first and the last time.
    """

    start: float = 120.0
    well: float = 60.0
    failures: int = 5
    window: float = 60.0
    first_pause: float = 0.5
    longest_pause: float = 16.0


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
    patience: Patience = Patience(),
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

    Raises
    ------
    ServiceError
        When a service failed too often; the others are stopped first.
    """
    group = [SupervisedService(service, log, patience) for service in services]
    try:
        _supervise(group, all_answer, stop, record)
    finally:
        _end(group, stop)


def _supervise(
    group: Sequence["SupervisedService"],
    all_answer: Callable[[], None],
    stop: Stop,
    record: Callable[[Sequence[ServiceState]], None],
) -> None:
    recorded, all_answered = list[ServiceState](), False
    while not stop.is_asked:
        for process in group:
            process.step(time.monotonic(), {other.service.name for other in group if other.is_answering})
        states = [process.state for process in group]
        if states != recorded:
            record(states)
            recorded = states
        if not all_answered and all(process.is_answering for process in group):
            all_answer()
            all_answered = True
        time.sleep(_POLL_INTERVAL)


def _end(group: Sequence["SupervisedService"], stop: Stop) -> None:
    """Ask all at once to end; kill what has not ended in time, and all of it when that is urgent."""
    processes = [entry.process for entry in group if entry.process is not None]
    for process in processes:
        process.ask_to_end()
    limit = time.monotonic() + ENDS_WITHIN
    while any(process.poll() is None for process in processes):
        if stop.is_urgent or time.monotonic() > limit:
            for process in processes:
                process.kill()
            return
        time.sleep(_POLL_INTERVAL / 2)


class SupervisedService:
    """A service, its process when it has one, and what happened to it."""

    def __init__(self, service: Service, log: Log, patience: Patience) -> None:
        self.service = service
        address = service.address.url if service.address else None
        self.state = ServiceState(service.name, service.purpose, address, "starting", _now())
        self.process: ChildProcess | None = None
        self._log, self._patience = log, patience
        self._start_at = self._begun = -float("inf")
        self._answered_at: float | None = None
        self._failed_at: list[float] = []
        self._in_a_row = self._unanswered_starts = 0

    @property
    def is_answering(self) -> bool:
        """Whether it has answered since its start."""
        return self.state.condition == "answers"

    def step(self, now: float, answering: Set[str]) -> None:
        """Do what is due: start it, note whether it answers, or note that it failed.

        Parameters
        ----------
        now
            Seconds on the monotonic clock.
        answering
            Names of the services that answer.

        Raises
        ------
        ServiceError
            When it failed too often.
        """
        if self.process is None:
            if answering >= set(self.service.after) and now >= self._start_at:
                self._start(now)
        elif (code := self.process.poll()) is not None:
            by_signal = f" ({signal_of(code)})" if signal_of(code) else ""
            self._note_end(now, f"exited with code {code}{by_signal}")
        elif self._answered_at is None and self._answers():
            self._answered_at = now
            self.process.forget_lines(before=now)
            self._set("answers")
        elif self._answered_at is None and now - self._begun > self._patience.start:
            self.process.end()
            self._note_end(now, f"did not answer for {self._patience.start:.0f} s")

    def _answers(self) -> bool:
        try:
            return self.service.answers() and self.service.is_ready()
        except Exception:  # noqa: BLE001 - whatever goes wrong with an answer, it is none
            return False

    def _start(self, now: float) -> None:
        address, service = self.service.address, self.service
        if address is not None and not is_free(address.host, address.port):
            self._fail(now, f"found {address.host}:{address.port} in use by another program")
            return
        if self._failed_at:
            moment = _now()
            recent = tuple(restart for restart in self.state.restarts if moment - restart <= RECENT)
            self.state = replace(self.state, restarts=(*recent, moment))
        try:
            self.process = ChildProcess(
                service.command, service.environment, lambda line: self._log(service.name, line)
            )
        except OSError as error:
            self._fail(now, f"could not be started ({error.strerror})")
        self._begun, self._answered_at = now, None

    def _note_end(self, now: float, how: str) -> None:
        assert self.process is not None  # noqa: S101 - it was looked at
        last_lines, self.process = self.process.last_lines, None
        if self._answered_at is not None:
            self._unanswered_starts = 0
            if now - self._answered_at >= self._patience.well:
                self._in_a_row = 0
        self._fail(now, f"{how}: {last_lines}" if last_lines else how)

    def _fail(self, now: float, reason: str) -> None:
        allowed, window = self._patience.failures, self._patience.window
        self._failed_at = [moment for moment in self._failed_at if now - moment <= window] + [now]
        self._in_a_row += 1
        self._unanswered_starts += 1
        if len(self._failed_at) >= allowed or self._unanswered_starts >= allowed:
            when = f"within {window:.0f} s" if len(self._failed_at) >= allowed else "in a row"
            raise ServiceError(
                f"{self.service.name} failed {allowed} times {when}, the last time it {reason}; all services were "
                "stopped: mend what that says, then run `shelfprice up` again"
            )
        pause = min(self._patience.first_pause * 2 ** min(self._in_a_row - 1, 16), self._patience.longest_pause)
        self._start_at = now + pause
        self.state = replace(self.state, reason=reason)
        self._set("restarting")
        self._log(self.service.name, f"{reason}; it is started again in {pause:g} s")

    def _set(self, condition: Condition) -> None:
        if condition == "answers":
            self._log(self.service.name, "answers" if self.state.condition == "starting" else "answers again")
        self.state = replace(self.state, condition=condition, since=_now())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
