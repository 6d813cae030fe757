"""Flow runs and tasks as Prefect sees them: how a run is named and tagged, and which tasks are tried again."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from catalog.errors import LakeError
from flows.artifacts import show

_P = ParamSpec("_P")
_R = TypeVar("_R")

COMPUTES: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
"""Options of a task that computes: what it returns is not kept, for what counts is in the lake or the registry."""


def tag_run(*tags: str, name: str | None = None) -> None:
    """Tag the flow run we are in, and name it where a name is given.

    Tags that tasks inherit would each cost them a second at the concurrency limiter.
    """
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.get_id()), tags=list(tags), name=name or flow_run.get_name())


def name_run(name: str, **parameters: Any) -> None:
    """Name the flow run we are in, and keep parameters that it chose itself: run again, it chooses the same."""
    run_id = UUID(flow_run.get_id())
    with get_client(sync_client=True) as client:
        client.update_flow_run(run_id, name=name, parameters={**flow_run.get_parameters(), **parameters})


def is_worth_a_retry(_task: Any, _run: Any, state: Any) -> bool:
    """Tell whether a failed task met the disk or a network, which may be better next time; mistakes are not retried."""
    try:
        state.result()
    except (LakeError, OSError):
        return True
    except Exception:  # noqa: BLE001 - any other failure would fail again
        return False
    return False


TOUCHES_THE_DISK: dict[str, Any] = {
    **COMPUTES,
    "retries": 2,
    "retry_delay_seconds": 1,
    "retry_condition_fn": is_worth_a_retry,
}
"""Options of a task that reads or publishes partitions."""


def as_task(step: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Run a step as a task of the flow run we are in, named as its function, and show what it found beside the run.

    It is tried again where it met the disk or a network.
    """
    result = task(step, **TOUCHES_THE_DISK)(*args, **kwargs)
    show(result)
    return result
