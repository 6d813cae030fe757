"""Which process runs what: a file stays in one process, the slowest begin, and some files wait for each other.

Files that look at every run of the one Prefect server, or mark runs there, stand in one group: in two processes they
would see each other's. Each test of `tests/standing` is a group of its own.
"""

from collections import OrderedDict
from typing import Any

import pytest

_ALONE = {
    "tests/e2e/test_live.py": "marks runs",
    "tests/plugins/operations/up/test_zombie_runs.py": "marks runs",
}
_APART = "tests/standing/test_standing.py"  # what it looks at shares nothing
_FOLDERS = ("tests/e2e/", "tests/plugins/operations/cluster/", "tests/faults/")
_FILES = (
    "security/first_databases plugins/own_store/ingest plugins/evaluation/outside_learning "
    "plugins/connect/api/any_request "
    "flows/loop flows/nights flows/drift plugins/own_store/drawn_commands security/absent_services "
    "training/changing_the_champion training/gate_power plugins/own_store/draws/next_draw training/believed_gain "
    "plugins/desk/price_changes/desk plugins/operations/replay plugins/operations/checks/doctor "
    "security/foreign_pages security/prefect_server "
    "serving/shelf_price standing/what_was_found"
)
"""Files that take more than fifty seconds on a busy machine, each without its `test_` and its ending."""
_SLOW = {f"tests/{'/test_'.join(name.rsplit('/', 1))}.py" for name in _FILES.split()} | set(_ALONE.values())


def group_of(test: str) -> str:
    """Return the group of a test, of which one process runs all."""
    file = test.partition("::")[0]
    return test if file == _APART else _ALONE.get(file, file)


def is_slow(group: str) -> bool:
    """Tell whether a group should begin early, so that the run does not end with it."""
    return group in _SLOW or group.startswith(_FOLDERS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Distribute by these groups, unless another way was asked for on the command line."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class FromEitherEnd(LoadFileScheduling):
        """Every second process begins with slow groups, the others with quick ones, until they meet.

        The servers and browsers of many slow files at once would be too late for each other's clocks. What waits in a
        process behind a slow group is quick: nobody else can take it.
        """

        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            given = self.assigned_work.get(node, {})
            waits = any(is_slow(group) and not all(tests.values()) for group, tests in given.items())
            begins_slow = int(node.gateway.id.removeprefix("gw")) % 2 == 0 and not waits
            ordered = sorted(self.workqueue.items(), key=lambda unit: is_slow(unit[0]) != begins_slow)
            self.workqueue = OrderedDict(ordered)
            super()._assign_work_unit(node)

    return FromEitherEnd(config, log)
