"""The real monitor, served from a thread of the test's process, and an orchestrator that remembers what was asked.

It is served where another one was before, if that has ended: a browser keeps what it has compiled by address.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from one_server import free_port
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
        return LiveRun(store, "1", f"live-{store}", self.state, "", 1.0, link) if self.state else None

    def why_none_starts(self) -> str | None:
        return None

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


_FREE: list[int] = []
"""Ports on which this process has served before, and serves no longer."""
_LOOK_EVERY = 0.02  # seconds until a server notices that it is to end


@contextmanager
def serving(settings: Settings, **parts: Any) -> Iterator[str]:
    """Serve the real app from a thread of this process, and yield its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    port = _FREE.pop() if _FREE else free_port()
    server = make_server("127.0.0.1", port, create_app(settings, **parts).server, threaded=True)
    thread = Thread(target=server.serve_forever, args=(_LOOK_EVERY,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
        _FREE.append(port)
