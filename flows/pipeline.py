"""The whole loop, as a store lives it: sell a day and learn while it sells, then every night learn anew and price."""

import datetime as dt
from dataclasses import dataclass

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from etl.batches import DEFAULT_SEED, batch_inputs, is_committed
from etl.calendar import DEFAULT_START, ONE_DAY, dates_from
from etl.stock import kept_before
from flows.progress import tell
from flows.runs import as_task, registry_of
from flows.spreading import spreading
from flows.steps import group_decisions, play_dates
from flows.workspace import open_workspace
from serving.book.store import is_priced
from serving.store.play import priced_batches
from training.evening import RunContext
from training.night import run_night
from training.registry import ModelRegistry
from training.schedule import Night
from warehouse.workspace import Workspace


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

    A night that was done from the same inputs is not done again, so running this twice changes nothing.
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
                night = learn_and_price(workspace, registry, date - ONE_DAY, seed)
                remarks += [night.remark] if night.remark else []
            play_dates(workspace, [date], stores, seed)
        tell("days played", number, days)
    group_decisions(workspace)
    return Loop(done_before, tuple(remarks))


def learn_and_price(workspace: Workspace, registry: ModelRegistry, date: dt.date, seed: int) -> Night:
    """Do the night after a date, wherever there is room; done before from other inputs, it is decided anew."""
    with spreading(workspace.settings, seconds=0) as spread:
        means = RunContext(progress=tell, run=as_task, spread=spread)
        return run_night(workspace, registry, date, seed, means, redo=True)


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
