"""`python -m flows.up.worker`: deploys what stands in prefect.yaml and works off its runs until asked to stop."""

import datetime as dt
import logging
import subprocess
import sys
from contextlib import suppress
from threading import Thread
from time import sleep

import anyio

from catalog.errors import ServiceError
from catalog.settings import Settings
from flows.environment import WORKER, prepare
from flows.up.deployments import PREFECT_FILE, work_pool
from warehouse.locks import held

_LOG = logging.getLogger(__name__)
_LOOK_EVERY = 30.0  # seconds
_RUNS_AT_ONCE = 24  # sixteen stores that sell live, and one run of everything else


def main() -> None:
    """Mark what an earlier worker left behind, deploy, and work."""
    settings = prepare()
    from prefect.workers.process import ProcessWorker  # noqa: PLC0415 - after the environment is set

    _make_pool(work_pool())
    _deploy()
    Thread(target=_keep_marking, args=(settings,), daemon=True).start()
    with held(settings.locks, WORKER):
        anyio.run(ProcessWorker(work_pool_name=work_pool(), name="shelfprice", limit=_RUNS_AT_ONCE).start)


def _make_pool(name: str) -> None:
    """Make the work pool unless it is there, as `prefect work-pool create` does."""
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - after the environment is set
    from prefect.client.schemas.actions import WorkPoolCreate  # noqa: PLC0415
    from prefect.exceptions import ObjectAlreadyExists  # noqa: PLC0415
    from prefect.workers.process import ProcessWorker  # noqa: PLC0415

    template = ProcessWorker.get_default_base_job_template()
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template))


def _deploy() -> None:
    """Deploy everything with the orchestrator's own command, so that doing it by hand gives the same."""
    command = (sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(PREFECT_FILE))
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the command is our own
    if done.returncode:
        raise ServiceError(f"{PREFECT_FILE}: cannot be deployed: {' '.join((done.stdout + done.stderr).split())}")


def _keep_marking(settings: Settings) -> None:
    from flows.up.zombie_runs import Rounds  # noqa: PLC0415 - after the environment is set

    rounds = Rounds(settings)
    while True:
        try:
            for name in rounds.look(dt.datetime.now(dt.UTC)):
                _LOG.warning("%s had no process any more, and is marked as crashed", name)
        except Exception as error:  # noqa: BLE001 - whatever kept it from looking, it looks again
            _LOG.warning("could not look for runs that were left behind (%s); trying again", error)
        sleep(_LOOK_EVERY)


if __name__ == "__main__":
    main()
