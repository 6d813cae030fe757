"""Load the champion from the registry: data only, no code, and within seconds or not at all."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import skops.io
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.tracking import MlflowClient
from sklearn.base import ClassifierMixin

from catalog.arrays import Floats
from catalog.contracts import REGISTERED_MODEL, TRUSTED_MODEL_TYPES
from catalog.errors import ModelError
from catalog.settings import Settings
from features.smoothing import Smoothing, staircase_of

# The registry's own defaults would wait four minutes for a server that is away.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}


@dataclass(frozen=True)
class Champion:
    """A loaded demand model: its registered version, input columns in order, classifier, and how it is smoothed."""

    version: str
    features: tuple[str, ...]
    classifier: Any
    smoothing: Smoothing | None = None

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        """Chance of sale for rows that have the features, shape (n_rows,).

        Raises
        ------
        ModelError
            When a feature is missing or a prediction is not a probability.
        """
        missing = [feature for feature in self.features if feature not in rows.columns]
        if missing:
            raise ModelError(
                f"model version {self.version} expects the feature {missing[0]!r}, which the shelf does not have; "
                "old prices hold: train a model on this shelf"
            )
        X = rows[list(self.features)].astype(float)
        chance = self._smoothed(X, self.smoothing) if self.smoothing else self._raw(X)
        if not (np.isfinite(chance).all() and (chance >= 0).all() and (chance <= 1).all()):
            raise ModelError(
                f"model version {self.version} predicts something that is no probability; old prices hold: "
                "train again or roll back"
            )
        return chance

    def _smoothed(self, X: pd.DataFrame, smoothing: Smoothing) -> Floats:
        return staircase_of(self._raw, X, smoothing.grid).smoothed(smoothing.kernels)

    def _raw(self, X: pd.DataFrame) -> Floats:
        classes = [int(label) for label in self.classifier.classes_]
        if 1 not in classes:
            return np.full(len(X), np.nan)
        return np.asarray(self.classifier.predict_proba(X)[:, classes.index(1)], dtype=float)


def load_champion(settings: Settings) -> Champion | None:
    """Load the champion, or return None when the registry answers that there is none.

    Raises
    ------
    ModelError
        When the registry is away, or the model is damaged, holds an untrusted type or is a pickle.
    """
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    client = MlflowClient(settings.tracking_uri, registry_uri=settings.tracking_uri)
    try:
        version = client.get_registered_model(REGISTERED_MODEL).aliases.get("champion")
        if version is None:
            return None
        mlflow.set_tracking_uri(settings.tracking_uri)
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/{REGISTERED_MODEL}/{version}"))
    except (MlflowException, OSError) as error:
        if getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST" and "Registered Model" in str(error):
            return None
        raise ModelError(
            f"the model registry at {settings.tracking_uri} gives no champion ({_first_line(error)}); "
            "old prices hold: start the registry or set MLFLOW_TRACKING_URI"
        ) from error
    return _read(folder, str(version))


def _read(folder: Path, version: str) -> Champion:
    try:
        described = Model.load(str(folder))
        flavor = described.flavors["sklearn"]
        file = folder / flavor["pickled_model"]
        features = tuple(described.signature.inputs.input_names())
        smoothing = _smoothing_of(described)
        _refuse_code(flavor.get("serialization_format"), file, version)
        classifier = skops.io.load(file, trusted=list(TRUSTED_MODEL_TYPES))
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged file makes its reader do
        raise ModelError(
            f"model version {version} cannot be read ({_first_line(error)}); old prices hold: train again or roll back"
        ) from error
    if not isinstance(classifier, ClassifierMixin):
        raise ModelError(f"model version {version} is a {type(classifier).__name__}, expected a classifier")
    return Champion(version, features, classifier, smoothing)


def _smoothing_of(described: Model) -> Smoothing | None:
    kept = (described.metadata or {}).get("smoothing")
    return Smoothing.from_json(kept) if kept else None


def _refuse_code(kept_as: object, file: Path, version: str) -> None:
    if kept_as != "skops":
        raise ModelError(
            f"model version {version} is kept as {kept_as}, which can run code when it is read; expected skops, "
            "old prices hold: train again"
        )
    untrusted = set(skops.io.get_untrusted_types(file=file)) - set(TRUSTED_MODEL_TYPES)
    if untrusted:
        raise ModelError(f"model version {version} holds the untrusted type {min(untrusted)}; old prices hold")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
