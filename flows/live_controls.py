"""Control a store while it sells: pause, resume, stop, faster or slower.

Control requests arrive in two ways. The state and the parameters of the flow's own run, which anyone may change through
Prefect's API, are polled once a second beside the selling, so that an orchestrator that hangs or is away stops no sale.
And signals (Ctrl-C, SIGTERM) stop the selling after the current tick.
"""

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from types import FrameType
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectHTTPStatusError

FASTEST, SLOWEST = 0.2, 10.0
_POLL_EVERY = 1.0  # seconds
_NOTICED_WITHIN = 0.25  # seconds
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """How to go on: `tick_seconds` is the time from one tick to the next."""

    tick_seconds: float
    is_paused: bool = False
    is_stopped: bool = False


def request_of(run: FlowRun, before: Request) -> Request:
    """Read a request from a flow run; what the run does not say stays as before."""
    asked = run.parameters.get("tick_seconds")
    seconds = float(asked) if isinstance(asked, int | float) else before.tick_seconds
    state = run.state
    return Request(
        tick_seconds=min(max(seconds, FASTEST), SLOWEST),
        is_paused=state is not None and state.is_paused(),
        is_stopped=state is not None and (state.is_cancelling() or state.is_final()),
    )


class Controls:
    """The request in force, and the rest between ticks."""

    def __init__(self, tick_seconds: float) -> None:
        self.request = Request(tick_seconds)
        self.stop = Event()

    def rest(self) -> bool:
        """Wait until the next tick is due; return whether there is to be one."""
        begun = time.monotonic()
        while not (self.stop.is_set() or self.request.is_stopped):
            left = begun + self.request.tick_seconds - time.monotonic()
            if left <= 0 and not self.request.is_paused:
                return True
            self.stop.wait(min(max(left, 0.01), _NOTICED_WITHIN))
        return False


@contextmanager
def controls_of(run_id: UUID, tick_seconds: float, *, ends_with_parent: bool) -> Iterator[Controls]:
    """Heed the controls of a flow run and the signals of this process while the block runs.

    Parameters
    ----------
    ends_with_parent
        Whether to stop when the process that started this one is gone, as a deployment's worker may be.
    """
    controls = Controls(tick_seconds)
    with get_client(sync_client=True) as client:
        arguments = (client, run_id, controls, os.getppid() if ends_with_parent else None)
        polling = Thread(target=poll, args=arguments, daemon=True, name="controls")
        polling.start()
        try:
            with _signals_set(controls.stop):
                yield controls
        finally:
            controls.stop.set()
            polling.join(timeout=_POLL_EVERY)


def poll(client: SyncPrefectClient, run_id: UUID, controls: Controls, parent: int | None) -> None:
    """Read the run once a second; what cannot be read changes nothing."""
    while not controls.stop.wait(_POLL_EVERY):
        if parent is not None and os.getppid() != parent:
            controls.stop.set()
        try:
            controls.request = request_of(client.read_flow_run(run_id), controls.request)
        except (OSError, RuntimeError, PrefectHTTPStatusError) as error:
            _LOG.debug("the orchestrator does not answer (%s); selling goes on as before", error)


@contextmanager
def _signals_set(stop: Event) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into a stop after the current tick."""

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
