"""Tests that need a browser: marked, and skipped where there is none, which the last line of a run says.

A test needs a browser when it asks for the fixture `browser`, itself or through another fixture.
"""

import os
from collections.abc import Iterator

import pytest

from plugins.evaluation.bench.browser import REMEDY, find_browser


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: needs Chromium, Chrome or Edge; set automatically")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that ask for a browser, and skip them where there is none."""
    is_missing = find_browser() is None
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            if is_missing:
                item.add_marker(pytest.mark.skip(reason="no browser"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Say in the last line how many tests had no browser; where `CI` is set, that is a failure."""
    yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(session.config, "workerinput") or terminal is None or find_browser() is not None:
        return
    skipped = sum("browser" in report.keywords for report in terminal.stats.get("skipped", []))
    if skipped == 0:
        return
    is_error = bool(os.environ.get("CI"))
    if is_error and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    line = f"{skipped} browser tests did not run, no browser was found: {REMEDY}"
    terminal.write_line(f"error: {line}" if is_error else line, yellow=True)
