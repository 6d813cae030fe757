"""Fit the candidates, judge them, register the best, let the gate decide, and make the champion's price book."""

import datetime as dt

from prefect import flow

from etl.batches import DEFAULT_SEED
from etl.live.calendar import ONE_DAY, newest_grouped
from flows.progress import tell
from flows.runs import as_task, registry_of, say_damaged_books, tag_run
from flows.spreading import spreading
from flows.workspace import open_workspace
from training.fit.result import TrainingResult
from training.fit.session import KnownVersion, train_once
from training.night import Priced, price_date
from training.run_context import RunContext


def price(for_date: dt.date | None = None, catalog_dir: str | None = None) -> Priced:
    """Make the price book of a business date, by default the day after the newest one with decisions.

    When the registry is away or the champion cannot be trusted, the last known good book stands.

    Raises
    ------
    Declined
        When the kill switch is on: base prices stand and no book is written. When the champion is being changed.
    DataError
        When there is no champion.
    ModelError
        When the champion cannot be used and there is no earlier book either.
    """
    workspace = open_workspace(catalog_dir)
    date = for_date or newest_grouped(workspace.lake) + ONE_DAY
    priced = price_date(workspace, registry_of(workspace), date)
    say_damaged_books(workspace.lake, [date])  # where old prices hold, they may be older than the newest book
    return priced


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
        return as_task(train_once, workspace, registry_of(workspace), date, seed, since, means, again=again)
