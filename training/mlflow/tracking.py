"""The runs of MLflow: every candidate one, side by side under their training, and the trainings one after another.

Models are kept in skops format, which holds no code, and are never pickled.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import mlflow.sklearn
import pandas as pd
from matplotlib.figure import Figure
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema

from catalog.errors import Declined
from catalog.names import TRAINING_REPORT, TRUSTED_MODEL_TYPES
from catalog.settings import Settings
from training.candidates import FittedModel
from training.dataset import Dataset
from training.mlflow import notes
from warehouse.locks import held

EXPERIMENT = "shelfprice-training"
HISTORY_RUNS = "tags.kind = 'history'"
"""Filter that finds the runs whose metrics have one step for each training."""

_NOTE = "mlflow.note.content"  # the tag that MLflow shows as a description
_KIND = {"mlflow.experimentKind": "custom_model_development"}  # which pages MLflow opens an experiment with
_REQUIREMENTS = tuple(f"{name}=={version(name)}" for name in ("scikit-learn", "skops", "numpy", "pandas"))


@dataclass(frozen=True)
class LoggedModel:
    """Where a candidate was logged: its run, the training's, and the model's id and address in the tracking store."""

    run_id: str
    training_run_id: str
    model_id: str
    model_uri: str


def prepare_tracking(settings: Settings) -> None:
    """Make MLflow's database where it is a file that is not there yet, which takes it more than a second.

    One process makes it, for two at once break it; what is wrong with it is told by whoever needs it.
    """
    file = settings.tracking_uri.removeprefix("sqlite:///")
    if file == settings.tracking_uri or Path(file).exists():
        return
    with suppress(Declined, MlflowException, OSError), held(settings.locks, "tracking"):
        MlflowClient(settings.tracking_uri).get_experiment_by_name(EXPERIMENT)


@contextmanager
def training_run(settings: Settings, dataset: Dataset) -> Iterator[str]:
    """Open the parent run of one training; candidates are logged as its children. Yields the run id."""
    open_experiment(settings, EXPERIMENT, notes.TRAININGS)
    with mlflow.start_run(run_name=f"training through {dataset.judged_through}") as run:
        mlflow.set_tags(
            {
                "trained_since": str(dataset.trained_since),
                "trained_through": str(dataset.trained_through),
                "judged_through": str(dataset.judged_through),
                "dataset_fingerprint": dataset.fingerprint,
            }
        )
        yield run.info.run_id


def open_experiment(settings: Settings, name: str, note: str) -> None:
    """Go on in an experiment, made where it is not there, and keep its description as it should be."""
    mlflow.set_tracking_uri(settings.tracking_uri)
    if settings.tracking_uri.startswith("sqlite"):
        settings.artifacts.mkdir(parents=True, exist_ok=True)
        if mlflow.get_experiment_by_name(name) is None:
            mlflow.create_experiment(name, artifact_location=settings.artifacts.as_uri())
    experiment = mlflow.set_experiment(name)
    for tag, value in (_KIND | {_NOTE: note}).items():
        if experiment.tags.get(tag) != value:
            MlflowClient().set_experiment_tag(experiment.experiment_id, tag, value)


def log_study(
    settings: Settings,
    experiment: str,
    name: str,
    description: str,
    parameters: Mapping[str, Any],
    metrics: Mapping[str, float],
    figures: Mapping[str, Figure],
    tables: Mapping[str, pd.DataFrame],
) -> str:
    """Log a study that registers no model as one run of an experiment of its own; return the run id."""
    open_experiment(settings, experiment, notes.STUDIES)
    with mlflow.start_run(run_name=name, description=description) as run:
        mlflow.log_params(dict(parameters))
        mlflow.log_metrics(dict(metrics))
        for title, figure in figures.items():
            mlflow.log_figure(figure, f"figures/{title}.png", save_kwargs={"dpi": 110})
        for title, table in tables.items():
            mlflow.log_table(table, f"tables/{title}.json")
        return run.info.run_id


def log_candidate(
    fitted: FittedModel,
    dataset: Dataset,
    scores: Mapping[str, float],
    figures: Mapping[str, Figure],
    parameters: Mapping[str, Any],
) -> LoggedModel:
    """Log one candidate as a child of the open training run: parameters, data, metrics, figures and the model."""
    candidate = fitted.candidate
    name = f"{candidate.name} {dataset.judged_through}"
    with mlflow.start_run(run_name=name, nested=True, description=candidate.description) as run:
        mlflow.set_tag("candidate", candidate.name)
        mlflow.log_params(notes.parameters(fitted, dataset) | dict(parameters))
        for context, cells, days in (
            ("training", dataset.training, f"demand cells through {dataset.trained_through}"),
            ("holdout", dataset.holdout, f"demand cells held out, through {dataset.judged_through}"),
        ):
            seen = mlflow.data.from_pandas(  # type: ignore[attr-defined]
                cells[[*fitted.features, "n_offered", "n_purchased"]].astype(float),
                name=days,
                digest=dataset.fingerprint[:32],
            )
            mlflow.log_input(seen, context=context)
        mlflow.log_metrics(_numbers(scores))
        log_figures(figures)
        logged = mlflow.sklearn.log_model(
            fitted.model,
            name="model",
            serialization_format="skops",
            skops_trusted_types=list(TRUSTED_MODEL_TYPES),
            signature=_signature(fitted.features),
            pip_requirements=list(_REQUIREMENTS),
            pyfunc_predict_fn="predict_proba",
            metadata=_metadata(fitted, dataset),
        )
        training_run_id = run.data.tags["mlflow.parentRunId"]
        return LoggedModel(run.info.run_id, training_run_id, logged.model_id, logged.model_uri)


def log_figures(figures: Mapping[str, Figure]) -> None:
    """Draw figures into the open run."""
    for name, figure in figures.items():
        mlflow.log_figure(figure, f"figures/{name}.png", save_kwargs={"dpi": 80})


def folder_of(logged: LoggedModel) -> Path:
    """Return the local folder of a logged model, fetched when the registry is elsewhere."""
    return Path(mlflow.artifacts.download_artifacts(logged.model_uri))


def conclude(settings: Settings, found: notes.Conclusion, best: LoggedModel, page: str) -> None:
    """Say on a training's run what came of it, keep its report there, and add a step to the history.

    The gate decides when the run has ended; its tags, metrics and artifacts may still grow. The history is one run for
    each candidate whose metrics have a step for each training, so that its charts are lines over time.
    """
    client = MlflowClient(settings.tracking_uri)
    run_id = best.training_run_id
    client.log_text(run_id, page, TRAINING_REPORT)
    for name, value in (found.tags | {_NOTE: found.note}).items():
        client.set_tag(run_id, name, value)
    client.set_tag(best.run_id, "registered_version", found.version)
    at = int(dt.datetime.combine(found.judged_through, dt.time(), dt.UTC).timestamp() * 1000)
    experiment = client.get_run(run_id).info.experiment_id
    for run, scores in ((run_id, found.metrics), *_history_runs(client, experiment, found.scores)):
        metrics = [Metric(name, value, at, int(found.version)) for name, value in _numbers(scores).items()]
        client.log_batch(run, metrics=metrics)


def _history_runs(
    client: MlflowClient, experiment: str, scores: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[str, Mapping[str, float]]]:
    """Yield the history run of each candidate, made where it is not there, with the candidate's scores."""
    known = {run.data.tags["candidate"]: run.info.run_id for run in client.search_runs([experiment], HISTORY_RUNS)}
    for candidate, own in scores.items():
        run_id = known.get(candidate)
        if run_id is None:
            tags = {"kind": "history", "candidate": candidate, _NOTE: notes.HISTORY}
            run_id = client.create_run(experiment, run_name=f"{candidate}, every training", tags=tags).info.run_id
            client.set_terminated(run_id)
        yield run_id, own


def _numbers(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if value == value}  # noqa: PLR0124 - not NaN


def _metadata(fitted: FittedModel, dataset: Dataset) -> dict[str, Any]:
    """Return what must be known beside the classifier to price by it."""
    smoothing = {"smoothing": fitted.smoothing.to_json()} if fitted.smoothing else {}
    learned = {"learned_from": str(dataset.learned_from)} if dataset.learned_from else {}
    through = str(dataset.trained_through)
    return {"odds_factor": fitted.odds_factor, "trained_through": through, **learned, **smoothing}


def _signature(features: list[str]) -> ModelSignature:
    inputs = Schema([ColSpec(DataType.double, name) for name in features])
    outputs = Schema([ColSpec(DataType.double, str(label)) for label in (0, 1)])
    return ModelSignature(inputs=inputs, outputs=outputs)
