"""Where models are logged, registered and made champion, as training asks for it.

MLflow is the registry of every store (`training.mlflow.registry`). Evaluation plays whole learners in many worlds and
keeps their models in memory, behind the same protocol: so what it measures is the product.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from catalog.arrays import Floats
from serving.champion import Champion
from training.fit.candidates import FittedModel
from training.fit.dataset import Dataset
from training.judge.conditions import Condition
from training.judge.gate import Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Pictures = Callable[[], "Mapping[str, Figure]"]
"""Draws figures, by name, for a registry that keeps some."""


@dataclass(frozen=True)
class LoggedModel:
    """Where the best candidate was logged: its run, the training's, and the model's id and the place of its files.

    `sha256` is the fingerprint of these files; None where there are none.
    """

    run_id: str
    training_run_id: str
    model_id: str
    location: str
    sha256: str | None = None


@dataclass(frozen=True)
class RegistryState:
    """Who is champion in the registry, and the number of the newest recorded change that it has followed, or 0."""

    champion: str | None
    change: int


@dataclass(frozen=True)
class Conclusion:
    """What came of a training, as people read it beside its run.

    Attributes
    ----------
    note, version_note
        Markdown about the training and about the version that was registered.
    tags, metrics
        Of the training's run.
    scores
        Metrics of every candidate by name.
    """

    version: str
    judged_through: dt.date
    note: str
    version_note: str
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    scores: Mapping[str, Mapping[str, float]]


class TrainingLog(Protocol):
    """One training that is being logged; `run_id` names it."""

    @property
    def run_id(self) -> str:
        """The training's run."""
        ...

    def log_candidate(self, fitted: FittedModel, scores: Mapping[str, float], parameters: Mapping[str, Any]) -> None:
        """Log what a candidate was and how it scored."""
        ...

    def log_best(
        self, fitted: FittedModel, scores: Mapping[str, float], parameters: Mapping[str, Any], pictures: Pictures
    ) -> LoggedModel:
        """Log the best candidate in the same way, with its model and figures."""
        ...

    def log_pictures(self, pictures: Pictures) -> None:
        """Log figures about all candidates."""
        ...

    def check_load(self, logged: LoggedModel, fitted: FittedModel, expected: Floats) -> Condition:
        """Load a logged model as serving will, and compare its answers on the held-out cells, shape (n_cells,)."""
        ...


class ModelRegistry(Protocol):
    """The models of a store. Whatever cannot be reached raises ModelError."""

    def load(self, version: str | None = None) -> Champion | None:
        """Return the champion, or the version asked for; None when there is none."""
        ...

    def state(self) -> RegistryState:
        """Return who is champion, and which change was followed."""
        ...

    def knows(self, version: str) -> bool:
        """Tell whether a version is registered."""
        ...

    def follow(self, version: str, change: int, rolled_back: tuple[str, str] | None = None) -> None:
        """Make a version champion and, last, note which recorded change that follows.

        `rolled_back` is the version that was rolled back and why, which is noted on it.
        """
        ...

    def training(self, dataset: Dataset) -> AbstractContextManager[TrainingLog]:
        """Open the log of one training."""
        ...

    def register(
        self,
        best: LoggedModel,
        fitted: FittedModel,
        scores: Mapping[str, float],
        inputs: str,
        judged_before: Collection[str],
    ) -> str:
        """Register a logged model as the newest version and return the version.

        A training that was interrupted leaves a version that is not among those `judged_before`, which the lake has
        rows of: one from the same `inputs` takes that version again.
        """
        ...

    def sha256_of(self, version: str) -> str | None:
        """Return the fingerprint of a version's files as they were logged; None where nobody noted it."""
        ...

    def note_verdict(self, version: str, verdict: Verdict) -> None:
        """Write on a version what the gate found."""
        ...

    def conclude(self, best: LoggedModel, conclusion: Conclusion) -> None:
        """Write on a training and its version what came of it."""
        ...
