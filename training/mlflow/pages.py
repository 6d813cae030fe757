"""MLflow's own pages of the trainings: which runs and columns they open with, and where they are."""

import json

from mlflow.tracking import MlflowClient

from catalog.settings import Settings
from training.mlflow.experiments import TRAININGS, client_of
from warehouse.locks import UP, is_held

_VIEW = "shelfprice"
_COLUMNS = (
    *("metrics.`log_loss`", "metrics.`excess_log_loss`", "metrics.`calibration_error`", "metrics.`gain_eur/estimate`"),
    *("metrics.`promoted`", "params.`decisions_fitted_on`"),
)


def keep_view(client: MlflowClient, experiment: str) -> None:
    """Keep the view in which the trainings open: the newest first, a column for each figure that decides.

    MLflow keeps views that people share as tags of the experiment; its pages read them as they are written here.
    """
    tag, view = f"mlflow.sharedViewState.{_VIEW}", json.dumps({"selectedColumns": _COLUMNS, "orderByAsc": False})
    if client.get_experiment(experiment).tags.get(tag) != view:
        client.set_experiment_tag(experiment, tag, view)


def trainings_page(settings: Settings) -> str | None:
    """Return the address at which people see the trainings; None while nothing serves MLflow's pages.

    MLflow would open an experiment with the pages for language models otherwise.
    """
    is_served = settings.tracking_uri.startswith("http") or is_held(settings.locks, UP)
    if not is_served:
        return None
    served = settings.tracking_uri if settings.tracking_uri.startswith("http") else settings.mlflow.url
    found = client_of(settings).get_experiment_by_name(TRAININGS)
    if found is None:
        return None
    return (
        f"{served.rstrip('/')}/#/experiments/{found.experiment_id}/runs"
        f"?viewStateShareKey={_VIEW}&workflowType=machine_learning"
    )
