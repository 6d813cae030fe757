"""Serve the monitor: one process with threads, which browsers share, and never in debug mode."""

from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from catalog.settings import Settings
from dashboard.access import access_to
from dashboard.listening import refuse_taken

_THREADS = 16
_STOPS_WITHIN = 3  # seconds that a request may take to end


def serve(settings: Settings, host: str, port: int, catalog_dir: Path | None = None) -> None:
    """Answer browsers until the process is stopped.

    Raises
    ------
    DataError
        When others could reach the host and no credential is set, or when the port is taken.
    """
    access = access_to(host, settings)
    refuse_taken(host, port)

    def load() -> Any:
        from dashboard.app import create_app  # noqa: PLC0415 - in the process that serves

        return create_app(settings, catalog_dir=catalog_dir, access=access).server

    _Threads(load, host, port).run()


class _Threads(BaseApplication):  # type: ignore[misc] # gunicorn carries no types
    """Gunicorn with one worker of many threads: results that were read are shared by all browsers."""

    def __init__(self, make: Any, host: str, port: int) -> None:
        self._make = make
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        for name, value in {
            "bind": self._address,
            "worker_class": "gthread",
            "workers": 1,
            "threads": _THREADS,
            "keepalive": 30,
            "graceful_timeout": _STOPS_WITHIN,
            "loglevel": "warning",
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._make()
