"""Single steps of the loop as flows: play store days, group their decisions, remake the prices of days under way."""

import datetime as dt
from collections.abc import Sized

from prefect import flow, get_run_logger

from catalog.decisions.store_day import Repriced
from catalog.errors import Declined
from catalog.hooks import SELLERS
from etl.batches import DEFAULT_SEED, BatchResult, batches_of
from etl.calendar import DEFAULT_START, dates_from
from etl.transform import Transformed
from etl.transform import transform as group_and_check
from flows.clock import now_of
from flows.progress import tell
from flows.runs import as_task, spread_as_task, tag_run, warn_of_damaged_books
from flows.spreading import spreading
from flows.workspace import open_workspace
from serving.store.play import batches_to_play, in_order, play_one, priced_batches
from warehouse.origin import sold_dates
from warehouse.workspace import Workspace


@flow(name="transform")
def transform(catalog_dir: str | None = None, anew_on: tuple[dt.date, ...] = ()) -> Transformed:
    """Group the decisions of every new or changed partition into demand cells, then run the SQL assertions on them.

    Partitions of the dates in `anew_on` are grouped again even though nothing changed.

    Raises
    ------
    DataError
        When an assertion finds rows that break it; the message names the assertion, the date and the first rows.
    """
    workspace = open_workspace(catalog_dir)
    sold = sold_dates(workspace.lake)
    tag_run("features", f"transform-{sold[-1] if sold else 'empty'}")
    return group_decisions(workspace, anew_on)


def group_decisions(workspace: Workspace, anew_on: tuple[dt.date, ...] = ()) -> Transformed:
    """Group and check as a task of the flow run we are in."""
    with spreading(workspace.settings, seconds=0) as spread:
        return as_task(group_and_check, workspace, anew_on, tell, spread)


@flow(name="reprice")
def reprice(store: str | None = None, catalog_dir: str | None = None) -> list[Repriced]:
    """Let the belief take in what an outside store has sold today, and remake prices for the ticks that are left.

    Parameters
    ----------
    store
        One store; by default every store that is open. An hour in which there is none is no failure then.

    Raises
    ------
    Declined
        When the store that was asked for is not being sold, or its prices are not ours to remake.
    """
    workspace = open_workspace(catalog_dir)
    tag_run("pricing", "reprice")
    return as_task(
        _reprice if store is None else SELLERS.needed("reprice").reprice, workspace, store, now_of(workspace)
    )


def _reprice(workspace: Workspace, store: str | None, now: dt.datetime) -> list[Repriced]:
    """Remake the prices of every store that is being sold; say why where there is nothing to do."""
    try:
        return SELLERS.needed("reprice").reprice(workspace, store, now)
    except Declined as why:
        get_run_logger().info("nothing to do: %s", why)
        return []


_PER_SECOND = 2e6  # decisions that one core plays and publishes
_LEARNS = 0.02  # seconds in which it learns of one product from the day of a batch
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
    if policy not in {"static", "rule"}:
        warn_of_damaged_books(lake, dates)
    priced = priced_batches(workspace, dates, stores, policy)
    with spreading(settings, seconds=seconds_to_play(workspace, dates, stores), threads=_THREADS) as spread:
        jobs = batches_to_play(workspace, priced, policy, seed, spread)
        played = list[BatchResult]()
        for number, waiting in enumerate(in_order(catalog, jobs), start=1):
            played += spread_as_task(spread, play_one, waiting, "playing store days")
            if len(waiting) < len(jobs):
                tell("dates played", number, len(dates))
    return sorted(played, key=lambda result: result.batch.partition)


def seconds_to_play(workspace: Workspace, dates: Sized, stores: int | None = None) -> float:
    """Return roughly how long it would take to play some dates on one core."""
    catalog, batches = workspace.catalog, batches_of(workspace.catalog, [DEFAULT_START], stores)
    decisions = sum(len(batch.stores) for batch in batches) * catalog.store.visits_per_day
    return len(dates) * (decisions / _PER_SECOND + len(batches) * len(catalog.products) * _LEARNS)
