"""The model registry: the best candidate of each training is a registered version, and one version is champion."""

import datetime as dt
import json
from collections.abc import Mapping

import pyarrow as pa
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from catalog.errors import Declined
from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings
from catalog.tables.models import MODEL_VERSIONS
from training import notes
from training.candidates import FittedModel
from training.dataset import Dataset
from training.gate import Verdict
from training.off_policy import OffPolicyEstimate
from training.tracking import LoggedModel
from warehouse.locks import held


def register_challenger(logged: LoggedModel, fitted: FittedModel, scores: Mapping[str, float]) -> str:
    """Register a logged model as the newest version, give it the alias `challenger`, and return the version."""
    client = MlflowClient()
    if not _is_registered(client):
        client.create_registered_model(REGISTERED_MODEL, description=notes.MODEL)
    registered = client.create_model_version(
        REGISTERED_MODEL,
        logged.model_uri,
        run_id=logged.run_id,
        model_id=logged.model_id,
        description=fitted.candidate.description,
    )
    client.set_registered_model_alias(REGISTERED_MODEL, "challenger", registered.version)
    client.set_model_version_tag(REGISTERED_MODEL, registered.version, "candidate", fitted.candidate.name)
    client.set_model_version_tag(REGISTERED_MODEL, registered.version, "log_loss", f"{scores['log_loss']:.6f}")
    return str(registered.version)


def describe_version(settings: Settings, version_name: str, note: str) -> None:
    """Write on a version what it is and what the gate found."""
    MlflowClient(settings.tracking_uri).update_model_version(REGISTERED_MODEL, version_name, note)


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
