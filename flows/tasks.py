"""Steps as tasks of Prefect, and which of them are tried again."""

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE

from catalog.spread import Job, Spread, may_pass
from flows.progress import tell

_P = ParamSpec("_P")
_R = TypeVar("_R")
_J = TypeVar("_J", bound=Job)

COMPUTES: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
"""Options of a task that computes: what it returns is not kept, for what counts is in the lake or the registry."""


def is_worth_a_retry(_task: Any, _run: Any, state: Any) -> bool:
    """Tell whether a failed task met the disk or a network, which may be better next time; mistakes are not retried."""
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

    It is tried again where it met the disk or a network.
    """
    return task(step, **TOUCHES_THE_DISK)(*args, **kwargs)


def spread_as_task(spread: Spread, step: Callable[[_J], _R], jobs: Sequence[_J], stage: str) -> list[_R]:
    """Do every job of a stage where there is room, as one task named as the stage, and tell how many are done."""
    if not jobs:
        return []
    driver = task(name=stage, **COMPUTES)(lambda: spread(step, jobs, lambda done, total: tell(stage, done, total)))
    found: list[_R] = driver()
    return found
