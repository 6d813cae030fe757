"""A real browser, which notes every error of the console and every request that leaves the machine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from plugins.evaluation.bench.browser import launch_with_profile

SOON = 60_000  # milliseconds; the machine may be busy
expect.set_options(timeout=SOON)


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the browsers of this process keep what they compiled, which is most of what opening a page costs."""
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def browser(profile: Path) -> Iterator[BrowserContext]:
    """Ends with its module: while it runs, its event loop would disturb tests that start their own.

    Where there is no browser, tests that ask for it are skipped, see tests/support/browser_tests.py.
    """
    with sync_playwright() as playwright:
        browser = launch_with_profile(playwright, profile)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Open an address as somebody who was never there; at the end the console must hold no error.

    No request may have gone elsewhere, either.
    """
    troubles: list[str] = []
    pages: list[Page] = []

    def open_page(address: str, *, width: int = 1440, scheme: str = "light") -> Page:
        page = browser.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        forget(page, f"http://{address.split('/')[2]}")
        own = (f"http://{address.split('/')[2]}/", "data:", "blob:")
        page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(own) else troubles.append(asked.url))
        page.set_default_timeout(SOON)
        page.goto(address)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert troubles == []


def forget(page: Page, origin: str) -> None:
    """Let the browser forget what the pages of a server have kept in it, but for the files that they are made of."""
    tools = page.context.new_cdp_session(page)
    kept = "cookies,local_storage,indexeddb,cache_storage,service_workers"
    tools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": kept})
    tools.detach()
