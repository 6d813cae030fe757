"""MLflow's own page of the trainings: which runs and columns it opens with."""

import json

from mlflow.tracking import MlflowClient

from catalog.settings import Settings
from warehouse.services import TRAININGS_VIEW, keep_trainings_page

_COLUMNS = (
    *("metrics.`log_loss`", "metrics.`excess_log_loss`", "metrics.`calibration_error`", "metrics.`gain_eur/estimate`"),
    *("metrics.`promoted`", "params.`decisions_fitted_on`"),
)


def keep_view(settings: Settings, client: MlflowClient, experiment: str) -> None:
    """Keep the view in which the trainings open: the newest first, a column for each figure that decides.

    MLflow keeps views that people share as tags of the experiment; its pages read them as they are written here.
    """
    tag = f"mlflow.sharedViewState.{TRAININGS_VIEW}"
    view = json.dumps({"selectedColumns": _COLUMNS, "orderByAsc": False})
    if client.get_experiment(experiment).tags.get(tag) != view:
        client.set_experiment_tag(experiment, tag, view)
    keep_trainings_page(settings, experiment)
