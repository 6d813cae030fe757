"""Which suite a test belongs to: the plain ones, which `make test` runs, or one of those that `make check` adds.

A test is of the suite `server` when it asks for a running Prefect, a browser, other services or real kills, and of the
suite `play` when it plays or learns for long. Fixtures and folders tell most of the former; the rest is marked where it
stands.
"""

from collections.abc import Mapping

import pytest

SUITES = {
    "server": "needs a running Prefect, services, a browser or real kills; mostly set automatically",
    "play": "plays or learns for long",
}
_ASKED_FOR = {"browser": "server", "prefect_server": "server"}
_LONG = (
    "plugins/evaluation/bench/test_browser.py",
    "plugins/connect/api/test_any_request.py",
    "plugins/connect/intake/test_dates.py",
    "plugins/connect/intake/test_hourly_prices.py",
    "plugins/desk/price_changes/test_desk.py",
    "etl/test_damaged_bytes.py",
    "plugins/own_store/history/test_sales.py",
    "plugins/evaluation/test_as_shipped.py",
    "plugins/evaluation/test_peers.py",
    "plugins/evaluation/test_outside_learning.py",
    "flows/test_sql_prompt.py",
    "plugins/operations/test_replay.py",
    "plugins/own_store/test_drawn_commands.py",
    "plugins/own_store/test_ingest.py",
    "support/test_isolation.py",
    "serving/belief/test_reading_the_log.py",
    "serving/test_changing_the_product.py",
    "serving/test_shelf_price.py",
    "standing/",
    "training/test_another_currency.py",
    "training/test_believed_gain.py",
    "training/test_choosing_the_smoothing.py",
    "training/test_fit_candidates.py",
    "plugins/own_store/draws/test_next_draw.py",
    "training/test_training.py",
)
"""Files of the suite `play` in which nearly every test takes seconds."""
_PLACES: Mapping[str, str] = {
    **dict.fromkeys(("tests/plugins/operations/cluster/", "tests/e2e/", "tests/faults/"), "server"),
    **{f"tests/{place}": "play" for place in _LONG},
}


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
