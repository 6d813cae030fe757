import datetime as dt
import threading
import time
from collections.abc import Callable

import pytest

from catalog.settings import Settings
from dashboard.data import verification
from dashboard.data.verification import Verification
from warehouse.lake import Lake
from warehouse.verify import Inspection

NOW = dt.datetime(2026, 1, 20, tzinfo=dt.UTC)


def wait_until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < limit, "it never came to pass"
        time.sleep(0.005)


def test_a_check_goes_on_beside_the_caller_once_at_a_time_and_tells_how_far_it_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, calls = threading.Event(), []

    def slow(_lake: Lake, tell: Callable[[int, int], None]) -> Inspection:
        calls.append(1)
        tell(1, 2)
        assert go_on.wait(10)
        return Inspection(2, 5, 0, ())

    monkeypatch.setattr(verification, "verify", slow)
    checking = Verification(settings, lambda: NOW)
    checking.start()
    wait_until(lambda: checking.check.done == 1)
    checking.start()
    assert checking.check.running
    assert checking.check.total == 2
    go_on.set()
    wait_until(lambda: not checking.check.running)
    assert len(calls) == 1
    assert checking.check.verdict == Inspection(2, 5, 0, ())
    assert checking.check.finished_at == NOW


@pytest.mark.parametrize("error", [OSError("the disk is gone"), MemoryError()])
def test_a_check_that_breaks_says_why_keeps_the_last_verdict_and_can_be_started_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    Lake(settings).prepare()
    checking = Verification(settings, lambda: NOW)
    checking.start()
    wait_until(lambda: not checking.check.running)
    before = checking.check.verdict
    assert before is not None
    assert before.findings == ()

    def breaks(_lake: Lake, _tell: Callable[[int, int], None]) -> Inspection:
        raise error

    monkeypatch.setattr(verification, "verify", breaks)
    monkeypatch.setattr(threading, "excepthook", lambda _what: None)
    checking.start()
    wait_until(lambda: not checking.check.running)
    assert checking.check.failure is not None
    assert "shelfprice verify" in checking.check.failure
    assert checking.check.verdict == before
