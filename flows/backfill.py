"""Fill the business dates between two: what is missing or stale is made, in order, and the rest is left alone."""

import datetime as dt

from prefect import flow

from catalog.errors import DataError
from etl.batches import DEFAULT_SEED
from etl.business_dates import dates_from
from flows.artifacts import as_shown_task
from flows.drift import announce
from flows.progress import tell
from flows.registry import registry_of
from flows.runs import name_run
from flows.simulate import seconds_to_play
from flows.spreading.choose import spreading
from flows.workspace import open_workspace
from training.backfill import Filled, Filling, fill_date, seals, what_became_of
from training.run_context import RunContext
from warehouse.locks import held


@flow(name="backfill", persist_result=False)
def backfill(
    start: dt.date,
    end: dt.date,
    force: bool = False,  # noqa: FBT001, FBT002 - parameters of a deployment are named
    seed: int = DEFAULT_SEED,
    catalog_dir: str | None = None,
) -> list[Filled]:
    """Go through business dates in order: close the day, group its decisions, and price the day after if it is unsold.

    Parameters
    ----------
    start, end
        First and last business date.
    force
        Make everything anew: the twin's days with their own seeds, cells, and books from the curves they stood on.
        Equal inputs end in the same bytes; days that were sold live or ingested stay as they are.
    seed
        Seed of the world, for dates that are missing.

    Returns
    -------
    list of Filled
        One for each date.

    Raises
    ------
    DataError
        When the end is before the start.
    Declined
        When another process does a night of this lake, or the start would leave a gap after the newest date.
    """
    if end < start:
        raise DataError(f"expected an end on or after the start {start}, found {end}; nothing was done")
    workspace = open_workspace(catalog_dir, for_the_twin=True)
    registry, lake = registry_of(workspace), workspace.lake
    with held(workspace.settings.locks, "night"):
        name_run(f"backfill-{start}-to-{end}")
        dates = dates_from(start, (end - start).days + 1)
        before = {date: seals(lake, date) for date in dates}
        with spreading(workspace.settings, seconds=seconds_to_play(workspace, dates)) as spread:
            how = Filling(seed, force, RunContext(announce, tell, as_shown_task, spread))
            for done, date in enumerate(dates, start=1):
                fill_date(workspace, registry, date, how)
                tell("business dates filled", done, len(dates))
        return [what_became_of(date, before[date], seals(lake, date)) for date in dates]
