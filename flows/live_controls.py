"""What people wish while a store sells: pause, go on, stop, faster or slower.

Wishes arrive on two ways. The state and the parameters of the flow's own run, which anyone may change through Prefect's
API, are read once a second beside the selling, so that an orchestrator that hangs or is away stops no sale. And
signals (Ctrl-C, SIGTERM) stop the selling after the tick in hand.
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
_LOOK_EVERY = 1.0  # seconds
_BREATH = 0.25  # seconds: how soon a wish is noticed
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """How to go on: `tick_seconds` is the time from one tick to the next."""

    tick_seconds: float
    is_paused: bool = False
    is_stopped: bool = False


def wish_of(run: FlowRun, before: Wish) -> Wish:
    """Read a wish from a flow run; what the run does not say stays as before."""
    asked = run.parameters.get("tick_seconds")
    seconds = float(asked) if isinstance(asked, int | float) else before.tick_seconds
    state = run.state
    return Wish(
        tick_seconds=min(max(seconds, FASTEST), SLOWEST),
        is_paused=state is not None and state.is_paused(),
        is_stopped=state is not None and (state.is_cancelling() or state.is_final()),
    )


class Wishes:
    """The wish in force, and the rest between ticks."""

    def __init__(self, tick_seconds: float) -> None:
        self.wish = Wish(tick_seconds)
        self.stop = Event()

    def rest(self) -> bool:
        """Wait until the next tick is due; return whether there is to be one."""
        begun = time.monotonic()
        while not (self.stop.is_set() or self.wish.is_stopped):
            left = begun + self.wish.tick_seconds - time.monotonic()
            if left <= 0 and not self.wish.is_paused:
                return True
            self.stop.wait(min(max(left, 0.01), _BREATH))
        return False


@contextmanager
def wishes_of(run_id: UUID, tick_seconds: float, *, ends_with_parent: bool) -> Iterator[Wishes]:
    """Heed the wishes of a flow run and the signals of this process while the block runs.

    Parameters
    ----------
    ends_with_parent
        Whether to stop when the process that started this one is gone, as a deployment's worker may be.
    """
    wishes = Wishes(tick_seconds)
    with get_client(sync_client=True) as client:
        arguments = (client, run_id, wishes, os.getppid() if ends_with_parent else None)
        looking = Thread(target=_look, args=arguments, daemon=True, name="wishes")
        looking.start()
        try:
            with _signals_set(wishes.stop):
                yield wishes
        finally:
            wishes.stop.set()
            looking.join(timeout=_LOOK_EVERY)


def _look(client: SyncPrefectClient, run_id: UUID, wishes: Wishes, parent: int | None) -> None:
    """Read the run once a second; what cannot be read changes nothing."""
    while not wishes.stop.wait(_LOOK_EVERY):
        if parent is not None and os.getppid() != parent:
            wishes.stop.set()
        try:
            wishes.wish = wish_of(client.read_flow_run(run_id), wishes.wish)
        except (OSError, RuntimeError, PrefectHTTPStatusError) as error:
            _LOG.debug("the orchestrator does not answer (%s); selling goes on as before", error)


@contextmanager
def _signals_set(stop: Event) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into a stop after the tick in hand."""

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
