"""The last flow runs, as Prefect tells them. Reads only, and never waits longer than two seconds."""

import datetime as dt
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Literal

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterParentTaskRunId,
    FlowRunFilterState,
    FlowRunFilterStateName,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import PrefectException
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)

from catalog.errors import ServiceError

Kind = Literal["done", "failed", "going", "waiting"]

_PATIENCE = 2.0  # seconds
_TO_COME = "Scheduled"  # of a schedule, weeks ahead; a run that is late or waits for its turn has another name
_FRESH = 4.0  # seconds for which an answer is shared by all browsers
_KINDS: dict[str, Kind] = {
    "COMPLETED": "done",
    "FAILED": "failed",
    "CRASHED": "failed",
    "CANCELLED": "failed",
    "CANCELLING": "failed",
    "RUNNING": "going",
}


@dataclass(frozen=True)
class Run:
    """One flow run: `seconds` is how long it ran or has been running; `link` opens it in Prefect's pages."""

    name: str
    flow: str
    state: str
    kind: Kind
    started_at: dt.datetime | None
    seconds: float
    link: str


class Runs:
    """Asks Prefect for the newest runs; browsers that ask at the same time share one answer.

    `api` is the address of Prefect's API.
    """

    def __init__(self, api: str) -> None:
        self._api = api
        self._lock = Lock()
        self._asker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="runs")
        self._asked = -_FRESH
        self._answer: tuple[Run, ...] | ServiceError = ()

    def last(self, n: int) -> tuple[Run, ...]:
        """Return the newest `n` flow runs that no other run started, the newest first.

        Raises
        ------
        ServiceError
            When Prefect is not there; the message says what to do.
        """
        with self._lock:
            if time.monotonic() - self._asked >= _FRESH:
                self._answer = self._ask(n)
                self._asked = time.monotonic()
            answer = self._answer
        if isinstance(answer, ServiceError):
            raise answer
        return answer

    def _ask(self, n: int) -> tuple[Run, ...] | ServiceError:
        asked: Future[tuple[Run, ...]] = self._asker.submit(_read, self._api, n)
        try:
            return asked.result(timeout=_PATIENCE)
        except TimeoutError:
            asked.cancel()
            reason = f"no answer within {_PATIENCE:.0f} s"
        except (httpx.HTTPError, PrefectException, OSError, RuntimeError) as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
        return ServiceError(f"the orchestrator at {self._api} is away ({reason})")


def _read(api: str, n: int) -> tuple[Run, ...]:
    with (
        temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}),  # a page is asked again soon
        SyncPrefectClient(
            api, auth_string=PREFECT_API_AUTH_STRING.value(), httpx_settings={"timeout": _PATIENCE}
        ) as client,
    ):
        newest = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                parent_task_run_id=FlowRunFilterParentTaskRunId(is_null_=True),
                state=FlowRunFilterState(name=FlowRunFilterStateName(not_any_=[_TO_COME])),
            ),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
            limit=n,
        )
        wanted = FlowFilter(id=FlowFilterId(any_=[run.flow_id for run in newest]))
        names = {flow.id: flow.name for flow in client.read_flows(flow_filter=wanted)} if newest else {}
    pages = api.removesuffix("/").removesuffix("/api")
    return tuple(_run(run, names.get(run.flow_id, "flow"), pages) for run in newest)


def _run(run: FlowRun, flow: str, pages: str) -> Run:
    state = run.state
    return Run(
        name=run.name,
        flow=flow,
        state=(state.name if state and state.name else "Pending"),
        kind=_KINDS.get(state.type.value, "waiting") if state else "waiting",
        started_at=run.start_time,
        seconds=run.estimated_run_time.total_seconds(),
        link=f"{pages}/runs/flow-run/{run.id}",
    )
