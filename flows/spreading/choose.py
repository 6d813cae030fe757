"""Choose where independent work is done: by the settings, and by how much of it there is."""

from collections.abc import Iterator
from contextlib import contextmanager

from catalog.settings import Settings
from catalog.spread import HERE, InThisProcess, Spread, cores
from catalog.wings import needed
from flows.progress import say
from flows.spreading.processes import in_processes

_WORTH_PROCESSES = 20.0  # seconds of work on one core; to start processes takes some of them


@contextmanager
def spreading(settings: Settings, *, seconds: float, threads: int = 1, sees_home: bool = False) -> Iterator[Spread]:
    """Open the place where independent jobs are done while the block runs.

    Parameters
    ----------
    seconds
        How long all of it would take on one core, roughly: little is done in this process.
    threads
        In how many threads it is done then; with one, to try again what failed is up to the task around it.
    sees_home
        Whether those who work must see the files of this home, beside its lake.

    Raises
    ------
    SettingError, ServiceError
        When the settings name a cluster that cannot be used; nothing was done.
    """
    if settings.dask is not None:
        with needed("spread", "SHELFPRICE_DASK").on_cluster(settings, say, sees_home=sees_home) as spread:
            yield spread
    elif cores() > 1 and seconds > _WORTH_PROCESSES:
        with in_processes(cores(), say) as spread:
            yield spread
    else:
        yield HERE if threads == 1 else InThisProcess(threads)
