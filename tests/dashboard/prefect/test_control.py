"""The controls when Prefect does not answer: they say so, soon."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.client.schemas.objects import DeploymentStatus
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Cancelled, Cancelling, Completed, Crashed, Failed, Paused, Pending, Running, Scheduled

from catalog.errors import ServiceError
from catalog.settings import read_settings
from dashboard.prefect.control import LiveControl, live_control, word_for


def test_with_nobody_listening_every_control_says_at_once_what_to_run() -> None:
    control = LiveControl("http://127.0.0.1:9/api")
    begun = time.monotonic()
    for act in (control.status, control.start, control.pause, control.resume, control.cancel):
        with pytest.raises(ServiceError, match="run `shelfprice up`"):
            act("S01")
    with pytest.raises(ServiceError, match="does not answer"):
        control.set_speed("S01", 1.0)
    assert time.monotonic() - begun < 6 * 1.5  # Prefect's own client tries again for a second and a half each time


def test_an_orchestrator_that_hangs_is_given_up_soon() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        begun = time.monotonic()
        with pytest.raises(ServiceError, match="does not answer"):
            LiveControl(f"http://127.0.0.1:{silent.getsockname()[1]}/api").status("S01")
        assert time.monotonic() - begun < 15  # on a busy machine, too; without a limit it is a minute


class Busy:
    """A Prefect whose database is locked at the first requests; it knows a worker, and no run yet."""

    def __init__(self, n_times: int) -> None:
        self.left, self.started = n_times, list[str]()

    @contextmanager
    def __call__(self, *_: object) -> Iterator["Busy"]:
        yield self

    def read_flow_runs(self, **_: object) -> list[object]:
        return []

    def read_deployment_by_name(self, _name: str) -> SimpleNamespace:
        return SimpleNamespace(id=uuid4(), status=DeploymentStatus.READY)

    def create_flow_run_from_deployment(self, *_: object, name: str, **options: Any) -> SimpleNamespace:
        if self.left:
            self.left -= 1
            request = httpx.Request("POST", "http://127.0.0.1:9/api")
            raise PrefectHTTPStatusError("busy", request=request, response=httpx.Response(503, request=request))
        self.started.append(name)
        return SimpleNamespace(id=uuid4(), name=name, parameters=options["parameters"], state=Scheduled())


@pytest.mark.parametrize("n_times", [0, 2, 3])
def test_a_store_starts_once_although_prefects_database_is_locked_at_first(
    monkeypatch: pytest.MonkeyPatch, n_times: int
) -> None:
    monkeypatch.setattr("dashboard.prefect.control._PAUSES", (0.0, 0.0, 0.0))
    prefect = Busy(n_times)
    monkeypatch.setattr("dashboard.prefect.control.client_within", prefect)
    assert LiveControl("http://127.0.0.1:9/api").start("S01").state == "waiting"
    assert prefect.started == ["live-S01"]


def test_a_store_that_cannot_start_because_the_database_stays_locked_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dashboard.prefect.control._PAUSES", (0.0, 0.0, 0.0))
    monkeypatch.setattr("dashboard.prefect.control.client_within", Busy(4))
    with pytest.raises(ServiceError, match="its database was locked at each of 4 tries; nothing was changed"):
        LiveControl("http://127.0.0.1:9/api").start("S01")


def test_the_controls_speak_to_the_orchestrator_of_the_settings() -> None:
    moved = read_settings({"SHELFPRICE_PREFECT_ADDRESS": "127.0.0.1:4321"})
    assert live_control(moved).api == "http://127.0.0.1:4321/api"
    elsewhere = read_settings({"PREFECT_API_URL": "http://orchestrator:4200/api"})
    assert live_control(elsewhere).api == "http://orchestrator:4200/api"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (None, "waiting"),
        (Scheduled(), "waiting"),
        (Pending(), "waiting"),
        (Running(), "selling"),
        (Paused(timeout_seconds=60), "paused"),
        (Cancelling(), "stopping"),
        (Completed(), "over"),
        (Cancelled(), "stopped"),
        (Failed(), "failed"),
        (Crashed(), "failed"),
    ],
)
def test_every_state_of_a_run_has_a_word_of_the_shop(state: object, word: str) -> None:
    assert word_for(state) == word  # type: ignore[arg-type]
