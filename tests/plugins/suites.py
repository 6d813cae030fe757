"""Which suite a test belongs to: the plain ones, which `make test` runs, or one of those that `make check` adds.

A test is of the suite `server` when it asks for a running Prefect, a browser, other services or real kills, and of the
suite `play` when it plays or learns for long. Fixtures and folders tell most of the former; the rest is marked where it
stands. A test without the mark `server` fails when it starts a server or a browser, runs a flow, or kills a process.
"""

import os
import re
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

SUITES = {
    "server": "needs a running Prefect, services, a browser or real kills; mostly set automatically",
    "play": "plays or learns for long",
}
_ASKED_FOR = {"browser": "server", "prefect_server": "server"}
_LONG = (
    "bench/test_browser.py",
    "connect/api/test_any_request.py",
    "connect/intake/test_dates.py",
    "connect/intake/test_hourly_prices.py",
    "desk/price_changes/test_desk.py",
    "etl/test_damaged_bytes.py",
    "etl/test_kinds_of_exports.py",
    "etl/test_sales.py",
    "evaluation/test_as_shipped.py",
    "evaluation/test_peers.py",
    "evaluation/test_outside_learning.py",
    "flows/test_sql_prompt.py",
    "operate/test_replay.py",
    "own_data/test_drawn_commands.py",
    "own_data/test_ingest.py",
    "plugins/test_cluster_folder.py",
    "plugins/test_isolation.py",
    "plugins/test_suites.py",
    "serving/belief/test_reading_the_log.py",
    "serving/test_changing_the_product.py",
    "serving/test_shelf_price.py",
    "standing/",
    "training/test_another_currency.py",
    "training/test_believed_gain.py",
    "training/test_choosing_the_smoothing.py",
    "training/test_fit_candidates.py",
    "training/test_gain.py",
    "training/test_next_draw.py",
    "training/test_training.py",
)
"""Files of the suite `play` in which nearly every test takes seconds."""
_PLACES: Mapping[str, str] = {
    **dict.fromkeys(("tests/cluster/", "tests/e2e/", "tests/faults/"), "server"),
    **{f"tests/{place}": "play" for place in _LONG},
}
_SERVERS = re.compile(r"prefect_server|prefect server start|mlflow server|playwright")
"""What the command line of a server or a browser has in it."""
_LIBRARY = str(Path(os.__file__).parent)


def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in SUITES.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its suites."""
    for item in items:
        for name in suites_of(item.nodeid, getattr(item, "fixturenames", ())):
            item.add_marker(name)


def suites_of(test: str, fixtures: "tuple[str, ...] | list[str]") -> set[str]:
    """Return the suites of a test by its id and the fixtures that it asks for; none is the plain one."""
    asked = {suite for fixture, suite in _ASKED_FOR.items() if fixture in fixtures}
    return asked | {suite for place, suite in _PLACES.items() if test.startswith(place)}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note what a test does that only one of the suite `server` may do."""
    _PRESENT.is_plain = item.get_closest_marker("server") is None
    _PRESENT.done.clear()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail a plain test that did such a thing."""
    try:
        return (yield)
    finally:
        if _PRESENT.is_plain and _PRESENT.done:
            pytest.fail(
                f"expected a plain test, found one that {', '.join(sorted(_PRESENT.done))}: it has no place in "
                "`make test`. Mark it with `pytest.mark.server`, or let it do without.",
                pytrace=False,
            )


@dataclass
class _Present:
    """The test that runs now, and what it did that only one of the suite `server` may do."""

    is_plain: bool = True
    done: set[str] = field(default_factory=set)


_PRESENT = _Present()


def pytest_collection_finish() -> None:
    """Watch this process from now on: what it starts, what it kills, and the flows that it runs."""
    _before(subprocess.Popen, "__init__", _starts)
    _before(os, "kill", _kills)
    _before(os, "killpg", _kills)
    if "prefect" in sys.modules:
        _before(sys.modules["prefect"].Flow, "__call__", lambda *_, **__: _PRESENT.done.add("ran a flow"))


def _starts(_: Any, *given: Any, **options: Any) -> None:
    command = given[0] if given else options["args"]
    found = _SERVERS.search(command if isinstance(command, str) else " ".join(map(str, command)))
    if found:
        _PRESENT.done.add(f"started {found[0]!r}")


def _kills(process: int, number: int) -> None:
    if number == signal.SIGKILL and process != os.getpid() and _is_asked_by_a_test():
        _PRESENT.done.add("killed a process")


def _is_asked_by_a_test() -> bool:
    """Tell whether a test wants it, and not the product, which ends a child of its own after a file was read."""
    frames = (frame.filename for frame in reversed(traceback.extract_stack()))
    caller = next((name for name in frames if not name.startswith(_LIBRARY) and name != __file__), "")
    return "/tests/" in caller or Path(caller).name.startswith("test_")


def _before(owner: Any, name: str, note: Callable[..., None]) -> None:
    """Call `note` with what a function is called with, before it is."""
    does = getattr(owner, name)

    @wraps(does)
    def noted(*given: Any, **options: Any) -> Any:
        note(*given, **options)
        return does(*given, **options)

    setattr(owner, name, noted)
