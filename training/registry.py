"""The model registry: every candidate a run, the best a registered version, one champion.

Models are kept in skops format, which holds no code, and are never pickled.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import mlflow.sklearn
import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema

from catalog.errors import Declined
from catalog.names import REGISTERED_MODEL, TRUSTED_MODEL_TYPES
from catalog.settings import Settings
from catalog.tables.models import MODEL_VERSIONS
from training.candidates import FittedModel
from training.dataset import Dataset
from training.gate import Verdict
from training.off_policy import OffPolicyEstimate
from warehouse.locks import held

EXPERIMENT = "shelfprice-training"
REPORT = "training_report.html"
_REQUIREMENTS = tuple(f"{name}=={version(name)}" for name in ("scikit-learn", "skops", "numpy", "pandas"))


@dataclass(frozen=True)
class LoggedModel:
    """Where a candidate was logged: its run, the training's, and the model's id and address in the tracking store."""

    run_id: str
    training_run_id: str
    model_id: str
    model_uri: str


@contextmanager
def training_run(settings: Settings, dataset: Dataset, description: str) -> Iterator[str]:
    """Open the parent run of one training; candidates are logged as its children. Yields the run id."""
    _open_experiment(settings, EXPERIMENT)
    with mlflow.start_run(run_name=f"training through {dataset.judged_through}", description=description) as run:
        mlflow.set_tags(
            {
                "trained_since": str(dataset.trained_since),
                "trained_through": str(dataset.trained_through),
                "judged_through": str(dataset.judged_through),
                "dataset_fingerprint": dataset.fingerprint,
            }
        )
        yield run.info.run_id


def _open_experiment(settings: Settings, name: str) -> None:
    mlflow.set_tracking_uri(settings.tracking_uri)
    if settings.tracking_uri.startswith("sqlite"):
        settings.artifacts.mkdir(parents=True, exist_ok=True)
        if mlflow.get_experiment_by_name(name) is None:
            mlflow.create_experiment(name, artifact_location=settings.artifacts.as_uri())
    mlflow.set_experiment(name)


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
    _open_experiment(settings, experiment)
    with mlflow.start_run(run_name=name, description=description) as run:
        mlflow.log_params(dict(parameters))
        mlflow.log_metrics(dict(metrics))
        for title, figure in figures.items():
            mlflow.log_figure(figure, f"figures/{title}.png", save_kwargs={"dpi": 110})
        for title, table in tables.items():
            mlflow.log_table(table, f"tables/{title}.json")
        return run.info.run_id


def log_report(settings: Settings, run_id: str, page: str) -> None:
    """Keep the training report beside the models it tells about: an artifact of the training's parent run.

    The gate decides when the run has ended; its artifacts may still grow.
    """
    MlflowClient(settings.tracking_uri).log_text(run_id, page, REPORT)


def log_candidate(
    fitted: FittedModel,
    dataset: Dataset,
    scores: Mapping[str, float],
    figures: Mapping[str, Figure],
    parameters: Mapping[str, Any],
) -> LoggedModel:
    """Log one candidate as a child of the open training run: parameters, data, metrics, figures and the model."""
    candidate = fitted.candidate
    with mlflow.start_run(run_name=candidate.name, nested=True, description=candidate.description) as run:
        mlflow.log_params({"features": ", ".join(fitted.features), **candidate.parameters, **parameters})
        cells = mlflow.data.from_pandas(  # type: ignore[attr-defined]
            dataset.training[[*fitted.features, "n_offered", "n_purchased"]].astype(float),
            name=f"demand cells through {dataset.trained_through}",
            digest=dataset.fingerprint[:32],
        )
        mlflow.log_input(cells, context="training")
        mlflow.log_metrics({name: value for name, value in scores.items() if value == value})  # noqa: PLR0124 - not NaN
        for name, figure in figures.items():
            mlflow.log_figure(figure, f"figures/{name}.png", save_kwargs={"dpi": 80})
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


def folder_of(logged: LoggedModel) -> Path:
    """Return the local folder of a logged model, fetched when the registry is elsewhere."""
    return Path(mlflow.artifacts.download_artifacts(logged.model_uri))


def register_challenger(
    logged: LoggedModel, fitted: FittedModel, scores: Mapping[str, float], learned_from: str
) -> str:
    """Register a logged model as the newest version, give it the alias `challenger`, and return the version.

    A training that was interrupted before the gate leaves a version without a verdict. Run again it learns the same
    model from `learned_from`, its data and seed, and takes that version: so prices name it as if nothing had happened.
    """
    client = MlflowClient()
    if not _is_registered(client):
        client.create_registered_model(REGISTERED_MODEL, description="Chance that a shopper buys at a price.")
    version_name = _left_without_verdict(client, learned_from)
    if version_name is None:
        registered = client.create_model_version(
            REGISTERED_MODEL,
            logged.model_uri,
            run_id=logged.run_id,
            model_id=logged.model_id,
            description=fitted.candidate.description,
            tags={
                "candidate": fitted.candidate.name,
                "log_loss": f"{scores['log_loss']:.6f}",
                "learned_from": learned_from,
            },
        )
        version_name = str(registered.version)
    client.set_registered_model_alias(REGISTERED_MODEL, "challenger", version_name)
    return version_name


def _left_without_verdict(client: MlflowClient, learned_from: str) -> str | None:
    versions = client.search_model_versions(
        f"name = '{REGISTERED_MODEL}'", max_results=1, order_by=["version_number DESC"]
    )
    left = [one for one in versions if one.tags.get("learned_from") == learned_from and "gate" not in one.tags]
    return str(left[0].version) if left else None


def settle(settings: Settings, challenger: str, verdict: Verdict, judged_against: str | None) -> None:
    """Make the challenger champion or say on it why not. Tags carry the gate's reasons either way.

    Parameters
    ----------
    challenger
        Version that was judged.
    judged_against
        Version that was champion when the gate judged, or None.

    Raises
    ------
    Declined
        When someone else is promoting right now, or did so since the gate judged.
    """
    with held(settings.locks, "promotion"):
        client = MlflowClient()
        current = champion_version(settings)
        if current != judged_against:
            raise Declined(
                f"version {challenger} was judged against champion {judged_against}, but the champion is now "
                f"{current}; nothing was promoted, train again"
            )
        reasons = [f"{'met' if c.met else 'NOT MET'} - {c.name}: {c.found}" for c in verdict.conditions]
        client.set_model_version_tag(
            REGISTERED_MODEL, challenger, "gate", "promoted" if verdict.promoted else "refused"
        )
        client.set_model_version_tag(REGISTERED_MODEL, challenger, "gate_reasons", "\n".join(reasons))
        if verdict.promoted:
            client.set_registered_model_alias(REGISTERED_MODEL, "champion", challenger)


def champion_version(settings: Settings) -> str | None:
    """Return the champion's version, or None when there is none."""
    client = MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)
    if not _is_registered(client):
        return None
    aliases = client.get_registered_model(REGISTERED_MODEL).aliases
    return str(aliases["champion"]) if "champion" in aliases else None


