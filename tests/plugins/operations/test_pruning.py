"""Models that nothing will ask for are taken away, and no others; a kill at any step leaves whole versions alone."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlflow.entities import LoggedModelOutput
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.tracking import MlflowClient

from catalog.load import CLASSIC, load
from catalog.names import REGISTERED_MODEL
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from plugins.operations.mlflow_upkeep.pruning import Pruned, after_night, prune
from training.champion import THE_GATE, ChampionChange, record
from training.mlflow.experiments import TRAININGS, client_of, experiment_id
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

FIRST = dt.date(2026, 1, 5)
VERSIONS = 6  # of which 2 was champion, 3 is named by a day, and with two kept, 5 and 6 are the newest
GO, STAY = {"1", "4"}, {"2", "3", "5", "6"}
STEPS = (
    *((MlflowClient, name) for name in ("set_tag", "delete_model_version", "delete_logged_model")),
    (LocalArtifactRepository, "delete_artifacts"),
)


class Killed(BaseException):
    """Stands for a kill: nothing that comes after happens."""


@pytest.fixture
def workspace(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Register six versions, each with the files of its training, in a lake that judged them all."""
    monkeypatch.setattr("plugins.operations.mlflow_upkeep.pruning.KEPT", 2)
    lake, client = Lake(settings), client_of(settings)
    experiment = experiment_id(client, settings, TRAININGS, "")
    client.create_registered_model(REGISTERED_MODEL)
    file = tmp_path / "model.skops"
    file.write_bytes(b"a forest" * 100)
    for version in range(1, VERSIONS + 1):
        training = client.create_run(experiment).info.run_id
        client.log_text(training, "figure", "figures/demand_curves.png")
        run = client.create_run(experiment, tags={"mlflow.parentRunId": training}).info.run_id
        client.log_metric(run, "log_loss", 0.6)
        model = client.create_logged_model(experiment, name="model", source_run_id=run)
        client.log_model_artifact(model.model_id, str(file))
        client.log_outputs(run, [LoggedModelOutput(model.model_id, 0)])
        client.create_model_version(REGISTERED_MODEL, model.artifact_location, run_id=run, model_id=model.model_id)
        row = {"version": str(version), "judged_through": FIRST + dt.timedelta(days=version), "run_id": run}
        publish(lake, Partition("model_versions", None, f"v{version}"), row)
    client.set_registered_model_alias(REGISTERED_MODEL, "champion", "2")
    now = dt.datetime(2026, 1, 8, tzinfo=dt.UTC)
    record(lake, ChampionChange(1, "2", None, "promoted_by_gate", THE_GATE, now, "it earns more", FIRST))
    publish(lake, Partition("days_in_force", FIRST + dt.timedelta(days=9), "all"), {"model_version": "3"})
    return Workspace(settings, load(CLASSIC), lake)


def publish(lake: Lake, partition: Partition, said: dict[str, Any]) -> None:
    """Publish a row that says something, and what comes first in its types elsewhere."""
    schema = TABLES[partition.table].schema
    empty = {field.name: None if field.nullable else pa.scalar(0).cast(pa.int64()) for field in schema}
    row = {name: said.get(name, None if value is None else blank(schema.field(name))) for name, value in empty.items()}
    lake.publish(partition, pa.Table.from_pylist([row], schema=schema), inputs="x", seed=7)


def blank(field: pa.Field) -> Any:
    if pa.types.is_date(field.type):
        return FIRST
    if pa.types.is_timestamp(field.type):
        return dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    return pa.scalar("1").cast(field.type).as_py() if not pa.types.is_list(field.type) else []


def registered(workspace: Workspace) -> dict[str, bool]:
    """Return which versions the registry has, and whether the model of each is there."""
    found = client_of(workspace.settings).search_model_versions(f"name = '{REGISTERED_MODEL}'")
    return {str(one.version): Path(str(one.source).removeprefix("file://"), "model.skops").exists() for one in found}


def kept_files(workspace: Workspace) -> int:
    return sum(path.is_file() for path in workspace.settings.artifacts.rglob("*"))


def test_what_was_champion_is_named_by_a_day_or_is_new_stays_and_the_rest_goes(workspace: Workspace) -> None:
    assert registered(workspace) == dict.fromkeys(GO | STAY, True)
    assert prune(workspace) == Pruned(("1", "4"), len(GO) * (800 + len("figure")))
    assert registered(workspace) == dict.fromkeys(STAY, True)
    assert kept_files(workspace) == 2 * len(STAY)  # the model of each, and its figure
    assert after_night(workspace) == []
    for version in GO:
        row = workspace.lake.read(Partition("model_versions", None, f"v{version}"))
        run = client_of(workspace.settings).get_run(row["run_id"][0].as_py())
        assert run.data.metrics == {"log_loss": 0.6}


def test_after_a_kill_at_any_step_every_version_is_whole_and_the_next_one_does_the_rest(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for killed_after in itertools.count(1):
        steps = itertools.count(1)
        with monkeypatch.context() as patch:
            for owner, step in STEPS:
                patch.setattr(owner, step, dying(getattr(owner, step), steps, killed_after))
            try:
                prune(workspace)
            except Killed:
                assert all(registered(workspace).values())
                continue
        break
    assert killed_after > len(STEPS)
    assert registered(workspace) == dict.fromkeys(STAY, True)
    assert kept_files(workspace) == 2 * len(STAY)


def dying(step: Callable[..., Any], steps: Iterator[int], killed_after: int) -> Callable[..., Any]:
    """Return a step after which the process is killed when so many steps have been done, of whichever kind."""

    def do(*args: Any, **kwargs: Any) -> Any:
        found = step(*args, **kwargs)
        if next(steps) == killed_after:
            raise Killed
        return found

    return do


def test_a_day_that_cannot_say_which_model_priced_it_keeps_all_of_them(workspace: Workspace) -> None:
    path = workspace.lake.path(Partition("days_in_force", FIRST + dt.timedelta(days=9), "all"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    (said,) = after_night(workspace)
    assert said.startswith("no model was pruned: ")
    assert registered(workspace) == dict.fromkeys(GO | STAY, True)
