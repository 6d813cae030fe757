"""Learn from what was sold, let the gate decide, and price the next day; old prices hold when that fails."""

import datetime as dt

from prefect import flow

from etl.batches import DEFAULT_SEED
from etl.business_dates import newest_grouped
from flows.artifacts import as_shown_task
from flows.progress import tell
from flows.registry import registry_of
from flows.runs import name_run
from flows.spreading.choose import spreading
from flows.workspace import open_workspace
from training.night import decide
from training.nights import Night
from training.run_context import RunContext


@flow(name="learn", flow_run_name="learn-{through}")
def learn(through: dt.date | None = None, seed: int = DEFAULT_SEED, catalog_dir: str | None = None) -> Night:
    """Train on everything through a business date if that is due, and price the day after it.

    The event of a drift starts it. If another run is training, it waits, then reuses the result if the inputs are
    unchanged.

    Parameters
    ----------
    through
        Last business date to learn from; by default the newest one with demand cells.

    Raises
    ------
    ModelError
        When the registry is away while a model is due, or there is no earlier book; the night is yet to do.
    """
    workspace = open_workspace(catalog_dir)
    date = through or newest_grouped(workspace.lake)
    if through is None:
        name_run(f"learn-{date}", through=date.isoformat())
    with spreading(workspace.settings, seconds=0) as spread:
        means = RunContext(progress=tell, run=as_shown_task, spread=spread)
        return decide(workspace, registry_of(workspace), date, seed, means)
