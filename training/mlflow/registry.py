"""The model registry in MLflow: the best candidate of each training is a version, and one version is champion."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings
from serving.champion import Champion, load_champion
from training.fit.candidates import FittedModel
from training.fit.dataset import Dataset
from training.mlflow.experiments import ABOUT_MODEL, client_of, reached
from training.mlflow.runs import MlflowTraining, conclude, training_run
from training.registry import JudgedVersion, LoggedModel, RegistryState

_FOLLOWED = "champion_change"
_FINGERPRINT = "model_sha256"
INTERRUPTED = "interrupted"
"""What the tag `gate` says of a version that no training will judge any more."""


@dataclass(frozen=True)
class MlflowRegistry:
    """The models of a store, at the address that the settings name. Implements `training.registry.ModelRegistry`."""

    settings: Settings

    def load(self, version: str | None = None) -> Champion | None:
        """Load the champion, or the version asked for; None when the registry answers that there is none."""
        return load_champion(self.settings, version)

    def state(self) -> RegistryState:
        """Return who is champion, and which recorded change was followed."""
        with reached(self.settings) as client:
            model = _found(client.get_registered_model, REGISTERED_MODEL)
            if model is None:
                return RegistryState(None, 0)
            champion = model.aliases.get("champion")
            return RegistryState(None if champion is None else str(champion), int(model.tags.get(_FOLLOWED, 0)))

    def knows(self, version: str) -> bool:
        """Return whether a version is registered."""
        with reached(self.settings) as client:
            return version.isdecimal() and _found(client.get_model_version, REGISTERED_MODEL, version) is not None

    def follow(self, version: str, change: int, rolled_back: tuple[str, str] | None = None) -> None:
        """Set the alias `champion`, tag the version that was rolled back, and last note which change that follows."""
        with reached(self.settings) as client:
            client.set_registered_model_alias(REGISTERED_MODEL, "champion", version)
            if rolled_back is not None:
                client.set_model_version_tag(REGISTERED_MODEL, rolled_back[0], "rolled_back", rolled_back[1])
            client.set_registered_model_tag(REGISTERED_MODEL, _FOLLOWED, str(change))

    def training(self, dataset: Dataset, seed: int) -> AbstractContextManager[MlflowTraining]:
        """Open the parent run of one training."""
        return training_run(self.settings, dataset, seed)

    def register(
        self,
        best: LoggedModel,
        fitted: FittedModel,
        scores: Mapping[str, float],
        inputs: str,
        judged_before: Collection[str],
    ) -> str:
        """Register a logged model, give it the alias `challenger`, and return its version."""
        client = client_of(self.settings)
        if _found(client.get_registered_model, REGISTERED_MODEL) is None:
            client.create_registered_model(REGISTERED_MODEL, description=ABOUT_MODEL)
        version = _left_by_a_kill(client, inputs, judged_before)
        if version is None:
            tags = {"candidate": fitted.candidate.name, "log_loss": f"{scores['log_loss']:.6f}", "inputs": inputs}
            registered = client.create_model_version(
                REGISTERED_MODEL,
                best.location,
                run_id=best.run_id,
                model_id=best.model_id,
                description=fitted.candidate.description,
                tags=tags | ({_FINGERPRINT: best.sha256} if best.sha256 else {}),
            )
            version = str(registered.version)
        client.set_registered_model_alias(REGISTERED_MODEL, "challenger", version)
        return version

    def sha256_of(self, version: str) -> str | None:
        """Return the fingerprint with which a version was registered; None for one whose files were not kept."""
        tags = client_of(self.settings).get_model_version(REGISTERED_MODEL, version).tags
        return tags.get(_FINGERPRINT)

    def conclude(self, logged: LoggedModel, judged: JudgedVersion, rival: str) -> None:
        """Write on a training's run and on its version what came of it."""
        client, version = client_of(self.settings), judged.version
        conclude(client, logged, judged, rival)
        reasons = [f"{'met' if c.met else 'NOT MET'} - {c.name}: {c.found}" for c in judged.verdict.conditions]
        client.set_model_version_tag(REGISTERED_MODEL, version, "gate_reasons", "\n".join(reasons))
        client.set_model_version_tag(REGISTERED_MODEL, version, "gate", judged.verdict.outcome)
        client.update_model_version(REGISTERED_MODEL, version, judged.note)


def _left_by_a_kill(client: MlflowClient, inputs: str, judged_before: Collection[str]) -> str | None:
    """Return the newest version if it came from the same inputs and its training ended before it was committed.

    One that came from other inputs will never be judged, and says so.
    """
    versions = client.search_model_versions(
        f"name = '{REGISTERED_MODEL}'", max_results=1, order_by=["version_number DESC"]
    )
    for left in versions:
        if str(left.version) in judged_before or left.tags.get("gate") == INTERRUPTED:
            return None
        if left.tags.get("inputs") == inputs:
            return str(left.version)
        if judged_before or "gate" not in left.tags:  # before its first training a lake may share a registry
            client.set_model_version_tag(REGISTERED_MODEL, left.version, "gate", INTERRUPTED)
    return None


def _found(ask: Callable[..., Any], *names: str) -> Any:
    """Return what a client has under a name; None where it has nothing. Lists of versions grow with every night."""
    try:
        return ask(*names)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
