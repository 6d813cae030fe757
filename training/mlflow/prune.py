"""Take a registered version away with its files, so that a version that the registry has is whole at any moment.

The run of its training is marked, then the version leaves the registry, then the files go, and at last the mark says
that they are gone. After a kill the next one goes on from the marks.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings
from training.mlflow.experiments import TRAININGS, reached

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
        return [one.model_id for one in outputs.model_outputs] if outputs else []

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
            found = client.search_model_versions(f"name = '{REGISTERED_MODEL}'")
            named = set(map(str, client.get_registered_model(REGISTERED_MODEL).aliases.values())) if found else set()
            yield Registered(client, frozenset(str(one.version) for one in found) - named)

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
    return sum(_bytes_in(place, one.path) if one.is_dir else one.file_size or 0 for one in place.list_artifacts(path))
