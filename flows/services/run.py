"""`python -m flows.services.run`: the process of one run, as a worker starts it.

It holds a lock named after the run from its first moment to its last. The kernel frees the lock when the process ends,
however that came about, so the lock tells whether a run that the orchestrator believes to be at work still is.
"""

import os
import runpy

from flows.environment import prepare
from warehouse.locks import held


def lock_of_run(run_id: object) -> str:
    """Return the name of the lock that the process of a run holds."""
    return f"run-{run_id}"


def main() -> None:
    """Run the flow run that the worker named in the environment, without heartbeats, which the lock makes needless."""
    settings = prepare()
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings  # noqa: PLC0415

    with (
        held(settings.locks, lock_of_run(os.environ["PREFECT__FLOW_RUN_ID"])),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        runpy.run_module("prefect.engine", run_name="__main__")


if __name__ == "__main__":
    main()
