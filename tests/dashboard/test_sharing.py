"""Work for many browsers is done once, and a failure of one is not kept for the others."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import plotly.graph_objects as go
import pytest
from dash import html

from dashboard.cache import Shared, plain


def test_twenty_who_want_the_same_at_once_have_it_made_once() -> None:
    shared, together, made = Shared[object](3), Barrier(20), []

    def ask(_: int) -> object:
        together.wait(timeout=10)
        return shared.of("key", lambda: made.append(1) or object())

    with ThreadPoolExecutor(20) as browsers:
        results = set(browsers.map(ask, range(20)))
    assert len(results) == len(made) == 1


def test_only_the_newest_are_kept() -> None:
    shared: Shared[int] = Shared(2)
    for key in (1, 2, 1, 3):
        shared.of(key, lambda key=key: key)  # type: ignore[misc]
    assert shared.of(1, lambda: -1) == 1
    assert shared.of(2, lambda: -2) == -2


def test_what_failed_is_tried_again() -> None:
    shared: Shared[int] = Shared(2)
    with pytest.raises(ZeroDivisionError):
        shared.of("key", lambda: 1 // 0)
    assert shared.of("key", lambda: 7) == 7


def test_a_picture_made_plain_is_what_the_browser_would_be_sent() -> None:
    sent = plain({"children": [html.Span("5 < 6", className="x")], "figure": go.Figure(layout={"height": 300})})
    assert sent["children"][0]["props"] == {"children": "5 < 6", "className": "x"}
    assert sent["figure"]["layout"]["height"] == 300
