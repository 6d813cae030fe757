"""Serve the monitor: one process with threads, which browsers share, and never in debug mode.

Waitress takes a request in whole before a thread gets it, so slow senders hold up nobody else.
"""

from pathlib import Path
from threading import Event, Thread

import waitress

from catalog.settings import Settings
from dashboard.access import access_to
from dashboard.listening import refuse_taken
from dashboard.malformed import MOST_BYTES

_THREADS = 16
_CONNECTIONS = 1_000
_IDLE = 30  # seconds until a silent connection is closed


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
    waitress.serve(
        app.server,
        host=host.strip("[]"),
        port=port,
        threads=_THREADS,
        connection_limit=_CONNECTIONS,
        channel_timeout=_IDLE,
        max_request_body_size=MOST_BYTES,
        ident=None,
        _quiet=True,
    )
