"""What disturbs a command line begins before anything is imported, and the product does not notice it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
AN_HOUR = 3600.0
BY_A_MOVED_CLOCK = f"""
import datetime as dt, time
now, today = dt.datetime.now(dt.UTC), dt.date.today()
from tests.faults.child import move_clock
move_clock(-{AN_HOUR})
import pandas, prefect
from flows import pipeline
for moved in (dt.datetime.now(dt.UTC), dt.datetime.fromtimestamp(time.time(), dt.UTC)):
    assert type(moved) is type(now) and isinstance(moved, dt.datetime)
    assert -{AN_HOUR} <= (moved - now).total_seconds() < -{AN_HOUR} / 2, moved
assert abs((dt.datetime.now() - dt.datetime.today()).total_seconds()) < 60
"""


def test_a_command_line_with_a_clock_that_was_moved_imports_what_it_needs() -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", BY_A_MOVED_CLOCK],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.returncode == 0
