"""How the store is, on a schedule: a table beside the run, and a run that fails when a check does."""

from prefect import flow

from catalog.errors import Check, DataError
from etl.live.calendar import newest_sold
from flows.artifacts import show_checks
from flows.runs import name_run, registry_of
from flows.workspace import open_workspace
from operate.health.check_up import check_up


@flow(name="health", persist_result=False)
def health(catalog_dir: str | None = None) -> list[Check]:
    """Check freshness, files, registry and drift, and keep what was found as a table.

    Raises
    ------
    DataError
        When a check failed; the message names each with what to do.
    """
    workspace = open_workspace(catalog_dir)
    name_run(f"health-{newest_sold(workspace.lake) or 'empty'}")
    checks = check_up(workspace, registry_of(workspace))
    show_checks(checks)
    if failed := [check for check in checks if check.state == "failed"]:
        raise DataError("; ".join(f"{check.name}: {check.found}: {check.remedy}" for check in failed))
    return checks
