"""What a training that was killed left in MLflow: versions that nobody judged to the end, and runs that never end."""

from collections.abc import Collection
from dataclasses import dataclass

from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings
from training.mlflow.experiments import STUDIES, TRAININGS, reached
from training.mlflow.registry import INTERRUPTED


@dataclass(frozen=True)
class LeftRun:
    """A run that MLflow believes to be running."""

    run_id: str
    name: str


def versions_without_verdict(settings: Settings, judged: Collection[str]) -> list[str]:
    """Return the versions that are newer than every judged one and not yet said to be interrupted, oldest first.

    Older ones without a row were judged once: their rows were damaged and set aside. Where none was judged,
    those with a verdict are of another lake.
    """
    newest = max((int(version) for version in judged), default=0)
    with reached(settings) as client:
        versions = client.search_model_versions(f"name = '{REGISTERED_MODEL}'")
    verdicts = (
        {INTERRUPTED}
        if judged
        else {INTERRUPTED, *(version.tags["gate"] for version in versions if "gate" in version.tags)}
    )
    left = [int(version.version) for version in versions if version.tags.get("gate") not in verdicts]
    return [str(version) for version in sorted(left) if version > newest]


def unended_runs(settings: Settings) -> list[LeftRun]:
    """Return the runs of our experiments that never ended."""
    with reached(settings) as client:
        experiments = [client.get_experiment_by_name(name) for name in (TRAININGS, STUDIES)]
        ours = [experiment.experiment_id for experiment in experiments if experiment is not None]
        runs = client.search_runs(ours, "attributes.status = 'RUNNING'") if ours else []
    return [LeftRun(run.info.run_id, run.info.run_name or run.info.run_id) for run in runs]


def end_run(settings: Settings, run: LeftRun) -> None:
    """End a run as killed."""
    with reached(settings) as client:
        client.set_terminated(run.run_id, "KILLED")
