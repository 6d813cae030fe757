"""Start, pause and stop a live store through Prefect's API.

Flows never run in the web process. A look answers within two seconds, and an act within four, or says that Prefect does
not answer. An act is tried again while Prefect says that its database is busy, as SQLite is when many runs start.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from uuid import UUID

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import DeploymentStatus, FlowRun
from prefect.client.schemas.objects import State as RunState
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelled, Cancelling, Paused, Running

from catalog.errors import Declined, ServiceError
from catalog.names import LIVE_DEPLOYMENT
from catalog.settings import Settings
from dashboard.prefect.client import Login, client_within
from warehouse.files import login_of_running_server

_LIVE_FLOW = LIVE_DEPLOYMENT.partition("/")[0]
_ANSWER_WITHIN, _ACT_WITHIN = 1.5, 4.0  # seconds for all requests of one look, and of one try of an act
_PAUSES = (0.5, 1.0, 2.0)  # seconds between tries of an act
_BUSY = 503  # how Prefect's server says that its database is locked
_A_MONTH = 30 * 24 * 3600  # seconds
_AT_WORK = ("waiting", "selling", "paused", "stopping")

State = Literal["waiting", "selling", "paused", "stopping", "over", "stopped", "failed"]


@dataclass(frozen=True)
class LiveRun:
    """The newest live run of a store.

    Attributes
    ----------
    state
        `waiting` for a worker, `selling`, `paused`, `stopping`, or at its end `over` (all days are sold), `stopped`
        (cancelled) or `failed`.
    message
        What Prefect says about the state; empty when nothing.
    tick_seconds
        Time from one tick to the next; None when it is the flow's default.
    link
        The run's page in Prefect.
    """

    store: str
    run_id: str
    name: str
    state: State
    message: str
    tick_seconds: float | None
    link: str

    @property
    def is_at_work(self) -> bool:
        """Whether the run goes on, or will."""
        return self.state in _AT_WORK


@dataclass(frozen=True)
class LiveControl:
    """The controls of live stores; `api` is the address of Prefect's API, `login` finds its credential.

    Each call raises `ServiceError` when Prefect does not answer, with the command that starts it, and `Declined`
    when what is asked for cannot be done in the state the store is in.
    """

    api: str
    login: Login = lambda: None

    def status(self, store: str) -> LiveRun | None:
        """Return the newest live run of a store, or None when there was none yet."""
        with self._client() as client:
            return self._newest(client, store)

    def why_none_starts(self) -> str | None:
        """Say why no store could start to sell live, as while a worker is still being started; None where one can."""
        try:
            with self._client() as client:
                _served(client)
        except ServiceError as error:
            return str(error)
        return None

    def start(self, store: str, *, tick_seconds: float = 1.0, again: bool = False) -> LiveRun:
        """Ask the worker to let a store sell.

        A day that was left open goes on where it stopped; with `again`, what was sold of it is forgotten.
        """
        parameters: dict[str, Any] = {"store": store, "tick_seconds": tick_seconds, "again": again}

        def start(client: SyncPrefectClient) -> LiveRun:
            current = self._newest(client, store)
            if current is not None and current.is_at_work:
                raise Declined(f"{store} is {current.state} already, as {current.name}")
            tags, name = [_LIVE_FLOW, store], f"{_LIVE_FLOW}-{store}"
            run = client.create_flow_run_from_deployment(
                _served(client).id, parameters=parameters, tags=tags, name=name
            )
            return self._told(store, run)

        return self._act(start)

    def pause(self, store: str) -> LiveRun:
        """Hold the selling after the tick in hand."""
        return self._move(store, ("selling",), Paused(timeout_seconds=_A_MONTH))

    def resume(self, store: str) -> LiveRun:
        """Go on after a pause."""
        return self._move(store, ("paused",), Running())

    def cancel(self, store: str) -> LiveRun:
        """Stop the selling after the tick in hand; what was published stands, and a new start goes on from there."""

        def cancel(client: SyncPrefectClient) -> LiveRun:
            current = self._expected(client, store, _AT_WORK)
            state: RunState = Cancelled() if current.state == "waiting" else Cancelling()
            return self._set(client, current, state)

        return self._act(cancel)

    def set_speed(self, store: str, tick_seconds: float) -> LiveRun:
        """Change the time from one tick to the next, 0.2 to 10 s; it counts within a second or two."""

        def change(client: SyncPrefectClient) -> LiveRun:
            run = client.read_flow_run(UUID(self._expected(client, store, _AT_WORK).run_id))
            client.update_flow_run(run.id, parameters={**run.parameters, "tick_seconds": tick_seconds})
            return self._told(store, client.read_flow_run(run.id))

        return self._act(change)

    def _move(self, store: str, states: tuple[str, ...], to: RunState) -> LiveRun:
        return self._act(lambda client: self._set(client, self._expected(client, store, states), to))

    def _act(self, act: Callable[[SyncPrefectClient], LiveRun]) -> LiveRun:
        for pause in (*_PAUSES, None):
            try:
                with self._client(_ACT_WITHIN) as client:
                    return act(client)
            except ServiceError as error:
                if not _is_busy(error):
                    raise
                if pause is None:
                    raise ServiceError(
                        f"Prefect at {self.api} is busy: its database was locked at each of {len(_PAUSES) + 1} tries; "
                        "nothing was changed: try again in a minute, and with many stores run Prefect on PostgreSQL"
                    ) from error
                time.sleep(pause)
        raise AssertionError

    def _set(self, client: SyncPrefectClient, current: LiveRun, to: RunState) -> LiveRun:
        client.set_flow_run_state(current.run_id, to, force=True)
        return self._told(current.store, client.read_flow_run(UUID(current.run_id)))

    def _expected(self, client: SyncPrefectClient, store: str, states: tuple[str, ...]) -> LiveRun:
        current = self._newest(client, store)
        if current is None or current.state not in states:
            state_text = "it was never started" if current is None else f"it is {current.state}"
            raise Declined(f"expected {store} to be {' or '.join(states)}, but {state_text}; nothing was changed")
        return current

    def _newest(self, client: SyncPrefectClient, store: str) -> LiveRun | None:
        runs = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[_LIVE_FLOW])),
            flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[store])),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=1,
        )
        return self._told(store, runs[0]) if runs else None

    def _told(self, store: str, run: FlowRun) -> LiveRun:
        seconds = run.parameters.get("tick_seconds")
        return LiveRun(
            store=store,
            run_id=str(run.id),
            name=run.name,
            state=word_for(run.state),
            message=(run.state.message or "") if run.state else "",
            tick_seconds=None if seconds is None else float(seconds),
            link=f"{self.api.removesuffix('/api')}/runs/flow-run/{run.id}",
        )

    @contextmanager
    def _client(self, within: float = _ANSWER_WITHIN) -> Iterator[SyncPrefectClient]:
        try:
            with client_within(within, self.api, self.login) as client:
                yield client
        except (HTTPError, PrefectHTTPStatusError, OSError, RuntimeError) as error:
            raise ServiceError(
                f"Prefect at {self.api} does not answer ({type(error).__name__}); "
                "run `shelfprice up`, or try again if it is up"
            ) from error


def _is_busy(error: ServiceError) -> bool:
    return isinstance(error.__cause__, PrefectHTTPStatusError) and error.__cause__.response.status_code == _BUSY


def _served(client: SyncPrefectClient) -> DeploymentResponse:
    """Return the deployment of the live store; without a worker its runs would wait for ever."""
    try:
        deployment = client.read_deployment_by_name(LIVE_DEPLOYMENT)
    except ObjectNotFound:
        deployment = None
    if deployment is None or deployment.status != DeploymentStatus.READY:
        raise ServiceError(
            f"no worker serves {LIVE_DEPLOYMENT} yet, so none sells live; run `shelfprice up`, or wait until it is up"
        )
    return deployment


def word_for(state: RunState | None) -> State:
    """Say in a store's words what state a run is in."""
    if state is None or state.is_scheduled() or state.is_pending():
        return "waiting"
    if state.is_final():
        return "over" if state.is_completed() else "stopped" if state.is_cancelled() else "failed"
    if state.is_cancelling():
        return "stopping"
    return "paused" if state.is_paused() else "selling"


def live_control(settings: Settings) -> LiveControl:
    """Return the controls that ask the Prefect server of some settings."""
    return LiveControl(settings.prefect_api, partial(login_of_running_server, settings))
