"""`python -m plugins.operations.up.run_process`: the process of one flow run, as a worker starts it (see prefect.yaml).

It holds a lock named after the run as long as it lives. The kernel frees the lock when the process ends, however it
ended, so the lock tells whether a run that Prefect believes to be running still is.
`plugins.operations.up.zombie_runs` says why this is used instead of Prefect's heartbeats, which are switched off
here.
"""

import os
import runpy
import sys

from flows.environment import prepare
from warehouse.commits.locks import held


def lock_of(run_id: object) -> str:
    """Return the name of the lock that the process of a flow run holds."""
    return f"run-{run_id}"


def main() -> None:
    """Execute the flow run that the worker names in the environment."""
    settings = prepare()
    from prefect.exceptions import CancelledRun  # noqa: PLC0415 - after the environment is set
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings  # noqa: PLC0415

    name = lock_of(os.environ["PREFECT__FLOW_RUN_ID"])
    with held(settings.locks, name), temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        try:
            runpy.run_module("prefect.engine", run_name="__main__")
        except CancelledRun as stopped:  # a person asked for it, and the run's state says so
            sys.stderr.write(f"{stopped}\n")
        finally:
            (settings.locks.folder / f"{name}.lock").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
