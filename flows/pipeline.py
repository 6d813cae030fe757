"""Single steps of the loop as flows: play store days, group their decisions, remake the prices of days under way."""

import datetime as dt
from collections.abc import Sized
from dataclasses import dataclass

from prefect import flow, get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner

from catalog.decisions.store_day import Repriced
from catalog.errors import Declined
from catalog.hooks import SELLERS
from etl.batches import DEFAULT_SEED, BatchResult, batch_inputs, batches_of, is_committed
from etl.calendar import DEFAULT_START, ONE_DAY, dates_from
from etl.stock import kept_before
from etl.transform import Transformed
from etl.transform import transform as group_and_check
from flows.progress import tell
from flows.runs import as_task, registry_of, spread_as_task, tag_run, warn_of_damaged_books
from flows.spreading import spreading
from flows.workspace import now_of, open_workspace
from serving.book.store import is_priced
from serving.store.play import batches_to_play, in_order, play_one, priced_batches
from training.evening import RunContext
from training.night import run_night
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


@dataclass(frozen=True)
class Loop:
    """What the loop did: nights done before, and what a person should know about the others."""

    nights_done_before: int
    remarks: tuple[str, ...]


@flow(name="pipeline", flow_run_name="pipeline-{start}", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def pipeline(
    start: dt.date = DEFAULT_START,
    days: int = 14,
    stores: int | None = None,
    seed: int = DEFAULT_SEED,
    catalog_dir: str | None = None,
) -> Loop:
    """Play `days`, and learn and price in every night between them.

    A night that was done from the same inputs is not done again, so running this twice changes nothing; one that was
    done from other inputs is decided anew.
    """
    workspace = open_workspace(catalog_dir, for_the_twin=True)
    registry = registry_of(workspace)
    dates = dates_from(start, days)
    remarks: list[str] = []
    done_before = 0
    for number, date in enumerate(dates, start=1):
        if is_played(workspace, date, stores, seed):
            done_before += 1
        else:
            if date - ONE_DAY in workspace.lake.dates("interactions"):
                with spreading(workspace.settings, seconds=0) as spread:
                    means = RunContext(progress=tell, run=as_task, spread=spread)
                    night = run_night(workspace, registry, date - ONE_DAY, seed, means, redo=True)
                remarks += [night.remark] if night.remark else []
            play_dates(workspace, [date], stores, seed)
        tell("days played", number, days)
    group_decisions(workspace)
    return Loop(done_before, tuple(remarks))


def is_played(workspace: Workspace, date: dt.date, stores: int | None, seed: int) -> bool:
    """Return whether a date was played from the price book in force for exactly that date, with these inputs."""
    lake, catalog = workspace.lake, workspace.catalog
    return is_priced(lake, date) and all(
        is_committed(
            lake,
            batch.partition,
            batch_inputs(catalog, batch, priced_by, seed, kept_before(lake, catalog, batch.stores, date)),
        )
        for batch, priced_by in priced_batches(workspace, [date], stores)
    )
