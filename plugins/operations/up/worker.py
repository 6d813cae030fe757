"""`python -m plugins.operations.up.worker`: deploy prefect.yaml and execute its runs until asked to stop."""

import datetime as dt
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import anyio
import yaml

from catalog.errors import ServiceError
from catalog.settings import Settings
from flows.environment import prepare
from warehouse.commits.locks import WORKER, held

PREFECT_FILE = Path(__file__).parents[3] / "prefect.yaml"
"""The one place that defines what is scheduled."""

BEHIND = 5
"""By how much runs are nicer than the servers: who waits for a quote or a page comes first where a night is done."""

_LOG = logging.getLogger(__name__)
_POLL_INTERVAL = 30.0  # seconds
_CONCURRENT_RUNS = 24  # sixteen live stores, and one run of each other deployment


def main() -> None:
    """Deploy, and execute runs while a thread marks zombie runs."""
    settings = prepare()
    from prefect.workers.process import ProcessWorker

    from plugins.operations.up.zombie_runs import worker_name

    _create_pool(work_pool())
    _deploy()
    Thread(target=_mark_zombies, args=(settings,), daemon=True).start()
    worker = ProcessWorker(work_pool_name=work_pool(), name=worker_name(settings), limit=_CONCURRENT_RUNS)
    os.nice(BEHIND)  # its runs inherit it
    with held(settings.locks, WORKER):
        anyio.run(worker.start)


def work_pool() -> str:
    """Return the name of the work pool of all deployments.

    Raises
    ------
    ServiceError
        When the file is missing, or its deployments name more than one pool.
    """
    pools = {deployment["work_pool"]["name"] for deployment in deployments()}
    if len(pools) != 1:
        raise ServiceError(
            f"{PREFECT_FILE}: expected one work pool for all deployments, found {sorted(pools)}; nothing was deployed"
        )
    return str(pools.pop())


def deployments() -> list[dict[str, Any]]:
    """Return the deployments as the file defines them.

    Raises
    ------
    ServiceError
        When the file is missing; it is in the root folder of a checkout.
    """
    try:
        text = PREFECT_FILE.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ServiceError(
            f"expected {PREFECT_FILE} with the deployments, found none; nothing was deployed: install the project "
            "from its checkout with `make install`"
        ) from error
    return list(yaml.safe_load(text)["deployments"])


def _create_pool(name: str) -> None:
    """Create the work pool unless it exists, as `prefect work-pool create` does."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    template = ProcessWorker.get_default_base_job_template()
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template))


def _deploy() -> None:
    """Deploy with Prefect's own command, so that deploying by hand gives the same."""
    command = (sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(PREFECT_FILE))
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the command is our own
    if done.returncode:
        raise ServiceError(f"{PREFECT_FILE}: cannot be deployed: {' '.join((done.stdout + done.stderr).split())}")


def _mark_zombies(settings: Settings) -> None:
    from plugins.operations.up.zombie_runs import ZombieRuns

    zombies = ZombieRuns(settings)
    while True:
        try:
            for name in zombies.poll(dt.datetime.now(dt.UTC)):
                _LOG.warning("%s has no process any more and was marked as crashed", name)
        except Exception as error:  # noqa: BLE001 - whatever failed, the next poll tries again
            _LOG.warning("could not look for zombie runs (%s); trying again", error)
        sleep(_POLL_INTERVAL)


if __name__ == "__main__":
    main()
