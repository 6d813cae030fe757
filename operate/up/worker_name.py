"""What this machine's worker is called in Prefect, which labels each run with the name of the worker that took it.

A container has another host name whenever it is made anew. There the worker is named by a setting, or it would take the
runs that ended with the container before for those of another machine, and their slots would be held for ever.
"""

import socket
from hashlib import blake2b

from prefect.client.schemas.objects import FlowRun

from catalog.settings import Settings

WORKER_LABEL = "prefect.worker.name"
"""The label by which Prefect itself says whose a run is; a run gets it before its process starts."""

_NAME = "shelfprice"


def worker_name(settings: Settings) -> str:
    """Return the worker's name: with a database it is its own, of machine and home, for there are others beside it."""
    if settings.database is None:
        return _NAME
    if settings.worker is not None:
        return f"{_NAME}-{settings.worker}"
    home = blake2b(str(settings.home).encode(), digest_size=4).hexdigest()
    return f"{_NAME}-{socket.gethostname()}-{home}"


def is_of_another_worker(settings: Settings, run: FlowRun) -> bool:
    """Tell whether another machine's worker took a run; its locks are there, so they tell nothing here."""
    return settings.database is not None and run.labels.get(WORKER_LABEL, worker_name(settings)) != worker_name(
        settings
    )


def was_taken_by(settings: Settings, run: FlowRun) -> bool:
    """Tell whether it is certain that this worker took a run that some worker took."""
    return settings.database is None or run.labels.get(WORKER_LABEL) == worker_name(settings)
