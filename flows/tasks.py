"""Steps as tasks of Prefect, and which of them are tried again."""

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, as_completed

from catalog.errors import DamagedError, LakeError
from flows.progress import tell

_P = ParamSpec("_P")
_R = TypeVar("_R")

COMPUTES: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
"""Options of a task that computes: what it returns is not kept, for what counts is in the lake or the registry."""


def is_worth_a_retry(_task: Any, _run: Any, state: Any) -> bool:
    """Tell whether a failed task met the disk or a network, which may be better next time; mistakes are not retried."""
    try:
        state.result()
    except DamagedError:
        return False  # what was damaged is set aside: a second attempt would go on without it and say nothing
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
    """Run a step as a task of the flow run we are in, named as its function.

    It is tried again where it met the disk or a network.
    """
    return task(step, **TOUCHES_THE_DISK)(*args, **kwargs)


def results_of(futures: Sequence[PrefectFuture[_R]], stage: str) -> list[_R]:
    """Wait for the tasks of a stage, tell how many are done, and return what they found in the order given."""
    for done, future in enumerate(as_completed(list(futures)), start=1):
        future.result()
        tell(stage, done, len(futures))
    return [future.result() for future in futures]
