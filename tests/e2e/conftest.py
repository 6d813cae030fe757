"""A real browser, which notes every error of the console and every request that leaves the machine."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.browser import launch

SOON = 15_000  # milliseconds; the machine may be busy
expect.set_options(timeout=SOON)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with its module: while it runs, its event loop would disturb tests that start their own.

    Where there is no browser, tests that ask for it are skipped, see tests/plugins/browser_tests.py.
    """
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address; at the end the console must hold no error and no request may have gone elsewhere."""
    troubles: list[str] = []
    contexts = []

    def open_page(address: str, *, width: int = 1440, scheme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        own = (f"http://{address.split('/')[2]}/", "data:", "blob:")
        page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(own) else troubles.append(asked.url))
        page.set_default_timeout(SOON)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
