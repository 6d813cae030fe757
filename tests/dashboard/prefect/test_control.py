"""The controls when Prefect does not answer: they say so, soon."""

import socket
import time

import pytest
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
