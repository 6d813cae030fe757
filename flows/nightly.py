"""A night of the store: close the day, group its decisions, watch for drift, learn if that is due, price tomorrow."""

import datetime as dt

from prefect import flow

from catalog.wings import registered
from etl.batches import DEFAULT_SEED
from etl.business_dates import newest_sold
from flows.artifacts import as_shown_task
from flows.drift import announce
from flows.progress import say, tell
from flows.registry import registry_of
from flows.runs import ended, name_run
from flows.simulate import seconds_to_play
from flows.spreading.choose import spreading
from flows.tasks import as_task
from flows.workspace import open_workspace
from serving.close_day import close_day
from training.night import run_night
from training.nights import Night, night_to_do, refuse_what_cannot_be_closed
from training.run_context import RunContext
from warehouse.asked import left_unended, write_down
from warehouse.lake import Lake
from warehouse.locks import held


@flow(name="nightly", persist_result=False, on_completion=[ended])
def nightly(date: dt.date | None = None, seed: int = DEFAULT_SEED, catalog_dir: str | None = None) -> Night:
    """Close a business date, group its decisions, watch for drift, learn if that is due, and price the day after.

    The run is named by its business date and keeps it as its parameter, so that running it again means the same night.
    A night that is done is not done again; one that was interrupted goes on where it stopped.

    Parameters
    ----------
    date
        Business date to close; by default the one that a run was killed at a short while ago, else the first one whose
        night is not done.
    seed
        Seed of the world, for stores that the twin plays.

    Raises
    ------
    Declined
        When another process does a night of this lake or sells one of its stores live, or the date would leave a gap.
    ModelError
        When the registry is away: old prices hold, and the night is yet to do.
    """
    workspace = open_workspace(catalog_dir)
    with held(workspace.settings.locks, "night"):
        night_of = date or _left_unended(workspace.lake) or night_to_do(workspace.lake)
        write_down(workspace.lake.notes, "nightly", night_of)
        name_run(f"nightly-{night_of}", date=night_of.isoformat())
        refuse_what_cannot_be_closed(workspace.lake, night_of)
        with spreading(workspace.settings, seconds=seconds_to_play(workspace, [night_of])) as spread:
            as_task(close_day, workspace, night_of, seed, spread)
        registry = registry_of(workspace)
        with spreading(workspace.settings, seconds=0) as spread:
            means = RunContext(announce, tell, as_shown_task, spread)
            done = run_night(workspace, registry, night_of, seed, means)
    for look in registered("after_night"):  # a slow webhook keeps nobody from the next night
        for sentence in look(workspace):
            say(sentence)
    return done


def _left_unended(lake: Lake) -> dt.date | None:
    """Return the night that a run was killed at, unless what was sold since makes another one due."""
    left = left_unended(lake.notes, "nightly")
    return left if left is not None and left in {newest_sold(lake), night_to_do(lake)} else None
