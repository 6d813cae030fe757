"""How the store is, on a schedule: in the log of the run, which fails when a check does."""

from prefect import flow

from catalog.errors import Check, DataError
from etl.calendar import newest_sold
from flows.runs import log, name_run, registry_of
from flows.workspace import open_workspace
from plugins.operations.checks.check_up import check_up


@flow(name="health", persist_result=False)
def health(catalog_dir: str | None = None) -> list[Check]:
    """Check freshness, files, registry and drift, and write what was found into the log.

    Raises
    ------
    DataError
        When a check failed; the message names each with what to do.
    """
    workspace = open_workspace(catalog_dir)
    name_run(f"health-{newest_sold(workspace.lake) or 'empty'}")
    checks = check_up(workspace, registry_of(workspace))
    for check in checks:
        log().info("%s %s: %s", check.name, check.state, check.found)
    if failed := [check for check in checks if check.state == "failed"]:
        raise DataError("; ".join(f"{check.name}: {check.found}: {check.remedy}" for check in failed))
    return checks
