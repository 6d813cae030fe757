"""Serve the monitor: one process with threads, which browsers share, and never in debug mode.

Waitress takes a request in whole before a thread gets it, so slow senders delay no other client. Waitress waits as
long as a byte comes now and then. So a request has a time limit here.
"""

import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import waitress
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

from catalog.settings import Settings
from dashboard.access import access_to
from dashboard.address import MOST_BYTES
from dashboard.listening import refuse_taken

_THREADS = 16
_CONNECTIONS = 1_000
_IDLE = 30  # seconds until a silent connection is closed
_WHOLE = 30.0  # seconds from the first byte of a request to its last


class LimitedChannel(HTTPChannel):  # type: ignore[misc] # waitress has no types
    """A connection that is closed when a request is not whole in time, however many bytes come meanwhile."""

    _begun = 0.0  # moment of the first byte of the request that is not whole yet, seconds

    def received(self, data: bytes) -> bool:
        """Take in bytes of requests."""
        is_first, now = self.request is None, time.monotonic()
        is_taken: bool = super().received(data)
        if is_first or self.request is None:
            self._begun = now
        elif now - self._begun > _WHOLE:
            self.will_close = True
        return is_taken


def server_of(app: Any, host: str, port: int) -> Any:
    """Return a server that listens, and answers once it runs."""
    listening: dict[int, Any] = {}
    server = waitress.create_server(
        app,
        map=listening,
        host=host.strip("[]"),
        port=port,
        threads=_THREADS,
        connection_limit=_CONNECTIONS,
        channel_timeout=_IDLE,
        max_request_body_size=MOST_BYTES,
        ident=None,
    )
    for listener in listening.values():
        if isinstance(listener, BaseWSGIServer):
            listener.channel_class = LimitedChannel
    return server


def serve(settings: Settings, host: str, port: int, catalog_dir: Path | None = None) -> None:
    """Answer browsers until the process is stopped.

    Raises
    ------
    DataError
        When others could reach the host and no credential is set, or when the port is taken.
    """
    access = access_to(host, settings)
    refuse_taken(host, port)

    from dashboard.app import MONITOR, create_app  # noqa: PLC0415 - a refusal comes before it

    app = create_app(settings, catalog_dir=catalog_dir, access=access)
    desk = app.server.config[MONITOR].desk
    Thread(target=desk.open_new_books, args=(Event(),), name="new-books", daemon=True).start()
    server_of(app.server, host, port).run()
