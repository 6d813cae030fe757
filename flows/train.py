"""Fit the candidates, judge them on later days, register the best and let the gate decide."""

import datetime as dt

from prefect import flow

from etl.batches import DEFAULT_SEED
from etl.business_dates import newest_grouped
from flows.artifacts import as_shown_task
from flows.progress import tell
from flows.registry import registry_of
from flows.runs import tag_run
from flows.spreading.choose import spreading
from flows.workspace import open_workspace
from training.result import TrainingResult
from training.run_context import RunContext
from training.train_once import KnownVersion, train_once


@flow(name="train", flow_run_name="train-{through}")
def train(
    through: dt.date | None = None,
    seed: int = DEFAULT_SEED,
    catalog_dir: str | None = None,
    since: dt.date | None = None,
    again: bool = False,  # noqa: FBT001, FBT002 - parameters of a deployment are named
) -> TrainingResult | KnownVersion:
    """Train every candidate on the demand cells up to a date, and promote the best if the gate lets it pass.

    From days, catalog and seed that were learned from before comes the same model: its version stands then, and the
    registry follows if a kill kept it from that.

    Parameters
    ----------
    since
        First business date to learn from, by default as far back as `learning.window_days` lets it.
    again
        Train although the same was learned from before.

    Raises
    ------
    DataError
        When the data cannot teach anything; no model is registered.
    """
    workspace = open_workspace(catalog_dir)
    tag_run("training")
    date = through or newest_grouped(workspace.lake)
    with spreading(workspace.settings, seconds=0) as spread:
        means = RunContext(progress=tell, spread=spread)
        return as_shown_task(train_once, workspace, registry_of(workspace), date, seed, since, means, again=again)
