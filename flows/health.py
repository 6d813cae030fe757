"""How the store is, on a schedule: a table beside the run, and a run that fails when a check does."""

from prefect import flow

from catalog.errors import DataError
from flows.artifacts import show_checks
from flows.checks import Check, check_up
from flows.edge import Surroundings, name_run
from flows.nights import newest_sold


@flow(name="health", persist_result=False)
def health(catalog_dir: str | None = None) -> list[Check]:
    """Check freshness, files, registry and drift, and keep what was found as a table.

    Raises
    ------
    DataError
        When a check failed; the message names each with what to do.
    """
    around = Surroundings(catalog_dir)
    name_run(f"health-{newest_sold(around.lake) or 'empty'}")
    checks = check_up(around)
    show_checks(checks)
    if failed := [check for check in checks if check.state == "failed"]:
        raise DataError("; ".join(f"{check.name}: {check.found}: {check.remedy}" for check in failed))
    return checks
