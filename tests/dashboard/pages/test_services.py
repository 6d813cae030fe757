"""The Pipeline page tells how each service is, and that none runs where none does."""

import datetime as dt
import os
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from catalog.errors import ServiceError
from catalog.settings import Settings
from dashboard.app import create_app
from dashboard.pages.pipeline_cards import service_list
from plugins.operations.up.states import RunningServices, ServiceState, write_service_states
from warehouse.commits.locks import UP, held

NOW = dt.datetime(2026, 1, 20, 12, tzinfo=dt.UTC)
HOSTILE = "exited with code 3: <script>alert(1)</script>"
RESTARTS = (NOW - dt.timedelta(hours=3), NOW - dt.timedelta(minutes=50), NOW - dt.timedelta(minutes=5))
STATES = (
    ServiceState("prefect", "runs", "http://127.0.0.1:1", "answers", NOW - dt.timedelta(hours=3)),
    ServiceState("mlflow", "models", "http://127.0.0.1:2", "restarting", NOW, RESTARTS, HOSTILE),
    ServiceState("worker", "executes", None, "silent", NOW - dt.timedelta(minutes=2)),
)


def shown(settings: Settings, output: str = "pipeline-services") -> str:
    """Return what a callback of the page answers a browser."""
    asked = {
        "output": f"{output}.children",
        "outputs": {"id": output, "property": "children"},
        "inputs": [{"id": "pipeline-clock", "property": "n_intervals", "value": 1}],
        "changedPropIds": ["pipeline-clock.n_intervals"],
    }
    client, ours = create_app(settings).server.test_client(), {"Origin": "http://localhost"}
    return client.post("/_dash-update-component", json=asked, headers=ours).get_data(as_text=True)


def test_each_service_has_its_state_since_when_how_often_and_why_literally(words: Callable[[Any], str]) -> None:
    said = words(service_list(RunningServices(7, STATES), NOW))
    assert "prefect ✓ answers 3 hours ago 0 –" in said
    assert f"mlflow ↻ restarting just now 2 {HOSTILE}" in said
    assert "worker ✗ does not answer 2 minutes ago 0 –" in said


def test_where_none_runs_the_command_that_starts_them_is_named(words: Callable[[Any], str]) -> None:
    assert "shelfprice up" in words(service_list(None, NOW))


@pytest.mark.parametrize("runs", [True, False])
def test_the_page_shows_what_up_wrote_only_while_it_runs(settings: Settings, runs: bool) -> None:
    settings.home.mkdir(exist_ok=True)
    write_service_states(settings, os.getpid(), STATES)
    if not runs:
        assert "Not running" in shown(settings)
        return
    with held(settings.locks, UP):
        assert "restarting" in shown(settings)


def test_a_damaged_file_is_one_sentence(settings: Settings) -> None:
    with held(settings.locks, UP):
        (settings.home / "services.json").write_text("]", encoding="utf-8")
        assert "it holds something else" in shown(settings)


class Silent:
    """A Prefect that does not answer."""

    def __init__(self, _api: str) -> None:
        pass

    def last(self) -> NoReturn:
        raise ServiceError("Prefect is away")


def test_where_prefect_is_being_started_again_nobody_is_told_to_start_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.monitor.runs_of", Silent)
    with held(settings.locks, UP):
        said = shown(settings, "pipeline-runs")
    assert "starts it again" in said
    assert "Start it:" not in said
    assert "Start it:" in shown(settings, "pipeline-runs")
