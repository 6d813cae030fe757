"""Which process runs what: a file stays in one process, the slowest files begin first, some files wait for each other.

The numbers are processor seconds, measured, and only decide the order. Files that look at every run of the one Prefect
server, or mark runs there, stand in one group: in two processes they would see each other's.
"""

from collections import OrderedDict
from typing import Any

import pytest

_ALONE = {
    "tests/e2e/test_live.py": "marks runs",
    "tests/flows/up/test_zombie_runs.py": "marks runs",
}
_SECONDS = {
    "tests/e2e/test_up.py": 60,
    "tests/e2e/test_command_line.py": 50,
    "tests/e2e/test_monitor_pages.py": 60,
    "tests/e2e/test_monitor.py": 55,
    "marks runs": 40,
    "tests/flows/test_loop.py": 45,
    "tests/flows/test_drift.py": 25,
    "tests/evaluation/test_compare.py": 25,
    "tests/flows/test_nights.py": 40,
    "tests/etl/live/test_live_day.py": 30,
    "tests/training/test_bad_challengers.py": 20,
    "tests/flows/test_ingest.py": 15,
    "tests/flows/test_learning.py": 12,
    "tests/evaluation/test_drift_scorecard.py": 12,
}


def group_of(test: str) -> str:
    """Return the group of a test, of which one process runs all."""
    file = test.partition("::")[0]
    return _ALONE.get(file, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute by these groups, unless another way was asked for on the command line."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class HeavyFirst(LoadFileScheduling):
        """One group to a process, the slowest group first."""

        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            heavy = sorted(self.workqueue.items(), key=lambda unit: -_SECONDS.get(unit[0], 0))
            self.workqueue = OrderedDict(heavy)
            super()._assign_work_unit(node)

    return HeavyFirst(config, log)
