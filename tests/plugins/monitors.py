"""The real monitor, served from a thread of the test's process, and an orchestrator that remembers what was asked."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from werkzeug.serving import make_server

from catalog.settings import Settings
from dashboard.app import create_app
from dashboard.prefect.control import LiveRun


class Orchestrator:
    """A control that does as it is told and remembers it."""

    def __init__(self) -> None:
        self.state: Any = None
        self.asked: list[str] = []

    def status(self, store: str) -> LiveRun | None:
        link = "http://127.0.0.1:4200/runs/flow-run/1"
        return LiveRun(store, "1", f"live-{store}", self.state, "", None, 1.0, link) if self.state else None

    def start(self, store: str, *, tick_seconds: float, again: bool) -> LiveRun:
        return self._do("selling", f"{'again' if again else 'start'} {store} {tick_seconds:g}")

    def pause(self, store: str) -> LiveRun:
        return self._do("paused", f"pause {store}")

    def resume(self, store: str) -> LiveRun:
        return self._do("selling", f"resume {store}")

    def cancel(self, store: str) -> LiveRun:
        return self._do("stopped", f"cancel {store}")

    def set_speed(self, store: str, tick_seconds: float) -> LiveRun:
        return self._do(self.state, f"speed {store} {tick_seconds:g}")

    def _do(self, state: str, told: str) -> LiveRun:
        self.asked.append(told)
        self.state = state
        found = self.status(told.split()[1])
        assert found is not None
        return found


@contextmanager
def serving(settings: Settings, **parts: Any) -> Iterator[str]:
    """Serve the real app from a thread of this process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(settings, **parts).server, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join(timeout=10)
