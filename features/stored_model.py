"""A stored demand model: data in skops format with a description beside it, read without running any code.

Training checks a stored model in a fresh process, and serving sets prices by it. Both read it here, so the model that
was checked is the one that sets prices.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
import pandas as pd
import yaml

from catalog.arrays import Floats
from catalog.errors import ModelError, first_line
from catalog.names import TRUSTED_MODEL_TYPES
from features.attributes import with_attributes
from features.prior_forests import NO_PRIOR, PriorForests
from features.product_columns import input_of, missing_in
from features.smoothing import Smoothing, chance_of

_LOADER = "mlflow.sklearn"
PRIOR_FILE = "prior.skops"
"""Name of the file beside the classifier that holds the forests of products and of days."""
_NOTE_OF_MLFLOW = "registered_model_meta"


@dataclass(frozen=True)
class StoredModel:
    """A classifier that was read, its own description, and how its odds are corrected.

    Attributes
    ----------
    features
        Input columns in order.
    types
        Their types in the signature; all are `double` in a model made here.
    built_with
        Version of scikit-learn with which it was built.
    odds_factor
        Factor for the odds of sale; not 1 where the classes were reweighted.
    smoothing
        How its steps are smoothed, or None.
    metadata
        Everything else that was kept with it when it was logged.
    sha256
        Fingerprint of its files as `fingerprint_of` gives it; None for a model that was never stored.
    prior
        What it says of products and days before a sale.
    """

    features: tuple[str, ...]
    types: tuple[str, ...]
    built_with: str
    odds_factor: float
    smoothing: Smoothing | None
    metadata: Mapping[str, Any]
    classifier: Any
    sha256: str | None = None
    prior: PriorForests = NO_PRIOR

    def p_sale(self, rows: pd.DataFrame) -> Floats:
        """Chance of sale for rows that have the features, shape (n_rows,).

        Raises
        ------
        ModelError
            When a feature is missing, the model never saw a purchase, or a prediction is not a probability.
        """
        rows = with_attributes(rows, self.prior.attributes)
        if missing := missing_in(rows, self.features):
            raise ModelError(f"expects the feature {missing[0]!r}, which the shelf does not have")
        classes = [int(label) for label in self.classifier.classes_]
        if classes != [0, 1]:
            raise ModelError(f"tells the classes {classes} apart, expected 0 (refused) and 1 (bought)")
        chance = chance_of(self._raw, rows, self.features, self.smoothing)
        if not (np.isfinite(chance).all() and (chance >= 0).all() and (chance <= 1).all()):
            raise ModelError("predicts something that is no probability")
        return chance

    def as_classified(self, rows: pd.DataFrame) -> Floats:
        """Return the classifier's own chance of sale, odds uncorrected and steps not smoothed, shape (n_rows,)."""
        return np.asarray(self.classifier.predict_proba(input_of(rows, self.features))[:, 1], dtype=float)

    def _raw(self, X: pd.DataFrame) -> Floats:
        return with_odds(self.as_classified(X), self.odds_factor)


def model_as_data(model: Any) -> bytes:
    """Return a model in skops format, in which it travels and is kept: data, which can run nothing, compressed."""
    from skops.io import dumps

    data: bytes = dumps(model, compression=ZIP_DEFLATED)
    return data


def model_from_data(data: bytes) -> Any:
    """Return the model that `model_as_data` made data of.

    Raises
    ------
    ModelError
        When it holds a type that a model may not contain; nothing of it was loaded.
    """
    from skops.io import get_untrusted_types, loads

    untrusted = set(get_untrusted_types(data=data)) - set(TRUSTED_MODEL_TYPES)
    if untrusted:
        raise ModelError(f"a model was sent that holds the untrusted type {min(untrusted)}; it was not loaded")
    return loads(data, trusted=list(TRUSTED_MODEL_TYPES))


def with_odds(chance: Floats, factor: float) -> Floats:
    """Multiply the odds of some chances by a factor; 0 and 1 stay.

    A model fitted with class weights w0 and w1 sees w1 / w0 times the true odds; the factor w0 / w1 corrects
    that. After Elkan, "The foundations of cost-sensitive learning" (IJCAI, 2001).
    """
    return chance if factor == 1 else chance * factor / (1 - chance + chance * factor)


