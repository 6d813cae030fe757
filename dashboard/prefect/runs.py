"""The last flow runs, as Prefect tells them. Reads only, and never waits longer than two seconds."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterParentTaskRunId,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import PrefectException

from catalog.errors import ServiceError, first_line
from catalog.settings import Settings
from dashboard.cache import Cache
from dashboard.prefect.client import Login, client_within
from warehouse.files import login_of_running_server

Kind = Literal["done", "failed", "running", "waiting"]

_PATIENCE = 2.0  # seconds
_TO_COME = "Scheduled"  # of a schedule, weeks ahead; a run that is late or waits for its turn has another name
_MOST_BROKEN, _LONGEST = 50, 300  # failed runs that are looked at, and characters of a reason
_FRESH = 4.0  # seconds for which an answer is shared by all browsers
_KINDS: dict[str, Kind] = {
    "COMPLETED": "done",
    "FAILED": "failed",
    "CRASHED": "failed",
    "CANCELLED": "failed",
    "CANCELLING": "failed",
    "RUNNING": "running",
}


@dataclass(frozen=True)
class Run:
    """One flow run.

    Attributes
    ----------
    seconds
        How long it ran or has been running.
    link
        Opens it in Prefect's pages.
    reason
        Last line of the error of a failed or crashed run; empty for any other run, and once its flow completed again.
    """

    name: str
    flow: str
    state: str
    kind: Kind
    started_at: dt.datetime | None
    seconds: float
    link: str
    reason: str = ""


class Runs:
    """Asks Prefect for the newest runs; browsers that ask at the same time share one answer.

    Parameters
    ----------
    api
        Address of Prefect's API.
    read
        Reads the newest runs at an address, as many as asked for.
    patience_s
        How long to wait for an answer, seconds.
    """

    def __init__(
        self, api: str, read: Callable[[str, int], tuple[Run, ...]] | None = None, patience_s: float = _PATIENCE
    ) -> None:
        self._api = api
        self._read = read or newest_runs
        self._patience_s = patience_s
        self._asker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="runs")
        self._answers = Cache[tuple[Run, ...] | ServiceError](most=1, lasts=lambda _: _FRESH)

    def last(self, n: int = 12) -> tuple[Run, ...]:
        """Return the newest `n` flow runs that no other run started, the newest first, then older unmended failures.

        Raises
        ------
        ServiceError
            When Prefect does not answer.
        """
        answer = self._answers.get(n, lambda: self._ask(n))
        if isinstance(answer, ServiceError):
            raise answer
        return answer

    def _ask(self, n: int) -> tuple[Run, ...] | ServiceError:
        answer: Future[tuple[Run, ...]] = self._asker.submit(self._read, self._api, n)
        try:
            return answer.result(timeout=self._patience_s)
        except TimeoutError:
            answer.cancel()
            reason = f"no answer within {self._patience_s:.0f} s"
        except (httpx.HTTPError, PrefectException, OSError, RuntimeError) as error:
            reason = first_line(error)
        return ServiceError(f"Prefect at {self._api} does not answer ({reason})")


def newest_runs(api: str, n: int, login: Login = lambda: None) -> tuple[Run, ...]:
    """Ask Prefect for the newest runs that no other run started, the newest first, and for older unmended failures."""
    with client_within(_PATIENCE, api, login) as client:
        newest = _newest(client, n, FlowRunFilterState(name=FlowRunFilterStateName(not_any_=[_TO_COME])))
        unmended = {run.id: run for run in _unmended(client)}
        runs = list(({run.id: run for run in newest} | unmended).values())
        wanted = FlowFilter(id=FlowFilterId(any_=[run.flow_id for run in runs]))
        names = {flow.id: flow.name for flow in client.read_flows(flow_filter=wanted)} if runs else {}
    pages = api.removesuffix("/").removesuffix("/api")
    return tuple(_run(run, names.get(run.flow_id, "flow"), pages, is_unmended=run.id in unmended) for run in runs)


def _unmended(client: SyncPrefectClient) -> Iterator[FlowRun]:
    """Yield the newest failed or crashed run of each flow that has not completed since."""
    broken = _newest(client, _MOST_BROKEN, _in_states(StateType.FAILED, StateType.CRASHED))
    for run in {run.flow_id: run for run in reversed(broken)}.values():
        done = _newest(client, 1, _in_states(StateType.COMPLETED), run.flow_id)
        if not done or _due(done[0]) < _due(run):
            yield run


def _due(run: FlowRun) -> dt.datetime:
    return run.expected_start_time or dt.datetime.min.replace(tzinfo=dt.UTC)


def _in_states(*types: StateType) -> FlowRunFilterState:
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types)))


def _newest(client: SyncPrefectClient, n: int, state: FlowRunFilterState, flow: UUID | None = None) -> list[FlowRun]:
    """Return the newest runs in some states that no other run started, of one flow if given."""
    return client.read_flow_runs(
        flow_filter=None if flow is None else FlowFilter(id=FlowFilterId(any_=[flow])),
        flow_run_filter=FlowRunFilter(parent_task_run_id=FlowRunFilterParentTaskRunId(is_null_=True), state=state),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=n,
    )


def _run(run: FlowRun, flow: str, pages: str, *, is_unmended: bool) -> Run:
    state = run.state
    message = (state.message if state and state.message else "it says nothing").strip()
    return Run(
        name=run.name,
        flow=flow,
        state=(state.name if state and state.name else "Pending"),
        kind=_KINDS.get(state.type.value, "waiting") if state else "waiting",
        started_at=run.start_time,
        seconds=run.estimated_run_time.total_seconds(),
        link=f"{pages}/runs/flow-run/{run.id}",
        reason=message.splitlines()[-1][:_LONGEST] if is_unmended else "",
    )


def runs_of(settings: Settings) -> Runs:
    """Return the runs that the Prefect server of some settings tells."""
    return Runs(settings.prefect_api, partial(newest_runs, login=partial(login_of_running_server, settings)))
