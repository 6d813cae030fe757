"""One service under supervision: started when those it depends on answer, and started again when it fails.

It fails when its process ends, when it does not answer for too long although those it depends on do, and when it cannot
be started because somebody else listens at its address. Each failure in a row doubles the pause before the next start.
"""

import datetime as dt
from collections.abc import Callable, Set
from dataclasses import dataclass, replace

from catalog.addresses import is_free
from catalog.child_process import ENDS_WITHIN, ChildProcess, signal_of
from catalog.errors import ServiceError
from operate.up.probe import Probe
from operate.up.services import Service
from warehouse.services import RECENT, Condition, ServiceState

Log = Callable[[str, str], None]


@dataclass(frozen=True)
class Patience:
    """How long a service may take, and how often it may fail.

    Attributes
    ----------
    asked_every
        Seconds from one question whether it answers to the next.
    start
        Seconds until it must answer after its start.
    silence
        Seconds for which a service that has answered may stay silent.
    shown_silence
        Seconds after which it is said to be silent.
    well
        Seconds after which a service that answers has run well: earlier failures lengthen its next pause no more.
    failures, window
        This many failures within as many seconds end everything, and so do this many starts in a row without an answer.
    first_pause, longest_pause
        Seconds before it is started again, the first and the last time.
    """

    asked_every: float = 1.0
    start: float = 120.0
    silence: float = 30.0
    shown_silence: float = 10.0
    well: float = 60.0
    failures: int = 5
    window: float = 60.0
    first_pause: float = 0.5
    longest_pause: float = 16.0


class SupervisedService:
    """A service, its process when it has one, and what happened to it."""

    def __init__(self, service: Service, log: Log, patience: Patience) -> None:
        self.service = service
        address = service.address.url if service.address else None
        self.state = ServiceState(service.name, service.purpose, address, "starting", _now())
        self._log, self._patience = log, patience
        self._process: ChildProcess | None = None
        self._probe: Probe | None = None
        self._start_at = self._begun = self._heard = -float("inf")
        self._ending_for: str | None = None
        self._kill_at = float("inf")
        self._failed_at: list[float] = []
        self._in_a_row = self._unanswered_starts = 0

    @property
    def is_answering(self) -> bool:
        """Whether it answers, as far as is known."""
        return self.state.condition == "answers"

    @property
    def has_ended(self) -> bool:
        """Whether it has no process."""
        return self._process is None or self._process.poll() is not None

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
        needs = answering >= set(self.service.after)
        if self._process is None:
            if needs and now >= self._start_at:
                self._start(now)
            return
        code = self._process.poll()
        if code is not None:
            self._note_end(now, code, self._process.last_lines)
        elif self._ending_for is None:
            self._note_answer(now, needs=needs)
        elif now > self._kill_at:
            self._process.kill()

    def excuse(self, now: float) -> None:
        """Begin to wait for an answer anew: nobody could have heard one."""
        self._heard = now

    def ask_to_end(self) -> None:
        """Ask it to end; it is killed if it does not."""
        if self._probe:
            self._probe.close()
        if self._process:
            self._process.ask_to_end()

    def kill(self) -> None:
        """Kill it at once."""
        if self._process:
            self._process.kill()

    def _start(self, now: float) -> None:
        address, service = self.service.address, self.service
        if address is not None and not is_free(address.host, address.port):
            self._fail(now, f"found {address.host}:{address.port} in use by another program")
            return
        if self._failed_at:
            at = _now()
            recent = tuple(one for one in self.state.restarts if at - one <= RECENT)
            self.state = replace(self.state, restarts=(*recent, at))
        try:
            self._process = ChildProcess(
                service.command, service.environment, lambda line: self._log(service.name, line)
            )
        except OSError as error:
            self._fail(now, f"could not be started ({error.strerror})")
            return
        self._probe = Probe(service, self._patience.asked_every)
        self._begun = self._heard = now

    def _note_answer(self, now: float, *, needs: bool) -> None:
        assert self._process is not None  # noqa: S101 - it was looked at
        assert self._probe is not None  # noqa: S101 - each process has one
        answered_at = self._probe.answered_at
        self._heard = max(self._heard, answered_at or 0.0, 0.0 if needs else now)
        silent = now - self._heard
        limit = self._patience.start if answered_at is None else self._patience.silence
        if silent > limit:
            self._ending_for, self._kill_at = f"did not answer for {limit:.0f} s", now + ENDS_WITHIN
            self._log(self.service.name, f"{self._ending_for}, so it is stopped")
            self.ask_to_end()
        elif answered_at is not None and now - answered_at <= self._patience.shown_silence:
            if not self.is_answering:
                self._process.forget_lines(before=answered_at)
            self._set("answers")
        elif answered_at is not None:
            self._set("silent")

    def _note_end(self, now: float, code: int, last_lines: str) -> None:
        assert self._probe is not None  # noqa: S101 - it had a process
        self._probe.close()
        by_signal = f" ({signal_of(code)})" if signal_of(code) else ""
        how = self._ending_for or f"exited with code {code}{by_signal}"
        answered_at = self._probe.answered_at
        self._unanswered_starts = 0 if answered_at is not None else self._unanswered_starts
        if answered_at is not None and answered_at - self._begun >= self._patience.well:
            self._in_a_row = 0
        self._process = self._probe = self._ending_for = None
        self._fail(now, f"{how}: {last_lines}" if last_lines else how)

    def _fail(self, now: float, reason: str) -> None:
        allowed, window = self._patience.failures, self._patience.window
        self._failed_at = [at for at in self._failed_at if now - at <= window] + [now]
        self._in_a_row += 1
        self._unanswered_starts += 1
        if len(self._failed_at) >= allowed or self._unanswered_starts >= allowed:
            when = f"within {window:.0f} s" if len(self._failed_at) >= allowed else "in a row"
            raise ServiceError(
                f"{self.service.name} failed {allowed} times {when}, the last time it {reason}; all services were "
                "stopped: mend what that says, then run `shelfprice up` again"
            )
        doubled = self._patience.first_pause * 2 ** min(self._in_a_row - 1, 16)
        pause = min(doubled, self._patience.longest_pause)
        self._start_at = now + pause
        self.state = replace(self.state, reason=reason)
        self._set("restarting")
        self._log(self.service.name, f"{reason}; it is started again in {pause:g} s")

    def _set(self, condition: Condition) -> None:
        if self.state.condition == condition:
            return
        if condition == "answers":
            self._log(self.service.name, "answers" if self.state.condition == "starting" else "answers again")
        self.state = replace(self.state, condition=condition, since=_now())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
