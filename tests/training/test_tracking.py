"""MLflow's database is made ahead of its first use, by one process alone."""

from pathlib import Path

import pytest

from catalog.settings import Settings, read_settings
from training.mlflow import experiments
from training.mlflow.experiments import TRAININGS, client_of, experiment_id, prepare_tracking
from warehouse.commits.locks import held


def database(settings: Settings) -> Path:
    return Path(settings.tracking_uri.removeprefix("sqlite:///"))


def test_the_database_is_left_to_whoever_is_making_it_and_made_otherwise(settings: Settings) -> None:
    with held(settings.locks, "tracking"):
        prepare_tracking(settings)
    assert not database(settings).exists()
    prepare_tracking(settings)
    assert database(settings).stat().st_size > 100_000
    assert experiment_id(client_of(settings), settings, TRAININGS, "what it is about")


def test_nothing_is_made_on_a_server_or_where_a_database_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "MlflowClient", None)  # calling it would fail
    there = tmp_path / "mlflow.db"
    there.write_bytes(b"anything")
    for uri in ("http://127.0.0.1:9", f"sqlite:///{there}"):
        prepare_tracking(read_settings({"SHELFPRICE_HOME": str(tmp_path), "MLFLOW_TRACKING_URI": uri}))
