"""Play store days and load them: one task for each batch."""

import datetime as dt

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from etl.batches import DEFAULT_SEED, BatchResult, batches_of, play_batch, without_live_days
from etl.business_dates import DEFAULT_START, dates_from
from flows.older_prices import tell_of_damaged_books
from flows.runs import tag_run
from flows.tasks import TOUCHES_THE_DISK, results_of
from flows.workspace import open_workspace
from serving.in_force import pricing_on
from warehouse.workspace import Workspace

_play = task(play_batch, **TOUCHES_THE_DISK)


@flow(name="simulate", flow_run_name="simulate-{start}", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def simulate(
    start: dt.date = DEFAULT_START,
    days: int = 1,
    stores: int | None = None,
    seed: int = DEFAULT_SEED,
    policy: str | None = None,
    catalog_dir: str | None = None,
) -> list[BatchResult]:
    """Play store days on the twin and publish their decisions; days that are there already are not played again.

    Parameters
    ----------
    start, days
        First business date, and how many.
    stores
        Number of stores, by default those of the catalog.
    seed
        Seed of the world: equal seeds bring equal shoppers.
    policy
        `static`, `rule` or `greedy`; by default the price book in force on each date, or without one the catalog's
        policy for stores without a champion.
    """
    workspace = open_workspace(catalog_dir, for_the_twin=True)
    tag_run("simulation")
    return play_dates(workspace, dates_from(start, days), stores, seed, policy)


def play_dates(
    workspace: Workspace, dates: list[dt.date], stores: int | None, seed: int, policy: str | None = None
) -> list[BatchResult]:
    """Play the batches of some dates as tasks of the flow run we are in."""
    batches = without_live_days(workspace.lake, batches_of(workspace.catalog, dates, stores))
    if policy not in {"static", "rule"}:
        tell_of_damaged_books(workspace.lake, dates)
    priced_by = {date: pricing_on(workspace.lake, workspace.catalog, date, policy) for date in dates}
    futures = [_play.submit(workspace, batch, priced_by[batch.business_date], seed) for batch in batches]
    return sorted(results_of(futures, "playing store days"), key=lambda result: result.batch.partition)
