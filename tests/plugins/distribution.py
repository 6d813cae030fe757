"""Which process runs what: a file stays in one process, and some files wait for each other.

Every second process begins with the slowest files, the others with the quickest, until they meet: the servers and
browsers of many slow files at once would be too late for each other's clocks. What waits in a process behind a slow
file is quick: nobody else can take it. The numbers are seconds, measured on a busy machine, and only decide the order.

Files that look at every run of the one Prefect server, or mark runs there, stand in one group: in two processes they
would see each other's. Each test of `tests/standing` is a group of its own.
"""

from collections import OrderedDict
from typing import Any

import pytest

_ALONE = {
    "tests/e2e/test_live.py": "marks runs",
    "tests/operate/up/test_zombie_runs.py": "marks runs",
}
_APART = "tests/standing/test_standing.py"  # what it looks at shares nothing
_FILES = {
    250: "cluster/postgres e2e/monitor e2e/monitor_chain",
    200: "e2e/up security/first_databases",
    140: "cluster/make_cluster cluster/random_kills e2e/command_line e2e/monitor_pages faults/matrix",
    100: "etl/kinds_of_exports own_data/ingest",
    80: (
        "cluster/backup cluster/chain_on_dask cluster/dask connect/api/any_request "
        "evaluation/hourly_twin flows/loop own_data/drawn_commands security/absent_services "
        "training/changing_the_champion training/gate_power training/next_draw"
    ),
    60: (
        "cluster/delta_kills cluster/lake_elsewhere desk/price_changes/desk e2e/connect_a_store e2e/desk "
        "etl/replacing evaluation/outside_learning flows/nights operate/replay security/foreign_pages "
        "training/believed_gain"
    ),
    50: (
        "e2e/desk_of_drawn_prices etl/damaged_bytes etl/play_and_group flows/drift "
        "flows/sql_prompt flows/temporary_server operate/doctor security/endings "
        "security/prefect_server security/sql serving/shelf_price standing/what_was_found warehouse/views"
    ),
    40: (
        "cluster/delta_store cluster/privileges dashboard/advice dashboard/data/desk/desk_acts etl/corrections "
        "etl/sales evaluation/peers flows/cli/usage flows/learning security/requests "
        "serving/guardrails standing/standing training/bad_challengers training/fit_candidates"
    ),
    30: (
        "catalog/child_process cluster/servers connect/api/price_changes_over_http connect/export/exporting "
        "connect/intake/hourly_prices connect/intake/intake_kills connect/quote_api dashboard/address "
        "desk/alerts/alerts desk/commands evaluation/as_shipped "
        "faults/child features/visit_counts flows/spreading/work_elsewhere "
        "operate/up/supervisor plugins/suites serving/belief/learning_while_selling serving/guardrail_modes "
        "serving/belief/reading_the_log training/report training/training warehouse/assertions "
        "warehouse/proving_the_lake"
    ),
}
"""How many seconds a file of `tests` takes, each without its `test_` and its ending."""
KNOWN_FILES = {
    f"tests/{'/test_'.join(name.rsplit('/', 1))}.py": seconds
    for seconds, names in _FILES.items()
    for name in names.split()
}
_SECONDS = {"marks runs": 230} | KNOWN_FILES


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
            given = self.assigned_work.get(node, {})
            waits = any(seconds_of(group) and not all(tests.values()) for group, tests in given.items())
            sign = -1 if int(node.gateway.id.removeprefix("gw")) % 2 == 0 and not waits else 1
            by_length = sorted(self.workqueue.items(), key=lambda unit: sign * seconds_of(unit[0]))
            self.workqueue = OrderedDict(by_length)
            super()._assign_work_unit(node)

    return FromEitherEnd(config, log)
