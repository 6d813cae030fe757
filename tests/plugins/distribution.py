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
    "tests/cluster/test_make_cluster.py": 90,
    "tests/e2e/test_command_line.py": 90,
    "tests/e2e/test_up.py": 105,
    "tests/e2e/test_monitor.py": 80,
    "tests/faults/test_matrix.py": 70,
    "tests/e2e/test_monitor_pages.py": 75,
    "marks runs": 50,
    "tests/flows/test_loop.py": 45,
    "tests/flows/test_nights.py": 30,
    "tests/etl/live/test_live_day.py": 20,
    "tests/evaluation/test_drift_scorecard.py": 18,
    "tests/serving/test_replay.py": 14,
    "tests/flows/test_ingest.py": 14,
    "tests/training/test_changing_the_champion.py": 12,
    "tests/flows/test_health.py": 12,
    "tests/flows/test_drift.py": 11,
    "tests/plugins/test_isolation.py": 11,
    "tests/training/test_bad_challengers.py": 11,
    "tests/training/test_gain.py": 10,
    "tests/evaluation/test_compare.py": 10,
    "tests/training/test_training.py": 9,
    "tests/flows/test_learning.py": 9,
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
