import datetime as dt
import threading
import time
from collections.abc import Callable

import pytest

from catalog.settings import Settings
from dashboard.data import verification
from dashboard.data.verification import Verification
from warehouse.lake import Lake
from warehouse.proof import Inspection

NOW = dt.datetime(2026, 1, 20, tzinfo=dt.UTC)


def wait_until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < limit, "it never came to pass"
        time.sleep(0.005)


def test_a_check_runs_beside_the_caller_once_at_a_time_and_tells_its_progress(
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
    wait_until(lambda: checking.progress.done == 1)
    checking.start()
    assert checking.progress.running
    assert checking.progress.total == 2
    go_on.set()
    wait_until(lambda: not checking.progress.running)
    assert len(calls) == 1
    assert checking.progress.verdict == Inspection(2, 5, 0, ())
    assert checking.progress.finished_at == NOW


@pytest.mark.parametrize("error", [OSError("the disk is gone"), MemoryError()])
def test_a_check_that_breaks_says_why_keeps_the_last_verdict_and_can_be_started_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    Lake(settings).prepare()
    checking = Verification(settings, lambda: NOW)
    checking.start()
    wait_until(lambda: not checking.progress.running)
    before = checking.progress.verdict
    assert before is not None
    assert before.findings == ()

    def breaks(_lake: Lake, _tell: Callable[[int, int], None]) -> Inspection:
        raise error

    monkeypatch.setattr(verification, "verify", breaks)
    monkeypatch.setattr(threading, "excepthook", lambda _what: None)
    checking.start()
    wait_until(lambda: not checking.progress.running)
    assert checking.progress.failure is not None
    assert "shelfprice verify" in checking.progress.failure
    assert checking.progress.verdict == before
