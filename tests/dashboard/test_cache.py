"""Work for many browsers is done once, and a failure of one is not kept for the others."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from dashboard.cache import Cache


def test_twenty_who_want_the_same_at_once_have_it_made_once() -> None:
    cache, together, made = Cache[object](3), Barrier(20), []

    def ask(_: int) -> object:
        together.wait(timeout=10)
        return cache.get("key", lambda: made.append(1) or object())

    with ThreadPoolExecutor(20) as browsers:
        results = set(browsers.map(ask, range(20)))
    assert len(results) == len(made) == 1


def test_what_changes_while_a_result_is_made_is_seen_by_the_next_one() -> None:
    cache: Cache[str] = Cache(2)
    state = {"stamp": 1}

    def make() -> str:
        seen = f"made at {state['stamp']}"
        state["stamp"] = 2
        return seen

    assert cache.get("key", make, lambda: state["stamp"]) == "made at 1"
    assert cache.get("key", make, lambda: state["stamp"]) == "made at 2"


def test_a_result_is_handed_out_for_as_long_as_it_lasts_unless_it_is_forgotten() -> None:
    cache: Cache[float] = Cache(2, lasts=lambda result: result)
    assert cache.get("short", lambda: 0.01) == 0.01
    assert cache.get("long", lambda: 600.0) == 600.0
    time.sleep(0.02)
    assert cache.get("short", lambda: 1.0) == 1.0
    assert cache.get("long", lambda: 1.0) == 600.0
    cache.forget("long")
    assert cache.get("long", lambda: 1.0) == 1.0
