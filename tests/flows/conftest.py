"""One Prefect server for the session, and one small loop that was really played."""

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

from catalog.settings import Settings, read_settings

START = dt.date(2026, 3, 2)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


@dataclass(frozen=True)
class PlayedLoop:
    """A home in which the pipeline ran for four days, two of them priced by a champion."""

    settings: Settings
    dates: tuple[dt.date, ...]
    table_artifacts: dict[str, list[dict[str, object]]]


@pytest.fixture(scope="session")
def played_loop(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedLoop]:
    from prefect.client.orchestration import get_client

    from flows.environment import orchestrated
    from flows.pipeline import pipeline

    home = tmp_path_factory.mktemp("loop")
    with pytest.MonkeyPatch.context() as patch, orchestrated():
        live_in(patch, home)
        pipeline(START, 4, 2, 6, 7, None)
        with get_client(sync_client=True) as client:
            tables = {
                artifact.key: json.loads(str(artifact.data)) for artifact in client.read_artifacts() if artifact.key
            }
        yield PlayedLoop(
            read_settings({"SHELFPRICE_HOME": str(home)}),
            tuple(START + dt.timedelta(days=day) for day in range(4)),
            tables,
        )


@pytest.fixture
def in_the_loop(played_loop: PlayedLoop, monkeypatch: pytest.MonkeyPatch) -> PlayedLoop:
    live_in(monkeypatch, played_loop.settings.home)
    return played_loop


def live_in(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Move into a home; MLflow leaves the last one's address in the environment."""
    patch.setenv("SHELFPRICE_HOME", str(home))
    patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home / 'mlflow' / 'mlflow.db'}")


@pytest.fixture
def empty_home(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    live_in(monkeypatch, tmp_path)
    return tmp_path


@pytest.fixture
def copy_of_the_loop(played_loop: PlayedLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A copy of the lake alone: the registry stays behind."""
    shutil.copytree(played_loop.settings.lake, tmp_path / "lake")
    live_in(monkeypatch, tmp_path)
    return read_settings({"SHELFPRICE_HOME": str(tmp_path)})
