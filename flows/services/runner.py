"""`python -m flows.services.runner`: plays the runs of the live store that the monitor or a person asks for.

A run whose process was killed would stay as it was in the orchestrator for ever. The store's lock, which the kernel
frees with the process, tells the truth, and runs without it are marked as crashed.
"""

import argparse
import datetime as dt
import logging
from threading import Thread
from time import sleep

from catalog.names import LIVE_DEPLOYMENT
from catalog.settings import Settings
from flows.environment import prepare
from warehouse.locks import is_held

_LOG = logging.getLogger(__name__)
_FLOW, _, _NAME = LIVE_DEPLOYMENT.partition("/")
_LOOK_EVERY = 30.0  # seconds
_TIME_TO_START = dt.timedelta(minutes=1)
_STORES_AT_ONCE = 16


def main() -> None:
    """Mark what an earlier runner left behind, and serve the deployment until asked to stop."""
    parser = argparse.ArgumentParser(prog="python -m flows.services.runner", description=__doc__)
    parser.add_argument("--catalog", metavar="DIR", help="folder with products.yaml and store.yaml")
    given = parser.parse_args()
    settings = prepare()
    from prefect import serve  # noqa: PLC0415 - after the environment is set
    from prefect.deployments.runner import RunnerDeployment  # noqa: PLC0415
    from prefect.types.entrypoint import EntrypointType  # noqa: PLC0415

    from flows.live import live  # noqa: PLC0415

    Thread(target=_keep_marking, args=(settings,), daemon=True).start()
    deployment = RunnerDeployment.from_flow(
        live,
        _NAME,
        parameters={"store": "S01", "catalog_dir": given.catalog},
        description="A store that sells tick by tick. One run for each store; it can be paused, resumed and cancelled.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    serve(deployment, limit=_STORES_AT_ONCE, pause_on_shutdown=False, print_starting_message=False)


def mark_runs_left_behind(settings: Settings, now: dt.datetime, *, is_first_look: bool) -> list[str]:
    """Mark live runs as crashed whose store nobody sells; return their names.

    A run has a minute to take its store's lock. On the first look no run of a deployment can have a process, because
    those end with the runner that started them.
    """
    from prefect.client.orchestration import get_client  # noqa: PLC0415 - after the environment is set
    from prefect.client.schemas import filters  # noqa: PLC0415
    from prefect.client.schemas.objects import State, StateType  # noqa: PLC0415
    from prefect.states import Crashed  # noqa: PLC0415

    at_work = [StateType.RUNNING, StateType.PAUSED, StateType.CANCELLING, StateType.PENDING]
    marked = []
    with get_client(sync_client=True) as client:
        for run in client.read_flow_runs(
            flow_filter=filters.FlowFilter(name=filters.FlowFilterName(any_=[_FLOW])),
            flow_run_filter=filters.FlowRunFilter(
                state=filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=at_work))
            ),
        ):
            lock = f"live-{run.parameters.get('store')}"
            may_be_starting = run.state is None or now - run.state.timestamp < _TIME_TO_START
            if is_first_look and run.deployment_id is not None:
                may_be_starting = False
            if not may_be_starting and not is_held(settings.locks, lock):
                gone: State[None] = Crashed(message="its process is gone; start it again to go on")
                client.set_flow_run_state(run.id, gone, force=True)
                marked.append(run.name)
    return marked


def _keep_marking(settings: Settings) -> None:
    is_first_look = True
    while True:
        try:
            for name in mark_runs_left_behind(settings, dt.datetime.now(dt.UTC), is_first_look=is_first_look):
                _LOG.warning("%s had no process any more, and is marked as crashed", name)
            is_first_look = False
        except Exception as error:  # noqa: BLE001 - whatever kept it from looking, it looks again
            _LOG.warning("could not look for runs that were left behind (%s); trying again", error)
        sleep(_LOOK_EVERY)


if __name__ == "__main__":
    main()
