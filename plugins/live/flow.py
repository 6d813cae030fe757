"""Sell a store's days tick by tick, at a pace that people can follow and change.

Requests arrive in two ways. The state and the parameters of the flow's own run, which anyone may change through
Prefect's API, are polled once a second beside the selling, so that an orchestrator that hangs or is away stops no sale.
And signals (Ctrl-C, SIGTERM) stop the selling after the current tick.
"""

import datetime as dt
import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from threading import Event, Thread
from types import FrameType
from typing import Annotated
from uuid import UUID

from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas import State
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectHTTPStatusError
from prefect.runtime import deployment, flow_run
from prefect.states import Cancelled
from pydantic import Field

from catalog.currency import EUR, Currency
from catalog.hooks import ON_TICK
from catalog.load import WatchedCatalog
from etl.batches import DEFAULT_SEED
from etl.calendar import ONE_DAY
from etl.open_days import LiveDay
from flows.progress import say, tell
from flows.runs import ended, log, tag_run, warn_of_damaged_books
from flows.workspace import open_workspace, watched_catalog
from plugins.desk.live_shelf import discard
from plugins.desk.next_ticks import refuse_unknown_store
from plugins.live.days import dates_to_sell, day_to_sell
from plugins.live.player import Player, SoldDay, Tick
from plugins.live.prices import LivePrices
from warehouse.commits.locks import held
from warehouse.commits.notes import left_unended, write_down
from warehouse.workspace import Workspace

_LOOK_EVERY = 5.0  # s at least from one look for alerts to the next, where ticks are faster
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
def controls_of(run_id: str | None, tick_seconds: float, *, ends_with_parent: bool) -> Iterator[Controls]:
    """Heed the controls of a flow run, if there is one, and the signals of this process while the block runs.

    Parameters
    ----------
    ends_with_parent
        Whether to stop when the process that started this one is gone, as a deployment's worker may be.
    """
    controls = Controls(tick_seconds)
    with ExitStack() as stack:
        if run_id is not None:
            client = stack.enter_context(get_client(sync_client=True))
            arguments = (client, UUID(run_id), controls, os.getppid() if ends_with_parent else None)
            polling = Thread(target=poll, args=arguments, daemon=True, name="controls")
            polling.start()
            stack.callback(polling.join, timeout=_POLL_EVERY)
        stack.callback(controls.stop.set)
        stack.enter_context(_signals_set(controls.stop))
        yield controls


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


@flow(name="live", persist_result=False, on_completion=[ended], on_cancellation=[ended])
def live(
    store: str,
    date: dt.date | None = None,
    tick_seconds: Annotated[float, Field(ge=FASTEST, le=SLOWEST)] = 1.0,
    days: Annotated[int, Field(ge=1)] = 1,
    seed: int = DEFAULT_SEED,
    catalog_dir: str | None = None,
    again: bool = False,  # noqa: FBT001, FBT002 - parameters of a deployment are named
) -> list[SoldDay]:
    """Sell some days of a store, one tick after another, each published before the next begins.

    The run may be paused, resumed, cancelled, and given other `tick_seconds` while it sells. Run again after a kill, it
    goes on from what was published, up to the last date that it was asked for.

    Parameters
    ----------
    date, days
        First date, by default the day that was left open or the one after the store's newest; and how many.
    tick_seconds
        Time from one tick to the next.
    seed
        Seed of the world: the live day meets the shoppers that a simulation of it would.
    again
        Forget what was sold of an open day, and play it from its opening.

    Returns
    -------
    list of SoldDay
        One for each day sold to its end; a run that was asked to stop before is cancelled instead.

    Raises
    ------
    Declined
        When the store is being sold by another process, or the date was sold or simulated already.
    """
    workspace, catalog = open_workspace(catalog_dir, for_the_twin=True), watched_catalog(catalog_dir)
    refuse_unknown_store(workspace.catalog, store)
    with held(workspace.settings.locks, f"live-{store}"):
        left = None if again else left_unended(workspace.lake.notes, f"live-{store}")
        day, last = dates_to_sell(workspace, store, date, days, left)
        if day.business_date > last:
            _announce(f"{store} had sold everything through {last} when its run was killed; nothing more was sold")
        write_down(workspace.lake.notes, f"live-{store}", last)
        if again and not day.is_closed(workspace.lake):
            discard(workspace.lake, day)
        with controls_of(flow_run.get_id(), tick_seconds, ends_with_parent=bool(deployment.get_id())) as controls:
            return _sell_through(workspace, catalog, day, last, seed, controls)  # type: ignore[return-value]


def _sell_through(
    workspace: Workspace, catalog: WatchedCatalog, day: LiveDay, last: dt.date, seed: int, controls: Controls
) -> list[SoldDay] | State:
    """Sell day after day through a last date; the state of a run that was asked to stop before."""
    sold: list[SoldDay] = []
    while day.business_date <= last:
        if sold:
            day = day_to_sell(workspace, day.store, day.business_date)
        if (done := _sell(workspace, catalog, day, seed, controls)) is None:
            return _stopped(day)
        sold.append(done)
        day = LiveDay(day.store, day.business_date + ONE_DAY)
    return sold


def _stopped(day: LiveDay) -> State:
    return Cancelled(message=f"{day.store} stopped on {day.business_date}; run it again to go on")


def _sell(workspace: Workspace, catalog: WatchedCatalog, day: LiveDay, seed: int, controls: Controls) -> SoldDay | None:
    """Sell one day to its end and close it; None when it was stopped before."""
    lake = workspace.lake
    tag_run("live", day.store, name=f"live-{day.store}-{day.business_date}")
    warn_of_damaged_books(lake, [day.business_date])
    player = Player(lake, LivePrices(lake, catalog.current, day, seed), day, seed)
    if player.next_tick:
        _announce(f"{day.store} {day.business_date}: going on from tick {player.next_tick}")
    problem, money, look_at = None, catalog.current().store.money, 0.0
    while not player.is_over:
        tick = player.sell_tick()
        if catalog.problem not in {None, problem}:
            problem = catalog.problem
            _announce(f"{problem}; the catalog in force stays")
        tell(f"{day.store} {day.business_date}", tick.number + 1, tick.of)
        _announce(line_of(day, tick, money), *tick.reasons)
        if time.monotonic() >= look_at:
            _look(workspace, catalog)
            look_at = time.monotonic() + _LOOK_EVERY
        if not controls.rest():
            return None
    closed = player.close()
    earned = f"{closed.revenue_eur:,.{money.digits}f} {money.code}"
    _announce(f"{day.store} {day.business_date}: closed with {earned} from {closed.units} units")
    _look(workspace, catalog)
    return closed


def _look(workspace: Workspace, catalog: WatchedCatalog) -> None:
    """Have what is registered for `shelfprice.on_tick` look at the stores as they stand now, and say what it found."""
    for look in ON_TICK.all():
        _announce(*look(replace(workspace, catalog=catalog.current())))


def line_of(day: LiveDay, tick: Tick, money: Currency = EUR) -> str:
    """Say in one line how a day stands after a tick."""
    return (
        f"{day.store} {day.business_date} {tick.opens_at:%H:%M} tick {tick.number + 1} of {tick.of}: "
        f"{tick.revenue_eur:,.{money.digits}f} {money.code}, {tick.units} units, {tick.visits} visits so far"
    )


def _announce(*sentences: str) -> None:
    """Tell the command that started this run, and the log of the run."""
    for sentence in sentences:
        say(sentence)
        log().info(sentence)
