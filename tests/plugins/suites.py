"""Which suite a test belongs to: the plain ones, which `make test` runs, or one of those that `make check` runs, too.

A test is of the suite `server` when it asks for a running Prefect, a browser, services or real kills, and of the suite
`play` when it plays or learns for long. Both are told by what a test asks for, and by the file that it stands in.
"""

from collections.abc import Mapping

import pytest

SUITES = {
    "server": "needs a running Prefect, services, a browser or real kills; set automatically",
    "play": "plays or learns for long; set automatically",
}
_ASKED_FOR = {"browser": "server", "prefect_server": "server"}
_PLACES: Mapping[str, str] = {
    "tests/e2e/": "server",
    "tests/faults/": "server",
    "tests/operate/up/": "server",
    "tests/security/test_endings.py": "server",
    "tests/security/test_first_databases.py": "server",
    "tests/security/test_foreign_pages.py": "server",
    "tests/flows/test_temporary_server.py": "server",
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