def _is_registered(client: MlflowClient) -> bool:
    try:
        client.get_registered_model(REGISTERED_MODEL)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise
    return True


def model_version_row(
    version_name: str,
    logged: LoggedModel,
    fitted: FittedModel,
    *,
    dataset: Dataset,
    scores: Mapping[str, Mapping[str, float]],
    verdict: Verdict,
    money: OffPolicyEstimate | None,
) -> pa.Table:
    """Return the row of `model_versions` for a judged version; `scores` are those of every candidate by name."""
    reasons = [{"condition": c.name, "met": c.met, "found": c.found} for c in verdict.conditions]
    return pa.table(
        {
            "version": [version_name],
            "candidate": [fitted.candidate.name],
            "run_id": [logged.run_id],
            "training_run_id": [logged.training_run_id],
            "trained_since": [dataset.trained_since],
            "trained_through": [dataset.trained_through],
            "judged_through": [dataset.judged_through],
            "metrics": [json.dumps(scores[fitted.candidate.name])],
            "candidates": [json.dumps(scores)],
            "promoted": [verdict.promoted],
            "reasons": [json.dumps(reasons)],
            "money": [None if money is None else json.dumps(money.as_record())],
            "decided_at": [dt.datetime.combine(dataset.judged_through + dt.timedelta(days=1), dt.time(), dt.UTC)],
        },
        schema=MODEL_VERSIONS.schema,
    )


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
