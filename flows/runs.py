"""The flow run we are in: its name and tags, its steps as tasks and which are tried again, and what it warns of.

A command without a Prefect server calls the function of a flow: the same steps run plainly then, and nothing is named.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from uuid import UUID

from prefect import Flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas import FlowRun, State
from prefect.runtime import flow_run as this_run

from catalog.settings import read_settings
from catalog.spread import Job, Spread, attempt, may_pass
from flows.environment import has_server
from flows.progress import say, tell
from warehouse.checks.whole import books_passed_over
from warehouse.commits.notes import strike_out
from warehouse.lake import Lake
from warehouse.stores.folder import open_store
from warehouse.workspace import Workspace

if TYPE_CHECKING:
    from training.mlflow.registry import MlflowRegistry

_P = ParamSpec("_P")
_R = TypeVar("_R")
_J = TypeVar("_J", bound=Job)

COMPUTES: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
"""Options of a task that computes: what it returns is not kept, for what counts is in the lake or the registry."""


def is_worth_a_retry(_task: Any, _run: Any, state: Any) -> bool:
    """Return whether a failed task met the disk or a network: it may pass next time, and mistakes are not retried."""
    try:
        state.result()
    except Exception as error:  # noqa: BLE001 - any other failure would fail again
        return may_pass(error)
    return False


TOUCHES_THE_DISK: dict[str, Any] = {
    **COMPUTES,
    "retries": 2,
    "retry_delay_seconds": 1,
    "retry_condition_fn": is_worth_a_retry,
}
"""Options of a task that reads or publishes partitions."""


def as_task(step: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Run a step as a task of the flow run we are in, named as its function.

    It is tried again where it met the disk or a network. Outside of a run it is called plainly, and tried as often.
    """
    if is_in_a_run():
        return task(step, **TOUCHES_THE_DISK)(*args, **kwargs)
    return attempt(lambda: step(*args, **kwargs))


def is_in_a_run() -> bool:
    """Return whether a flow run is under way that a Prefect server knows."""
    return this_run.get_id() is not None


def as_command(run: Flow[_P, Any]) -> Callable[_P, Any]:
    """Return what a command calls in place of a flow: the flow where a server lists its runs, else its function.

    It returns what the flow returns; the state of a run that was asked to stop before its end.
    """

    @wraps(run.fn)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> Any:
        if has_server():
            state: Any = run(*args, **kwargs, return_state=True)
            return state if state.is_cancelled() else state.result()
        result = run.fn(*args, **kwargs)
        _strike_out(run.name, signature(run.fn).bind(*args, **kwargs).arguments.get("store"))
        return result

    return call


def spread_as_task(spread: Spread, step: Callable[[_J], _R], jobs: Sequence[_J], stage: str) -> list[_R]:
    """Do every job of a stage where there is room, as one task named as the stage, and tell how many are done."""
    if not jobs:
        return []

    def drive() -> list[_R]:
        return spread(step, jobs, lambda done, total: tell(stage, done, total))

    return task(name=stage, **COMPUTES)(drive)() if is_in_a_run() else drive()


def registry_of(workspace: Workspace) -> "MlflowRegistry":
    """Return the model registry that the settings name."""
    from training.mlflow.registry import MlflowRegistry  # noqa: PLC0415 - a flow without one is spared MLflow

    return MlflowRegistry(workspace.settings)


def warn_of_damaged_books(lake: Lake, dates: Sequence[dt.date]) -> None:
    """Say which damaged books were passed over on some dates, each once, also in the log of the run."""
    published = {date for date in lake.dates("booked_prices") if dates and dates[0] < date <= dates[-1]}
    reported = set[dt.date]()
    for date in sorted({*dates[:1], *published}):
        damaged = books_passed_over(lake, date)
        if damaged is not None and not reported.issuperset(damaged.dates):
            reported.update(damaged.dates)
            sentence = f"{damaged.sentence}: run {damaged.remedy}"
            say(sentence)
            log().warning(sentence)


def tag_run(*tags: str, name: str | None = None) -> None:
    """Tag the flow run we are in, and name it where a name is given.

    Tags that tasks inherit would each cost them a second at the concurrency limiter.
    """
    if is_in_a_run():
        with get_client(sync_client=True) as client:
            client.update_flow_run(UUID(this_run.get_id()), tags=list(tags), name=name or this_run.get_name())


def name_run(name: str, **parameters: Any) -> None:
    """Name the flow run we are in, and keep parameters that it chose itself: run again, it chooses the same."""
    if is_in_a_run():
        with get_client(sync_client=True) as client:
            all_parameters = {**this_run.get_parameters(), **parameters}
            client.update_flow_run(UUID(this_run.get_id()), name=name, parameters=all_parameters)


def ended(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect passes all three
    """Strike out what a run was asked for, once its end is on record: from here on the same command means the next."""
    _strike_out(flow.name, flow_run.parameters.get("store"))


def _strike_out(flow: str, store: str | None) -> None:
    strike_out(open_store(read_settings()).notes, f"{flow}-{store}" if store else flow)


def log() -> "logging.Logger | logging.LoggerAdapter[logging.Logger]":
    """Return the log of the run; outside of one, that of this module."""
    return get_run_logger() if is_in_a_run() else logging.getLogger(__name__)
