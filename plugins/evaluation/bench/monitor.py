"""How quick the monitor is over ten million decisions: what a browser waits for, and what an open page costs.

Every figure comes from the real app in a process of its own and from a real browser.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, Request, sync_playwright

from dashboard.app import all_pages
from plugins.evaluation.bench.browser import launch, require_browser
from plugins.evaluation.bench.measure import ROOT, Measurement, own_environment, say
from plugins.evaluation.bench.processes import Server, processor_seconds, served

_STORES, _DAYS = 2_000, 10  # of 500 visits: ten million decisions
_SETTLED_AFTER = 4_000  # milliseconds
_IDLE_SECONDS = 20.0
_UPDATE = "_dash-update-component"


@dataclass(frozen=True)
class Looked:
    """What one visit to a page took, milliseconds: until something is painted, and of server time for each update."""

    painted: float
    updates: tuple[float, ...]


def monitor() -> Iterator[Measurement]:
    """Visit every page twice: the second visit is what people usually get."""
    require_browser()
    with tempfile.TemporaryDirectory(prefix="shelfprice-bench-", ignore_cleanup_errors=True) as home:
        say("  playing ten million decisions")
        _play(home)
        with served("dashboard", environment={"SHELFPRICE_HOME": home}) as server, sync_playwright() as playwright:
            browser = launch(playwright)
            visits = {page.name: [look(browser, f"{server.url}{page.path}") for _ in range(2)] for page in all_pages()}
            for name, (first, second) in visits.items():
                yield Measurement("monitor", f"{name}: first paint", second.painted / 1000, "s", (), 1.5)
                yield Measurement("monitor", f"{name}: first picture", max(first.updates) / 1000, "s", (), None)
                yield Measurement("monitor", f"{name}: an update", max(second.updates) / 1000, "s", (), 0.15)
            yield Measurement("monitor", "an open page, idle", _idle(browser, server), "cores", (), 0.03)
            browser.close()


def look(browser: Browser, address: str) -> Looked:
    """Open a page in a fresh browser context and wait until its figures stand."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    updates: list[float] = []

    def note(request: Request) -> None:
        if _UPDATE in request.url:
            updates.append(request.timing["responseStart"] - request.timing["requestStart"])

    page.on("requestfinished", note)
    page.goto(address)
    page.wait_for_timeout(_SETTLED_AFTER)
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    context.close()
    return Looked(float(painted), tuple(updates))


def _idle(browser: Browser, server: Server) -> float:
    """Return the share of a core that the server takes while one page is open and nothing happens."""
    page = browser.new_page()
    page.goto(server.url)
    page.wait_for_timeout(_SETTLED_AFTER)
    before = processor_seconds(server.pid)
    page.wait_for_timeout(_IDLE_SECONDS * 1000)
    used = processor_seconds(server.pid) - before
    page.close()
    return used / _IDLE_SECONDS


def _play(home: str) -> None:
    """Run the real loop, so that the last day is sold from a price book."""
    size = ["--days", str(_DAYS), "--stores", str(_STORES)]
    subprocess.run(
        [sys.executable, "-m", "flows", "pipeline", *size, "--json"],
        cwd=ROOT,
        env=own_environment(home),
        stdout=subprocess.DEVNULL,
        check=True,
    )
