"""Zombie runs: their process is gone, but Prefect believes them to be running. They are found and marked as crashed.

A worker reports processes that it saw exit. What ended together with the worker, or could not be reported, is found
here by its free lock, within two polls of half a minute, and then its concurrency slot is free again.

Prefect's own way, heartbeats and an automation that marks runs without one for 90 seconds, was tried with 3.9.1. It
marked a killed run after 81 seconds, and one killed together with the server 62 seconds after the restart. It is not
used, for three reasons. A run that died before its first heartbeat stays pending for ever, and its concurrency slot is
free only after five minutes, when its lease expires. Every synchronous flow run takes a second longer, in which the
heartbeat's thread is joined. And a missing heartbeat proves nothing: a machine that slept would have its runs marked
while they work on. A lock cannot be wrong about that: the kernel holds it exactly as long as the process lives.
"""

import datetime as dt
import socket
from dataclasses import dataclass, field
from hashlib import blake2b
from uuid import UUID

from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas import filters
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import PrefectException
from prefect.states import Crashed

from catalog.errors import ServiceError, first_line
from catalog.names import LIVE_DEPLOYMENT
from catalog.settings import Settings
from plugins.operations.up.run_process import lock_of
from warehouse.commits.locks import is_held

WORKER_LABEL = "prefect.worker.name"
"""The label by which Prefect itself says whose a run is; a run gets it before its process starts."""

_NAME = "shelfprice"
_UNFINISHED = (StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING, StateType.PENDING)
_TIME_TO_START = dt.timedelta(minutes=1)
_LIVE_FLOW = LIVE_DEPLOYMENT.partition("/")[0]


@dataclass
class ZombieRuns:
    """Finds runs without a process at each poll, and marks them as crashed.

    A run is marked when two consecutive polls found its lock free: one that is just ending has released its lock, but
    may not have reported its state yet. The first poll marks at once, because the runs of a worker end with it.

    Runs that another machine's worker took are left to it, for their locks are there. When that machine never comes
    back, a person cancels them, or starts a worker that is given its name by `SHELFPRICE_WORKER`.
    """

    settings: Settings
    _suspects: set[UUID] | None = field(default=None, init=False)

    def poll(self, now: dt.datetime) -> list[str]:
        """Mark the runs whose process is gone and return their names."""
        marked, suspects = [], set[UUID]()
        with get_client(sync_client=True) as client:
            for run in _running(client):
                top = _top_of(client, run)
                if not self._is_gone(top, now):
                    continue
                suspects.add(run.id)
                if self._is_certain(run, top):
                    state: State[None] = Crashed(message="its process is gone; start it again to continue")
                    client.set_flow_run_state(run.id, state, force=True)
                    (self.settings.locks.folder / f"{lock_of(run.id)}.lock").unlink(missing_ok=True)
                    marked.append(run.name)
        self._suspects = suspects
        return marked

    def gone(self, now: dt.datetime) -> list[str]:
        """Return the names of the runs whose process is gone, as far as one look can tell; nothing is marked."""
        with get_client(sync_client=True) as client:
            return [run.name for run in _running(client) if self._is_gone(_top_of(client, run), now)]

    def _is_gone(self, top: FlowRun, now: dt.datetime) -> bool:
        """Return whether a run has no process; unknown for runs that neither a worker nor a live store started."""
        if top.state is None or top.state.is_final():
            return True
        if is_of_another_worker(self.settings, top):
            return False
        is_live = _LIVE_FLOW in top.tags
        if top.deployment_id is None and not is_live:
            return False
        locks = [lock_of(top.id), *([f"{_LIVE_FLOW}-{top.parameters.get('store')}"] if is_live else [])]
        if any(is_held(self.settings.locks, lock) for lock in locks):
            return False
        return self._is_first_poll_of(top) or now - top.state.timestamp >= _TIME_TO_START

    def _is_certain(self, run: FlowRun, top: FlowRun) -> bool:
        return self._is_first_poll_of(top) or (self._suspects is not None and run.id in self._suspects)

    def _is_first_poll_of(self, top: FlowRun) -> bool:
        is_ours = top.deployment_id is not None and was_taken_by(self.settings, top)
        return self._suspects is None and is_ours


def gone_runs(settings: Settings) -> list[str]:
    """Return the names of the runs without a process, without marking them.

    Raises
    ------
    ServiceError
        When Prefect does not answer as it should.
    """
    try:
        return ZombieRuns(settings).gone(dt.datetime.now(dt.UTC))
    except (HTTPError, PrefectException) as error:
        raise ServiceError(f"Prefect does not answer as it should ({first_line(error)})") from error


def _running(client: SyncPrefectClient) -> list[FlowRun]:
    wanted = filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=list(_UNFINISHED)))
    return client.read_flow_runs(flow_run_filter=filters.FlowRunFilter(state=wanted))


def _top_of(client: SyncPrefectClient, run: FlowRun) -> FlowRun:
    """Return the run at the top of a run's parents; it is the one that has a process."""
    while run.parent_task_run_id is not None:
        parent = client.read_task_run(run.parent_task_run_id).flow_run_id
        if parent is None:
            break
        run = client.read_flow_run(parent)
    return run


def worker_name(settings: Settings) -> str:
    """Return what this machine's worker is called in Prefect: with a database, by machine and home.

    A container has another host name whenever it is made anew. There a setting names the worker, or it would take the
    runs that ended with the container before for those of another machine, and their slots would be held for ever.
    """
    if settings.database is None:
        return _NAME
    if settings.worker is not None:
        return f"{_NAME}-{settings.worker}"
    home = blake2b(str(settings.home).encode(), digest_size=4).hexdigest()
    return f"{_NAME}-{socket.gethostname()}-{home}"


def is_of_another_worker(settings: Settings, run: FlowRun) -> bool:
    """Return whether another machine's worker took a run; its locks are there, so they tell nothing here."""
    return settings.database is not None and run.labels.get(WORKER_LABEL, worker_name(settings)) != worker_name(
        settings
    )


def was_taken_by(settings: Settings, run: FlowRun) -> bool:
    """Return whether it is certain that this worker took a run that some worker took."""
    return settings.database is None or run.labels.get(WORKER_LABEL) == worker_name(settings)
