"""Fit the candidates, judge them on later days, register the best and let the gate decide."""

import datetime as dt

from prefect import flow

from etl.batches import DEFAULT_SEED
from etl.business_dates import newest_grouped
from flows.artifacts import as_shown_task
from flows.progress import tell
from flows.registry import registry_of
from flows.runs import tag_run
from flows.workspace import open_workspace
from training.result import TrainingResult
from training.session import train as train_and_judge


@flow(name="train", flow_run_name="train-{through}")
def train(
    through: dt.date | None = None,
    seed: int = DEFAULT_SEED,
    catalog_dir: str | None = None,
    since: dt.date | None = None,
) -> TrainingResult:
    """Train every candidate on the demand cells up to a date, and promote the best if the gate lets it pass.

    Parameters
    ----------
    since
        First business date to learn from, by default as far back as `learning.window_days` lets it.

    Raises
    ------
    DataError
        When the data cannot teach anything; no model is registered.
    """
    workspace = open_workspace(catalog_dir)
    tag_run("training")
    date = through or newest_grouped(workspace.lake)
    return as_shown_task(train_and_judge, workspace, registry_of(workspace), date, seed, since, tell)
