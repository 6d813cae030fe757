"""Take away models that nothing will ask for: those of trainings long ago that never priced a day.

What stays: the newest versions, every version that is or was champion, and every one that a day in force or a price
book names, for `replay` works such days out again. Of the others, parameters, metrics and the verdict stay; the entry
in the registry, the model and its figures go.

A version in the registry is whole at any moment: the run of its training is marked, then the version leaves the
registry, then the files go, and at last the mark says that they are gone. After a kill the next pruning goes on from
the marks.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from catalog.errors import Declined, LakeError, ModelError
from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings
from training.champion import LOCK, history
from training.fit.session import LEARNING
from training.mlflow.experiments import TRAININGS, reached
from warehouse.commits.locks import held
from warehouse.lake import Lake, Partition
from warehouse.partition import between
from warehouse.workspace import Workspace

_FILES, _GONE = "files", "pruned"
"""The tag of a training's run that says that its files are going, with what they are of, or that they are gone."""


@dataclass(frozen=True)
class Model:
    """A registered version, and the run that its model is from."""

    client: MlflowClient
    version: str
    run_id: str

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(map(_bytes_in, self._places()))

    def take_away(self) -> int:
        """Take away the version and its files, and return how many bytes these were; twice does no harm."""
        self.client.set_tag(self._training, _FILES, f"pruning {self.version} {self.run_id}")
        with _unless_gone():
            self.client.delete_model_version(REGISTERED_MODEL, self.version)
        size = self.bytes
        for place in self._places():
            place.delete_artifacts()  # type: ignore[no-untyped-call]
        for model in self._models:
            with _unless_gone():
                self.client.delete_logged_model(model)
        self.client.set_tag(self._training, _FILES, _GONE)
        return size

    @property
    def _training(self) -> str:
        return str(self.client.get_run(self.run_id).data.tags["mlflow.parentRunId"])

    @property
    def _models(self) -> list[str]:
        outputs = self.client.get_run(self.run_id).outputs
        return [model_output.model_id for model_output in outputs.model_outputs] if outputs else []

    def _places(self) -> Iterator[ArtifactRepository]:
        """Yield where files are kept: of the model, of its run, and of the training."""
        for model in self._models:
            with _unless_gone():
                yield self._place(self.client.get_logged_model(model).artifact_location)
        for run in (self.run_id, self._training):
            yield self._place(self.client.get_run(run).info.artifact_uri)

    def _place(self, address: str) -> ArtifactRepository:
        return get_artifact_repository(address, self.client.tracking_uri)


@dataclass(frozen=True)
class Registered:
    """What the registry has; a version that has an alias is not among it."""

    client: MlflowClient
    versions: frozenset[str]

    @staticmethod
    @contextmanager
    def of(settings: Settings) -> Iterator["Registered"]:
        """Look into the registry of a store; whatever keeps it from answering becomes a ModelError."""
        with reached(settings) as client:
            versions = client.search_model_versions(f"name = '{REGISTERED_MODEL}'")
            named = set(map(str, client.get_registered_model(REGISTERED_MODEL).aliases.values())) if versions else set()
            yield Registered(client, frozenset(str(version.version) for version in versions) - named)

    def models(self, versions: Collection[str]) -> Iterator[Model]:
        """Yield the models of some versions."""
        for version in versions:
            yield Model(self.client, version, str(self.client.get_model_version(REGISTERED_MODEL, version).run_id))

    def left_by_a_kill(self) -> Iterator[Model]:
        """Yield what was being taken away when a process was killed."""
        if (experiment := self.client.get_experiment_by_name(TRAININGS)) is not None:
            for run in self.client.search_runs([experiment.experiment_id], f"tags.{_FILES} LIKE 'pruning %'"):
                yield Model(self.client, *run.data.tags[_FILES].split()[1:])


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Do nothing more where the registry does not know what it is asked for any more."""
    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _bytes_in(place: ArtifactRepository, path: str | None = None) -> int:
    return sum(
        _bytes_in(place, artifact.path) if artifact.is_dir else artifact.file_size or 0
        for artifact in place.list_artifacts(path)
    )


KEPT = 30
"""Newest versions that stay."""
_NAMED_IN = ("days_in_force", "demand_curves")


@dataclass(frozen=True)
class Pruned:
    """Versions that were taken away, and the bytes of their files."""

    versions: tuple[str, ...]
    bytes: int

    @property
    def sentence(self) -> str:
        """What was done, without a full stop."""
        sentence = f"{len(self.versions)} models that price no day, {self.bytes / 1e6:,.1f} MB"
        return f"{sentence}: versions {', '.join(self.versions)}" if self.versions else sentence


def prune(workspace: Workspace) -> Pruned:
    """Take away the models that nothing will ask for.

    Raises
    ------
    Declined
        When a training is under way, or the champion is being changed.
    LakeError
        When a day cannot say which model priced it; nothing was taken away.
    ModelError
        When the registry is away.
    """
    settings, lake = workspace.settings, workspace.lake
    judged = sorted((int(part.group.removeprefix("v")) for part in lake.partitions("model_versions")), reverse=True)
    old = {str(version) for version in judged[KEPT:]}
    if not old:
        return Pruned((), 0)
    with held(settings.locks, LEARNING), held(settings.locks, LOCK), Registered.of(settings) as registered:
        old &= registered.versions
        going = {*registered.left_by_a_kill(), *registered.models(old - _needed(lake, old))}
        size = sum(version.take_away() for version in going)
    return Pruned(tuple(sorted({version.version for version in going}, key=int)), size)


def after_night(workspace: Workspace) -> list[str]:
    """Prune after a night, and say what went, or why nothing did."""
    try:
        pruned = prune(workspace)
    except (Declined, LakeError, ModelError) as error:
        return [f"no model was pruned: {error}"]
    return [f"pruned {pruned.sentence}"] if pruned.versions else []


def _needed(lake: Lake, versions: set[str]) -> set[str]:
    """Return the versions that were champion, or that something names since the first of the others was judged."""
    needed = {str(version) for change in history(lake) for version in (change.version, change.previous)}
    wanted = versions - needed
    if wanted:
        oldest = lake.read(Partition("model_versions", None, f"v{min(wanted, key=int)}"))
        since = between(oldest["judged_through"][0].as_py(), dt.date.max)
        for part in (partition for table in _NAMED_IN for partition in lake.partitions(table, since)):
            needed.update(lake.read(part)["model_version"].to_pylist())
    return needed
