"""The controls do what was pressed, once, and say why when they cannot."""

from typing import Any

import pytest
from monitors import Orchestrator

from catalog.errors import Declined, ServiceError
from dashboard.live_controls import START, SharedStatus, press, usable
from dashboard.prefect.control import LiveRun


class Asked(Orchestrator):
    """An orchestrator that counts looks, and may refuse everything."""

    def __init__(self, state: str | None, error: Exception | None = None) -> None:
        super().__init__()
        self.state, self.error, self.looks = state, error, 0

    def status(self, store: str) -> LiveRun | None:
        self.looks += 1
        if self.error:
            raise self.error
        return super().status(store)


@pytest.mark.parametrize("error", [Declined("S01 is selling already"), ServiceError("Prefect does not answer")])
def test_a_refusal_is_an_answer(error: Exception) -> None:
    control = Asked("selling", error)
    assert press(control, SharedStatus(control), START, "S01", 1.0) == str(error)


def test_many_browsers_ask_once_and_an_orchestrator_that_is_away_is_asked_once_too() -> None:
    control, gone = Asked("selling"), Asked(None, ServiceError("away; run `shelfprice up`"))
    status = SharedStatus(control)
    assert {status.of("S01").state for _ in range(20)} == {"selling"}  # type: ignore[union-attr]
    assert control.looks == 1
    status.of("S01", now=True)
    assert control.looks == 2
    status = SharedStatus(gone)
    for _ in range(20):
        with pytest.raises(ServiceError, match="shelfprice up"):
            status.of("S01")
    assert gone.looks == 1


@pytest.mark.parametrize(
    ("state", "reachable", "can"),
    [
        (None, True, {"start", "reset"}),
        (None, False, set()),
        ("waiting", True, {"stop"}),
        ("selling", True, {"pause", "stop"}),
        ("paused", True, {"pause", "stop"}),
        ("stopping", True, set()),
        ("over", True, {"start", "reset"}),
        ("stopped", True, {"start", "reset"}),
        ("failed", True, {"start", "reset"}),
    ],
)
def test_only_what_makes_sense_can_be_pressed(state: Any, reachable: bool, can: set[str]) -> None:
    disabled = usable(Asked(state).status("S01"), reachable=reachable)
    assert {name for name in ("start", "pause", "stop", "reset") if not disabled[name]} == can
    assert disabled["pause_label"] == ("Resume" if state == "paused" else "Pause")