def fingerprint_of(folder: Path) -> str:
    """Return the SHA-256 over every file in a logged model's folder, with their names: any byte of them counts.

    That includes what prices do not depend on, such as the packages that other clients of MLflow are told to install.
    MLflow leaves a note of its own beside the files where it has loaded a model by its name; that one is left out.

    Raises
    ------
    ModelError
        When the folder is damaged; the message is a predicate, as that of `read_model`.
    """
    digest = hashlib.sha256()
    try:
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        for name in sorted(files.keys() - {_NOTE_OF_MLFLOW}):
            content = files[name].read_bytes()
            digest.update(f"{name}\n{len(content)}\n".encode() + content)
    except OSError as error:
        raise ModelError(f"cannot be read ({first_line(error)})") from error
    return digest.hexdigest()


def read_model(folder: Path) -> StoredModel:
    """Read a logged model's folder. Nothing in it is executed: a pickle or an unknown type is refused unread.

    A night needs the same champion many times: while none of its files changes, it is read once.

    Raises
    ------
    ModelError
        When the folder is damaged or holds anything but a classifier in skops format. The message is a predicate,
        "cannot be read (...)", which follows the name of the model.
    """
    try:
        stands = [(path, path.stat()) for path in sorted(folder.rglob("*"))]
    except OSError as error:
        raise ModelError(f"cannot be read ({first_line(error)})") from error
    return _read(folder, tuple((path, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size) for path, stat in stands))


@lru_cache(maxsize=2)
def _read(folder: Path, _as_it_stands: tuple[tuple[Path, int, int, int], ...]) -> StoredModel:
    from sklearn.base import ClassifierMixin
    from skops.io import load

    try:
        described = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
        flavor = described["flavors"]["sklearn"]
        inputs = json.loads(described["signature"]["inputs"])
        metadata = described.get("metadata") or {}
        smoothing = Smoothing.from_json(metadata["smoothing"]) if "smoothing" in metadata else None
        _refuse_foreign_loader(described["flavors"].get("python_function", {}))
        file = folder / flavor["pickled_model"]
        _refuse_code(flavor.get("serialization_format"), file)
        sha256 = fingerprint_of(folder)
        classifier = load(file, trusted=list(TRUSTED_MODEL_TYPES))
        prior = _read_prior(folder / PRIOR_FILE)
    except ModelError:
        raise
    except Exception as error:  # a damaged file can make its reader raise anything
        raise ModelError(f"cannot be read ({first_line(error)})") from error
    if not isinstance(classifier, ClassifierMixin):
        raise ModelError(f"is a {type(classifier).__name__}, expected a classifier")
    return StoredModel(
        features=tuple(str(column["name"]) for column in inputs),
        types=tuple(str(column["type"]) for column in inputs),
        built_with=str(flavor.get("sklearn_version")),
        odds_factor=float(metadata.get("odds_factor", 1.0)),
        smoothing=smoothing,
        metadata=metadata,
        classifier=classifier,
        sha256=sha256,
        prior=prior,
    )


def _read_prior(file: Path) -> PriorForests:
    from skops.io import load

    if not file.exists():
        return NO_PRIOR
    _refuse_code("skops", file)
    return PriorForests.from_plain(load(file, trusted=list(TRUSTED_MODEL_TYPES)))


def _refuse_code(kept_as: object, file: Path) -> None:
    if kept_as != "skops":
        raise ModelError(f"is kept as {kept_as}, which can run code when it is read, expected skops")
    from skops.io import get_untrusted_types

    untrusted = set(get_untrusted_types(file=file)) - set(TRUSTED_MODEL_TYPES)
    if untrusted:
        raise ModelError(f"holds the untrusted type {min(untrusted)}")


def _refuse_foreign_loader(flavor: Mapping[str, Any]) -> None:
    """Refuse a model that would bring code of its own wherever MLflow loads it."""
    loader, code = flavor.get("loader_module", _LOADER), flavor.get("code")
    if loader != _LOADER or code:
        raise ModelError(f"would run the code of {code or loader} where MLflow loads it, expected {_LOADER} alone")
