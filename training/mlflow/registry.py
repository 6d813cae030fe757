"""The model registry: the best candidate of each training is a registered version, and one version is champion."""

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from catalog.errors import ModelError, first_line
from catalog.names import REGISTERED_MODEL, REGISTRY_PATIENCE
from catalog.settings import Settings
from catalog.tables.models import MODEL_VERSIONS
from training.candidates import FittedModel
from training.dataset import Dataset
from training.gate import Verdict
from training.mlflow import notes
from training.mlflow.tracking import LoggedModel
from training.off_policy import OffPolicyEstimate

_FOLLOWED = "champion_change"


def register_challenger(logged: LoggedModel, fitted: FittedModel, scores: Mapping[str, float], inputs: str) -> str:
    """Register a logged model as the newest version, give it the alias `challenger`, and return the version.

    A training that was interrupted before the gate leaves a version without a verdict. Run again it learns the same
    model from the same `inputs`, its data and seed, and takes that version: prices name it as if nothing had happened.
    """
    client = MlflowClient()
    if not _is_registered(client):
        client.create_registered_model(REGISTERED_MODEL, description=notes.MODEL)
    version_name = _left_without_verdict(client, inputs)
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
                "inputs": inputs,
            },
        )
        version_name = str(registered.version)
    client.set_registered_model_alias(REGISTERED_MODEL, "challenger", version_name)
    return version_name


def _left_without_verdict(client: MlflowClient, inputs: str) -> str | None:
    versions = client.search_model_versions(
        f"name = '{REGISTERED_MODEL}'", max_results=1, order_by=["version_number DESC"]
    )
    left = [one for one in versions if one.tags.get("inputs") == inputs and "gate" not in one.tags]
    return str(left[0].version) if left else None


@dataclass(frozen=True)
class Standing:
    """Who is champion in the registry, and the number of the newest recorded change that it has followed, or 0."""

    champion: str | None
    change: int


def standing(settings: Settings) -> Standing:
    """Return where the registry stands.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    with _patient(settings) as client:
        if not _is_registered(client):
            return Standing(None, 0)
        model = client.get_registered_model(REGISTERED_MODEL)
        champion = model.aliases.get("champion")
        return Standing(None if champion is None else str(champion), int(model.tags.get(_FOLLOWED, 0)))


def knows(settings: Settings, version_name: str) -> bool:
    """Tell whether the registry has a version.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    with _patient(settings) as client:
        found = client.search_model_versions(f"name='{REGISTERED_MODEL}'") if _is_registered(client) else []
        return version_name in {str(known.version) for known in found}


def follow(settings: Settings, version_name: str, change: int, left_behind: tuple[str, str] | None = None) -> None:
    """Make a version champion in the registry and then, last, note which recorded change it has followed.

    Parameters
    ----------
    left_behind
        The version that was rolled back and why, which becomes a tag on it, or None.

    Raises
    ------
    ModelError
        When the registry is away.
    """
    with _patient(settings) as client:
        client.set_registered_model_alias(REGISTERED_MODEL, "champion", version_name)
        if left_behind is not None:
            client.set_model_version_tag(REGISTERED_MODEL, left_behind[0], "rolled_back", left_behind[1])
        client.set_registered_model_tag(REGISTERED_MODEL, _FOLLOWED, str(change))


def describe_version(settings: Settings, version_name: str, note: str) -> None:
    """Write on a version what it is and what the gate found."""
    MlflowClient(settings.tracking_uri).update_model_version(REGISTERED_MODEL, version_name, note)


def note_verdict(settings: Settings, challenger: str, verdict: Verdict) -> None:
    """Write on a version what the gate found."""
    client = MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)
    reasons = [f"{'met' if c.met else 'NOT MET'} - {c.name}: {c.found}" for c in verdict.conditions]
    client.set_model_version_tag(REGISTERED_MODEL, challenger, "gate", "promoted" if verdict.promoted else "refused")
    client.set_model_version_tag(REGISTERED_MODEL, challenger, "gate_reasons", "\n".join(reasons))


@contextmanager
def _patient(settings: Settings) -> Iterator[MlflowClient]:
    """Speak to the registry within seconds or not at all."""
    for name, value in REGISTRY_PATIENCE.items():
        os.environ.setdefault(name, value)
    try:
        yield MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)
    except (MlflowException, OSError) as error:
        raise ModelError(
            f"the model registry at {settings.tracking_uri} does not answer ({first_line(error)}); "
            "start the registry or set MLFLOW_TRACKING_URI"
        ) from error


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
