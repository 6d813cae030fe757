"""A home that was moved or copied works from where it is, and never again from where it was."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from catalog.errors import ModelError
from catalog.settings import Settings, read_settings
from training.mlflow.database import follow_home
from training.mlflow.experiments import STUDIES, TRAININGS, client_of, experiment_id


def home_at(folder: Path) -> Settings:
    return read_settings({"SHELFPRICE_HOME": str(folder)})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return a home with two experiments, a run that has an artifact, and a registered version."""
    settings = home_at(tmp_path_factory.mktemp("home") / "first")
    client = client_of(settings)
    experiment_id(client, settings, STUDIES, "studies")
    run_id = client.create_run(experiment_id(client, settings, TRAININGS, "trainings")).info.run_id
    client.log_text(run_id, "a report", "report.html")
    client.create_registered_model("demand")
    model = client.create_logged_model(experiment_id(client, settings, TRAININGS, "trainings"))
    client.create_model_version("demand", model.artifact_location, run_id=run_id, model_id=model.model_id)
    return settings


@pytest.fixture
def moved(made: Settings, tmp_path: Path) -> Settings:
    """Return that home in another place; the first one is not there any more for whoever looks."""
    shutil.copytree(made.home, tmp_path / "it's a #2")
    return home_at(tmp_path / "it's a #2")


def places(settings: Settings) -> set[str]:
    """Return every text of MLflow's database that names a file."""
    with closing(sqlite3.connect(settings.home / "mlflow" / "mlflow.db")) as database:
        found = set()
        for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in database.execute(f'select * from "{table}"').fetchall():  # noqa: S608 - MLflow's own names
                found |= {value for value in row if isinstance(value, str) and "/mlflow/artifacts" in value}
        return found


def read_report(settings: Settings) -> str:
    client: MlflowClient = client_of(settings)
    experiment = client.get_experiment_by_name(TRAININGS)
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    return Path(client.download_artifacts(run.info.run_id, "report.html")).read_text(encoding="utf-8")


def test_every_place_in_the_database_is_in_the_home_that_it_is_in(made: Settings, moved: Settings) -> None:
    before = places(moved)
    assert len(before) >= 3
    assert follow_home(moved) is True
    assert {place.replace(moved.artifacts.as_uri(), made.artifacts.as_uri()) for place in places(moved)} == before
    assert all(place.startswith(f"{moved.artifacts.as_uri()}") for place in places(moved))
    assert follow_home(moved) is False


def test_what_was_kept_is_read_there_and_what_is_new_is_written_there(made: Settings, moved: Settings) -> None:
    untouched = {path: path.read_bytes() for path in made.home.rglob("*") if path.is_file()}
    (moved.artifacts / "marker").touch()
    for report in moved.artifacts.rglob("report.html"):
        report.write_text("the moved report", encoding="utf-8")
    follow_home(moved)
    assert read_report(moved) == "the moved report"
    client = client_of(moved)
    run_id = client.create_run(experiment_id(client, moved, TRAININGS, "trainings")).info.run_id
    client.log_text(run_id, "new", "new.txt")
    assert list(moved.artifacts.rglob("new.txt"))
    assert {path: path.read_bytes() for path in made.home.rglob("*") if path.is_file()} == untouched


def test_a_home_that_stayed_and_one_that_is_new_are_left_alone(made: Settings, tmp_path: Path) -> None:
    file = made.home / "mlflow" / "mlflow.db"
    before = file.read_bytes()
    assert follow_home(made) is False
    assert file.read_bytes() == before
    assert follow_home(home_at(tmp_path / "new")) is False
    assert not (tmp_path / "new").exists()


def test_a_database_that_the_settings_name_elsewhere_belongs_to_nobody_alone(made: Settings, moved: Settings) -> None:
    shared = read_settings({"SHELFPRICE_HOME": str(moved.home), "MLFLOW_TRACKING_URI": made.tracking_uri})
    before = places(moved), places(made)
    assert follow_home(shared) is False
    assert (places(moved), places(made)) == before


def test_a_place_whose_name_only_begins_alike_is_not_touched(moved: Settings, made: Settings) -> None:
    alike = f"{made.artifacts.as_uri()}-of-somebody-else/x"
    with closing(sqlite3.connect(moved.home / "mlflow" / "mlflow.db")) as database, database:
        database.execute("update model_versions set source = ?", (alike,))
    follow_home(moved)
    assert alike in places(moved)


def test_a_database_that_cannot_be_changed_is_refused_and_not_used_as_it_is(
    moved: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.mlflow.database._PATIENCE", 0.1)
    with closing(sqlite3.connect(moved.home / "mlflow" / "mlflow.db", isolation_level=None)) as keeper:
        keeper.execute("begin immediate")
        with pytest.raises(ModelError, match="found those of another home") as told:
            follow_home(moved)
        keeper.execute("rollback")
    assert str(moved.home) in str(told.value)
    assert follow_home(moved) is True


@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b"x" * 5_000), lambda file: file.write_bytes(b"")])
def test_a_damaged_or_empty_database_is_told_by_whoever_needs_it(
    moved: Settings, damage: Callable[[Path], None]
) -> None:
    damage(moved.home / "mlflow" / "mlflow.db")
    assert follow_home(moved) is False
