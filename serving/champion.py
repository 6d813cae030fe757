"""Load the champion, or any version, from the registry: data only, no code, and within seconds or not at all."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from catalog.addresses import refuse_absent_registry
from catalog.arrays import Floats
from catalog.errors import LakeError, ModelError
from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings
from features.prior_forests import PriorForests
from features.stored_model import StoredModel, read_model
from warehouse.databases import asking_registry, holds_anything, sqlite_file
from warehouse.lake import Lake, Partition

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_SHOWN = 12  # of the digits of a fingerprint


@dataclass(frozen=True)
class Champion:
    """A loaded demand model and its registered version."""

    version: str
    model: StoredModel

    @property
    def features(self) -> tuple[str, ...]:
        """Input columns in order."""
        return self.model.features

    @property
    def trained_through(self) -> dt.date | None:
        """Last business date it was fitted on, or None where it does not say."""
        return self._date("trained_through")

    @property
    def learned_from(self) -> dt.date | None:
        """First business date that went into it, or None where it does not say."""
        return self._date("learned_from")

    @property
    def prior(self) -> PriorForests:
        """What it says of products and days before a sale."""
        return self.model.prior

    def _date(self, name: str) -> dt.date | None:
        date = self.model.metadata.get(name)
        return dt.date.fromisoformat(str(date)) if date else None

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        """Chance of sale for rows that have the features, shape (n_rows,).

        Raises
        ------
        ModelError
            When a feature is missing or a prediction is not a probability.
        """
        try:
            return self.model.p_sale(rows)
        except ModelError as error:
            raise ModelError(
                f"model version {self.version} {error}; old prices hold: train on this shelf or roll back"
            ) from error


def load_champion(settings: Settings, version: str | None = None) -> Champion | None:
    """Load the champion, or the version asked for; return None when the registry answers that there is none.

    Its files are held against the fingerprint that the lake's row of the version has; one without a row is
    taken as it is.

    Raises
    ------
    ModelError
        When the registry is away, or the model is damaged, is not what was registered, holds an untrusted type or is a
        pickle.
    """
    uri = settings.tracking_uri
    refuse_absent_registry(settings.tracking_uri)
    file = sqlite_file(uri)
    if file is not None and not holds_anything(file):  # MLflow would make one here, by steps that are no transaction
        return None

    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    with asking_registry(uri):
        client = MlflowClient(uri, registry_uri=uri)
        try:
            version = version or client.get_registered_model(REGISTERED_MODEL).aliases.get("champion")
            if version is None:
                return None
            place = _location(client, str(version))
            folder = download_artifacts(artifact_uri=place, tracking_uri=uri, registry_uri=uri)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST" and _is_unknown(str(error)):
                return None
            raise
    return _proven(_read(Path(folder), str(version)), Lake(settings))


def _location(client: "MlflowClient", version: str) -> str:
    """Return where the files of a version are kept."""
    registered = client.get_model_version(REGISTERED_MODEL, version)
    if registered.model_id is None:
        return str(client.get_model_version_download_uri(REGISTERED_MODEL, version))
    return str(client.get_logged_model(registered.model_id).artifact_location)


def _read(folder: Path, version: str) -> Champion:
    try:
        return Champion(version, read_model(folder))
    except ModelError as error:
        raise ModelError(f"model version {version} {error}; old prices hold: train again or roll back") from error


def _proven(champion: Champion, lake: Lake) -> Champion:
    """Return a champion whose files are those that were registered."""
    row = Partition("model_versions", None, f"v{champion.version}")
    if not lake.holds(row):
        return champion
    try:
        registered = lake.read(row)["model_sha256"][0].as_py()
    except LakeError as error:
        raise ModelError(
            f"model version {champion.version} cannot be held against what was registered: {error}; old prices hold"
        ) from error
    if registered not in (None, champion.model.sha256):
        raise ModelError(
            f"model version {champion.version} is not what was registered: expected files with the SHA-256 "
            f"{registered[:_SHOWN]}, found {str(champion.model.sha256)[:_SHOWN]}; old prices hold: train again or roll "
            "back"
        )
    return champion


def _is_unknown(answer: str) -> bool:
    return "Registered Model" in answer or "Model Version" in answer
