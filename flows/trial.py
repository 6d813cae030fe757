"""Let two policies take turns in the stores, and say what one earns more than the other."""

from prefect import flow

from evaluation.trial.hold_trial import TrialRequest as Asked
from evaluation.trial.hold_trial import TrialResult as Found
from evaluation.trial.hold_trial import hold_trial
from flows.progress import say, tell
from flows.runs import tag_run
from flows.simulate import seconds_to_play
from flows.spreading.choose import spreading
from flows.tasks import as_task
from flows.workspace import open_workspace


@flow(name="trial", flow_run_name="trial-{asked.a}-{asked.b}", persist_result=False)
def trial(asked: Asked, catalog_dir: str | None = None) -> Found:
    """Plan a switchback trial, sell its days on the twin, and estimate what B earns more than A.

    Raises
    ------
    DataError, Declined
        As `hold_trial` does.
    """
    workspace = open_workspace(catalog_dir, for_the_twin=True)
    tag_run("trial")
    seconds = seconds_to_play(workspace, range(asked.days), asked.stores)
    with spreading(workspace.settings, seconds=seconds) as spread:
        return hold_trial(workspace, asked, say=say, progress=tell, run=as_task, spread=spread)
