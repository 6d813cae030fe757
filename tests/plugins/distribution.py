"""Which process runs what: a file stays in one process, and some files wait for each other.

Every second process begins with the slowest files, the others with the quickest, until they meet: the servers and
browsers of four slow files at once would be too late for each other's clocks. The numbers are seconds, measured on a
busy machine, and only decide the order. Files that look at every run of the one Prefect server, or mark runs there,
stand in one group: in two processes they would see each other's. Each test of `tests/standing` is a group of its own.
"""

from collections import OrderedDict
from typing import Any

import pytest

_ALONE = {
    "tests/e2e/test_live.py": "marks runs",
    "tests/operate/up/test_zombie_runs.py": "marks runs",
}
_APART = "tests/standing/test_standing.py"  # what it looks at shares nothing
_SECONDS = {
    "tests/e2e/test_monitor.py": 260,
    "tests/e2e/test_monitor_chain.py": 200,
    "tests/e2e/test_monitor_pages.py": 185,
    "tests/e2e/test_command_line.py": 170,
    "tests/e2e/test_up.py": 170,
    "tests/faults/test_matrix.py": 140,
    "marks runs": 135,
    "tests/cluster/test_postgres.py": 120,
    "tests/cluster/test_random_kills.py": 100,
    "tests/cluster/test_make_cluster.py": 90,
    "tests/cluster/test_chain_on_dask.py": 80,
    _APART: 65,
    "tests/e2e/test_desk.py": 65,
    "tests/flows/test_nights.py": 65,
    "tests/own_data/test_ingest.py": 60,
    "tests/flows/test_temporary_server.py": 60,
    "tests/security/test_foreign_pages.py": 60,
    "tests/etl/live/test_live_day.py": 55,
    "tests/evaluation/test_outside_store.py": 55,
    "tests/etl/test_play_and_group.py": 50,
    "tests/etl/test_days_in_other_zones.py": 50,
    "tests/etl/test_dates_admitted_elsewhere.py": 45,
    "tests/evaluation/test_as_shipped.py": 40,
    "tests/evaluation/test_outside_till.py": 20,
    "tests/flows/test_drift.py": 40,
    "tests/security/test_endings.py": 40,
    "tests/flows/test_loop.py": 37,
    "tests/evaluation/test_trial.py": 35,
    "tests/flows/spreading/test_work_elsewhere.py": 33,
    "tests/training/test_changing_the_champion.py": 30,
    "tests/etl/test_corrections.py": 27,
    "tests/flows/test_learning.py": 27,
    "tests/evaluation/test_compare.py": 25,
    "tests/operate/test_replay.py": 24,
    "tests/etl/live/test_live_learning.py": 24,
    "tests/flows/cli/test_usage.py": 24,
    "tests/operate/test_health.py": 23,
    "tests/training/test_gate_power.py": 22,
    "tests/plugins/test_isolation.py": 22,
    "tests/training/test_bad_challengers.py": 20,
}


def group_of(test: str) -> str:
    """Return the group of a test, of which one process runs all."""
    file = test.partition("::")[0]
    return test if file == _APART else _ALONE.get(file, file)


def seconds_of(group: str) -> int:
    """Return about how long a group takes; 0 of one that is quick."""
    return _SECONDS.get(group.partition("::")[0], 0)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute by these groups, unless another way was asked for on the command line."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class FromEitherEnd(LoadFileScheduling):
        """One group to a process, from either end."""

        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            sign = -1 if int(node.gateway.id.removeprefix("gw")) % 2 == 0 else 1
            by_length = sorted(self.workqueue.items(), key=lambda unit: sign * seconds_of(unit[0]))
            self.workqueue = OrderedDict(by_length)
            super()._assign_work_unit(node)

    return FromEitherEnd(config, log)
