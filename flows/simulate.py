"""Play store days and load them: one task that spreads the batches."""

import datetime as dt
from collections.abc import Sized

from prefect import flow

from etl.batches import DEFAULT_SEED, BatchResult, batches_of, store_ids, without_live_days
from etl.business_dates import DEFAULT_START, dates_from
from flows.runs import tag_run, warn_of_damaged_books
from flows.spreading.choose import spreading
from flows.tasks import spread_as_task
from flows.workspace import open_workspace
from serving.in_force import pricing_on
from serving.playing import batches_to_play, play_one
from warehouse.workspace import Workspace

_PER_SECOND = 2e6  # decisions that one core plays and publishes
_THREADS = 2  # for few batches: one is played while another waits for the disk


@flow(name="simulate", flow_run_name="simulate-{start}")
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
    """Play the batches of some dates as one task of the flow run we are in."""
    lake, catalog, settings = workspace.lake, workspace.catalog, workspace.settings
    batches = without_live_days(lake, batches_of(catalog, dates, stores))
    if policy not in {"static", "rule"}:
        warn_of_damaged_books(lake, dates)
    priced_by = {date: pricing_on(lake, catalog, date, policy) for date in dates}
    with spreading(settings, seconds=seconds_to_play(workspace, dates, stores), threads=_THREADS) as spread:
        jobs = batches_to_play(workspace, batches, priced_by, policy, seed, spread)
        played = spread_as_task(spread, play_one, jobs, "playing store days")
    return sorted(played, key=lambda result: result.batch.partition)


def seconds_to_play(workspace: Workspace, dates: Sized, stores: int | None = None) -> float:
    """Return roughly how long it would take to play some dates on one core."""
    n_stores = len(store_ids(workspace.catalog, stores))
    return len(dates) * n_stores * workspace.catalog.store.visits_per_day / _PER_SECOND
