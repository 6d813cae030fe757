"""Work for many browsers is done once, and a failure of one is not kept for the others."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import plotly.graph_objects as go
import pytest
from dash import html

from dashboard.cache import Cache, plain


def test_twenty_who_want_the_same_at_once_have_it_made_once() -> None:
    cache, together, made = Cache[object](3), Barrier(20), []

    def ask(_: int) -> object:
        together.wait(timeout=10)
        return cache.get("key", lambda: made.append(1) or object())

    with ThreadPoolExecutor(20) as browsers:
        results = set(browsers.map(ask, range(20)))
    assert len(results) == len(made) == 1


def test_only_the_newest_are_kept() -> None:
    cache: Cache[int] = Cache(2)
    for key in (1, 2, 1, 3):
        cache.get(key, lambda key=key: key)  # type: ignore[misc]
    assert cache.get(1, lambda: -1) == 1
    assert cache.get(2, lambda: -2) == -2


def test_a_result_is_made_anew_when_its_stamp_has_changed_and_only_then() -> None:
    cache: Cache[int] = Cache(2)
    made = iter(range(10))
    stamps = [cache.get("key", lambda: next(made), lambda stamp=stamp: stamp) for stamp in (1, 1, 2, 2, 1)]  # type: ignore[misc]
    assert stamps == [0, 0, 1, 1, 2]


def test_what_changes_while_a_result_is_made_is_seen_by_the_next_one() -> None:
    cache: Cache[str] = Cache(2)
    state = {"stamp": 1}

    def make() -> str:
        seen = f"made at {state['stamp']}"
        state["stamp"] = 2
        return seen

    assert cache.get("key", make, lambda: state["stamp"]) == "made at 1"
    assert cache.get("key", make, lambda: state["stamp"]) == "made at 2"


def test_a_result_is_handed_out_for_as_long_as_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    now, made = [0.0], iter((5, 60, 7))
    monkeypatch.setattr("dashboard.cache.monotonic", lambda: now[0])
    cache: Cache[int] = Cache(2, lasts=float)
    given = []
    for moment in (0.0, 4.9, 5.0, 60.0, 65.0):
        now[0] = moment
        given.append(cache.get("key", lambda: next(made)))
    assert given == [5, 5, 60, 60, 7]


def test_what_is_forgotten_is_made_anew() -> None:
    cache: Cache[int] = Cache(2)
    made = iter((1, 2))
    assert cache.get("key", lambda: next(made)) == 1
    cache.forget("key")
    assert cache.get("key", lambda: next(made)) == 2


def test_what_failed_is_tried_again() -> None:
    cache: Cache[int] = Cache(2)
    with pytest.raises(ZeroDivisionError):
        cache.get("key", lambda: 1 // 0)
    assert cache.get("key", lambda: 7) == 7


def test_a_picture_made_plain_is_what_the_browser_would_be_sent() -> None:
    sent = plain({"children": [html.Span("5 < 6", className="x")], "figure": go.Figure(layout={"height": 300})})
    assert sent["children"][0]["props"] == {"children": "5 < 6", "className": "x"}
    assert sent["figure"]["layout"]["height"] == 300
