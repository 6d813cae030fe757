"""Experiments of MLflow: made where they are not there, with a description; and studies that register no model."""

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from catalog.errors import Declined
from catalog.settings import Settings
from serving.registry_away import refuse_absent_registry
from training.mlflow import notes
from training.mlflow.tables import make_first
from warehouse.databases import holds_anything, sqlite_file
from warehouse.locks import held

TRAININGS = "shelfprice-training"
STUDIES = "shelfprice-comparison"
NOTE = "mlflow.note.content"
"""The tag that MLflow shows as a description."""

_KIND = {"mlflow.experimentKind": "custom_model_development"}  # which pages MLflow opens an experiment with
_DPI = 110


@dataclass(frozen=True)
class Study:
    """Something that was measured and registers no model.

    Attributes
    ----------
    name, description
        Of its run.
    parameters, metrics
        What it was asked, and what was found.
    figures, tables
        By name.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    figures: Mapping[str, Figure]
    tables: Mapping[str, pd.DataFrame]


def client_of(settings: Settings) -> MlflowClient:
    """Return a client of the tracking store and the registry, which are one; the first makes their database.

    Raises
    ------
    ModelError
        When they are on a server that does not answer.
    """
    refuse_absent_registry(settings)
    make_first(settings.tracking_uri)
    return MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)


def prepare_tracking(settings: Settings) -> None:
    """Make MLflow's database where it is a file that is not there yet, which takes it more than a second.

    One process makes it, for two at once break it; what is wrong with it is told by whoever needs it.
    """
    file = sqlite_file(settings.tracking_uri)
    if file is None or holds_anything(file):
        return
    with suppress(Declined, MlflowException, OSError), held(settings.locks, "tracking"):
        client_of(settings).get_experiment_by_name(TRAININGS)


def experiment_id(client: MlflowClient, settings: Settings, name: str, note: str) -> str:
    """Return the id of an experiment, made where it is not there, and keep its description as it should be."""
    found = client.get_experiment_by_name(name)
    if found is None:
        location = None
        if settings.tracking_uri.startswith("sqlite"):
            settings.artifacts.mkdir(parents=True, exist_ok=True)
            location = settings.artifacts.as_uri()
        found = client.get_experiment(client.create_experiment(name, artifact_location=location))
    for tag, value in (_KIND | {NOTE: note}).items():
        if found.tags.get(tag) != value:
            client.set_experiment_tag(found.experiment_id, tag, value)
    return str(found.experiment_id)


def log_study(settings: Settings, study: Study) -> str:
    """Log a study as one run of the experiment of studies; return the run id."""
    client = client_of(settings)
    experiment = experiment_id(client, settings, STUDIES, notes.STUDIES)
    run_id = client.create_run(experiment, run_name=study.name, tags={NOTE: study.description}).info.run_id
    log_values(client, run_id, study.metrics, study.parameters)
    for title, figure in study.figures.items():
        client.log_figure(run_id, figure, f"figures/{title}.png", save_kwargs={"dpi": _DPI})
    for title, table in study.tables.items():
        client.log_table(run_id, table, f"tables/{title}.json")
    client.set_terminated(run_id)
    return str(run_id)


def log_values(
    client: MlflowClient,
    run_id: str,
    metrics: Mapping[str, float],
    parameters: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    model_id: str | None = None,
) -> None:
    """Log metrics, parameters and tags of a run at once; a metric that is not a number is left out.

    With a `model_id` the metrics are also those of the logged model.
    """
    now = round(time.time() * 1000)
    client.log_batch(
        run_id,
        metrics=[
            Metric(name, value, now, 0, model_id=model_id) for name, value in metrics.items() if not math.isnan(value)
        ],
        params=[Param(name, str(value)) for name, value in (parameters or {}).items()],
        tags=[RunTag(name, value) for name, value in (tags or {}).items()],
    )
