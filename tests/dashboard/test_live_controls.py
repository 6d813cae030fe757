"""The controls do what was pressed, once, and say why when they cannot."""

from typing import Any

import pytest

from catalog.errors import Declined, ServiceError
from dashboard.live_controls import PAUSE, SPEED, START, STOP, YES, SharedStatus, away, press, state_of_store, usable
from dashboard.prefect.control import LiveRun


def run(state: Any = "selling") -> LiveRun:
    return LiveRun("S01", "id", "live-S01", state, "", None, 1.0, "http://127.0.0.1:4200/runs/flow-run/id")


class Recorder:
    """A control that notes what was asked of it; its store is in `state`, None before the first run."""

    def __init__(self, state: str | None = None, error: Exception | None = None) -> None:
        self.state, self.error, self.asked = state, error, [("created", "")]
        self.asked.clear()

    def status(self, store: str) -> LiveRun | None:
        self._note("status", store)
        return run(self.state) if self.state else None

    def why_none_starts(self) -> str | None:
        self._note("may start", "")
        return "no worker serves it yet"

    def start(self, store: str, *, tick_seconds: float, again: bool) -> LiveRun:
        return self._note("again" if again else "start", f"{store} {tick_seconds}")

    def pause(self, store: str) -> LiveRun:
        return self._note("pause", store)

    def resume(self, store: str) -> LiveRun:
        return self._note("resume", store)

    def cancel(self, store: str) -> LiveRun:
        return self._note("cancel", store)

    def set_speed(self, store: str, tick_seconds: float) -> LiveRun:
        return self._note("speed", f"{store} {tick_seconds}")

    def _note(self, verb: str, about: str) -> LiveRun:
        self.asked.append((verb, about))
        if self.error:
            raise self.error
        return run()


@pytest.mark.parametrize(
    ("pressed", "state", "asked"),
    [
        (START, None, ("start", "S01 2.0")),
        (YES, "stopped", ("again", "S01 2.0")),
        (STOP, "selling", ("cancel", "S01")),
        (PAUSE, "selling", ("pause", "S01")),
        (PAUSE, "paused", ("resume", "S01")),
        (SPEED, "selling", ("speed", "S01 2.0")),
    ],
)
def test_what_was_pressed_is_asked_of_the_orchestrator(pressed: str, state: str | None, asked: tuple[str, str]) -> None:
    control = Recorder(state)
    assert press(control, SharedStatus(control), pressed, "S01", 2.0) is None
    assert [one for one in control.asked if one[0] != "status"] == [asked]


def test_the_speed_of_an_idle_store_asks_for_nothing() -> None:
    control = Recorder("over")
    press(control, SharedStatus(control), SPEED, "S01", 2.0)
    assert {verb for verb, _ in control.asked} <= {"status"}


@pytest.mark.parametrize("error", [Declined("S01 is selling already"), ServiceError("Prefect does not answer")])
def test_a_refusal_is_an_answer(error: Exception) -> None:
    control = Recorder("selling", error)
    assert press(control, SharedStatus(control), START, "S01", 1.0) == str(error)


def test_many_browsers_ask_once_and_an_orchestrator_that_is_away_is_asked_once_too() -> None:
    control = Recorder("selling")
    status = SharedStatus(control)
    assert {status.of("S01").state for _ in range(20)} == {"selling"}  # type: ignore[union-attr]
    assert len(control.asked) == 1
    status.of("S01", now=True)
    assert len(control.asked) == 2
    gone = Recorder(None, ServiceError("away; run `shelfprice up`"))
    status = SharedStatus(gone)
    for _ in range(20):
        with pytest.raises(ServiceError, match="shelfprice up"):
            status.of("S01")
    assert len(gone.asked) == 1


@pytest.mark.parametrize(
    ("state", "can"),
    [
        (None, {"start", "reset"}),
        ("waiting", {"stop"}),
        ("selling", {"pause", "stop"}),
        ("paused", {"pause", "stop"}),
        ("stopping", set()),
        ("over", {"start", "reset"}),
        ("stopped", {"start", "reset"}),
        ("failed", {"start", "reset"}),
    ],
)
def test_only_what_makes_sense_can_be_pressed(state: str | None, can: set[str]) -> None:
    disabled = usable(run(state) if state else None)
    assert {name for name in ("start", "pause", "stop", "reset") if not disabled[name]} == can
    assert disabled["pause_label"] == ("Resume" if state == "paused" else "Pause")


def test_nothing_can_be_pressed_while_the_orchestrator_is_away() -> None:
    disabled = usable(None, reachable=False)
    assert all(disabled[name] for name in ("start", "pause", "stop", "reset"))


def test_a_state_is_said_in_words() -> None:
    assert state_of_store(None)[0].children == "not live"
    assert state_of_store(run("paused"))[0].children == "paused"
    assert "shelfprice up" in str(away(ServiceError("away; run `shelfprice up`")))
