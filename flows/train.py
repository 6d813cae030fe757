"""Fit the candidates, judge them on later days, register the best and let the gate decide."""

import datetime as dt

from prefect import flow

from etl.batches import DEFAULT_SEED
from etl.business_dates import ONE_DAY, newest_grouped
from flows.artifacts import as_shown_task
from flows.progress import tell
from flows.registry import registry_of
from flows.runs import tag_run
from flows.workspace import open_workspace
from training.night import LEARNING
from training.promotion.change import catch_up
from training.result import TrainingResult
from training.session import learning_days
from training.session import train as train_and_judge
from training.trained_before import KnownVersion, trained_before
from warehouse.locks import waited_for


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
    registry = registry_of(workspace)
    with waited_for(workspace.settings.locks, LEARNING):
        known = None if again else trained_before(workspace, learning_days(workspace, date, since), seed)
        if known is not None:
            catch_up(workspace, registry, known.judged_through + ONE_DAY)
            return known
        return as_shown_task(train_and_judge, workspace, registry, date, seed, since, tell)
