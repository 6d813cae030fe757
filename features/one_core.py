"""Boosted trees are fitted and asked on one core: they are small, and threads that wait for a busy one cost minutes."""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def on_one_core() -> AbstractContextManager[object]:
    """Keep OpenMP to one thread within a block."""
    limits: AbstractContextManager[object] = _controller().limit(limits=1, user_api="openmp")
    return limits


@cache
def _controller() -> ThreadpoolController:
    import sklearn.ensemble  # noqa: F401, PLC0415 - what is not loaded yet is not found

    return ThreadpoolController()
