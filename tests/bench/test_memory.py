"""The memory that is measured is that of all processes: a worker is a child of the wrapper that ends it."""

import sys
from threading import Event

from bench.processes import forget_peaks, peak_bytes
from catalog.child_process import ChildProcess

HELD = 200_000_000
HOLD = f"held = b'1' * {HELD}; print('holds'); import time; time.sleep(60)"


def test_what_a_worker_under_its_wrapper_holds_is_counted() -> None:
    before, holds = peak_bytes(), Event()
    with ChildProcess((sys.executable, "-c", HOLD), on_line=lambda _line: holds.set()):
        assert holds.wait(20)
        assert peak_bytes() - before > HELD
    assert peak_bytes() - before < HELD


def test_what_was_held_before_a_stage_is_forgotten_when_it_begins() -> None:
    held = b"1" * HELD
    del held
    before = peak_bytes()
    forget_peaks()
    assert before - peak_bytes() > HELD / 2
