"""Load the champion, or any version, from the registry: data only, no code, and within seconds or not at all."""

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from catalog.arrays import Floats
from catalog.errors import ModelError, first_line
from catalog.names import REGISTERED_MODEL, REGISTRY_PATIENCE
from catalog.settings import Settings
from features.stored_model import StoredModel, read_model


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

    def _date(self, name: str) -> dt.date | None:
        said = self.model.metadata.get(name)
        return dt.date.fromisoformat(str(said)) if said else None

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

    Raises
    ------
    ModelError
        When the registry is away, or the model is damaged, holds an untrusted type or is a pickle.
    """
    for name, value in REGISTRY_PATIENCE.items():
        os.environ.setdefault(name, value)
    client = MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)
    try:
        version = version or client.get_registered_model(REGISTERED_MODEL).aliases.get("champion")
        if version is None:
            return None
        mlflow.set_tracking_uri(settings.tracking_uri)
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/{REGISTERED_MODEL}/{version}"))
    except (MlflowException, OSError) as error:
        if getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST" and _is_unknown(str(error)):
            return None
        raise ModelError(
            f"the model registry at {settings.tracking_uri} gives no model ({first_line(error)}); "
            "old prices hold: start the registry or set MLFLOW_TRACKING_URI"
        ) from error
    return _read(folder, str(version))


def _read(folder: Path, version: str) -> Champion:
    try:
        return Champion(version, read_model(folder))
    except ModelError as error:
        raise ModelError(f"model version {version} {error}; old prices hold: train again or roll back") from error


def _is_unknown(answer: str) -> bool:
    return "Registered Model" in answer or "Model Version" in answer
