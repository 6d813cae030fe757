"""The last flow runs, as Prefect tells them. Reads only, and never waits longer than two seconds."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal

import httpx
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

from catalog.errors import ServiceError, first_line
from catalog.settings import Settings
from dashboard.cache import Cache
from dashboard.prefect.client import Login, client_within
from warehouse.files import login_of_running_server

Kind = Literal["done", "failed", "running", "waiting"]

_PATIENCE = 2.0  # seconds
_TO_COME = "Scheduled"  # of a schedule, weeks ahead; a run that is late or waits for its turn has another name
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

    def last(self, n: int) -> tuple[Run, ...]:
        """Return the newest `n` flow runs that no other run started, the newest first.

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
        asked: Future[tuple[Run, ...]] = self._asker.submit(self._read, self._api, n)
        try:
            return asked.result(timeout=self._patience_s)
        except TimeoutError:
            asked.cancel()
            reason = f"no answer within {self._patience_s:.0f} s"
        except (httpx.HTTPError, PrefectException, OSError, RuntimeError) as error:
            reason = first_line(error)
        return ServiceError(f"Prefect at {self._api} does not answer ({reason})")


def newest_runs(api: str, n: int, login: Login = lambda: None) -> tuple[Run, ...]:
    """Ask Prefect for the newest runs that no other run started, the newest first."""
    with client_within(_PATIENCE, api, login) as client:
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


def runs_of(settings: Settings) -> Runs:
    """Return the runs that the Prefect server of some settings tells."""
    return Runs(settings.prefect_api, partial(newest_runs, login=partial(login_of_running_server, settings)))
