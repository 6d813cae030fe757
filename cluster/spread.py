"""Work spread over a Dask cluster; what that needs beyond the embedded install is loaded when it is asked for."""

from contextlib import AbstractContextManager

from catalog.settings import Settings
from catalog.spread import Spread
from cluster.dask_away import refuse_absent_cluster
from flows.spreading import Say

__all__ = ["on_cluster", "refuse_absent_cluster"]


def on_cluster(settings: Settings, say: Say) -> AbstractContextManager[Spread]:
    """Let jobs be done by the workers of a cluster; see `cluster.on_dask.on_dask`."""
    from cluster.on_dask import on_dask  # noqa: PLC0415 - the embedded install has no Dask

    return on_dask(settings, say)
