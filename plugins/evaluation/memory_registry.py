"""A model registry in memory, for worlds that are played and forgotten. Implements `training.registry.ModelRegistry`.

It keeps the models themselves and draws no figures: a night that is evaluated does everything that a store's night does
but for MLflow and for loading the model in another process.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from catalog.currency import Currency
from features.stored_model import StoredModel
from serving.champion import Champion
from training.fit.candidates import FittedCandidate, FittedModel
from training.fit.dataset import Dataset
from training.judge.conditions import Condition
from training.registry import JudgedVersion, LoggedModel, RegistryState, Scores


@dataclass(frozen=True)
class MemoryTraining:
    """One training; what it logs stays in `models`."""

    run_id: str
    dataset: Dataset
    models: dict[str, StoredModel]

    def log(
        self, _fitted: Sequence[FittedCandidate], best: FittedCandidate, _scores: Scores, _money: Currency
    ) -> LoggedModel:
        """Keep the best candidate."""
        model_id = f"{self.run_id}-{best.name}"
        self.models[model_id] = _stored(best.fitted, self.dataset)
        return LoggedModel(model_id, self.run_id, model_id, "memory")

    def check_load(self, _logged: LoggedModel, _best: FittedCandidate) -> Condition:
        """Say that nothing was loaded: the model is the one that was fitted."""
        return Condition("loads and answers in a fresh process", met=True, found="it never left this one")


@dataclass
class MemoryRegistry:
    """Models of one world by version, and who is champion."""

    _models: dict[str, StoredModel] = field(default_factory=dict)
    _versions: list[str] = field(default_factory=list)
    _state: RegistryState = field(default_factory=lambda: RegistryState(None, 0))
    _trainings: int = 0

    def load(self, version: str | None = None) -> Champion | None:
        """Return the champion, or the version asked for; None when there is none."""
        wanted = version or self._state.champion
        if wanted is None or not self.knows(wanted):
            return None
        return Champion(wanted, self._models[self._versions[int(wanted) - 1]])

    def state(self) -> RegistryState:
        """Return who is champion, and which change was followed."""
        return self._state

    def knows(self, version: str) -> bool:
        """Tell whether a version is registered."""
        return version.isdecimal() and 1 <= int(version) <= len(self._versions)

    def follow(self, version: str, change: int, _rolled_back: tuple[str, str] | None = None) -> None:
        """Make a version champion."""
        self._state = RegistryState(version, change)

    @contextmanager
    def training(self, dataset: Dataset, _seed: int) -> Iterator[MemoryTraining]:
        """Open one training."""
        self._trainings += 1
        yield MemoryTraining(f"training-{self._trainings}", dataset, self._models)

    def register(
        self,
        best: LoggedModel,
        _fitted: FittedModel,
        _scores: Mapping[str, float],
        _inputs: str,
        _judged_before: Collection[str],
    ) -> str:
        """Register a candidate as the newest version."""
        self._versions.append(best.model_id)
        return str(len(self._versions))

    def sha256_of(self, _version: str) -> str | None:
        """Return None: there are no files."""
        return None

    def conclude(self, _logged: LoggedModel, _judged: JudgedVersion, _rival: str) -> None:
        """Write nothing."""


def _stored(fitted: FittedModel, dataset: Dataset) -> StoredModel:
    """Return a fitted model as serving would read it."""
    from sklearn import __version__ as built_with

    learned = {"learned_from": str(dataset.learned_from)} if dataset.learned_from else {}
    return StoredModel(
        features=tuple(fitted.features),
        types=("double",) * len(fitted.features),
        built_with=built_with,
        odds_factor=fitted.odds_factor,
        smoothing=fitted.smoothing,
        metadata={"trained_through": str(dataset.trained_through), **learned},
        classifier=fitted.model,
        prior=fitted.prior,
    )
