"""A Prefect server for one command, where none is configured and none runs.

Prefect would start one itself, but only after it was imported, and under load it was seen to stay for good after the
command had ended. This one starts first of all, so that it gets ready on another core while the command imports what
it needs, and `flows.up.reaper` stops it however the command ends.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from catalog.errors import ServiceError
from flows.up.reaper import stop_groups

_START_TIMEOUT = 120.0  # seconds; the machine may be busy
_POLL_INTERVAL = 0.05  # seconds
_ENVIRONMENT = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
"""As Prefect starts its own: neither its pages nor its background services are needed."""


@dataclass(frozen=True)
class TemporaryServer:
    """A server that was started; `api` is the address of its API."""

    api: str
    process: subprocess.Popen[bytes]

    def wait_until_ready(self) -> None:
        """Return when it answers.

        Raises
        ------
        ServiceError
            When it exits or does not answer in time.
        """
        limit = time.monotonic() + _START_TIMEOUT
        while not _answers(f"{self.api}/health"):
            code = self.process.poll()
            if code is not None or time.monotonic() > limit:
                why = f"exited with code {code}" if code is not None else f"no answer within {_START_TIMEOUT:.0f} s"
                raise ServiceError(f"Prefect's temporary server at {self.api}: {why}; nothing was run: try again")
            time.sleep(_POLL_INTERVAL)


@contextmanager
def temporary_server() -> Iterator[TemporaryServer]:
    """Start a server with the environment of this process; it is stopped in the end. It may not be ready yet."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 - the command is our own
        _command(port), env={**os.environ, **_ENVIRONMENT}, start_new_session=True
    )
    command = (sys.executable, "-m", "flows.up.reaper")
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as reaper:  # noqa: S603 - the same
        assert reaper.stdin is not None  # noqa: S101 - it was asked for
        reaper.stdin.write(f"{process.pid}\n".encode())
        reaper.stdin.flush()
        try:
            yield TemporaryServer(f"http://127.0.0.1:{port}/api", process)
        finally:
            stop_groups([process.pid], reap=process.poll)


def _command(port: int) -> tuple[str, ...]:
    """Return what serves Prefect's API; its package is found without importing it."""
    found = find_spec("prefect")
    assert found is not None  # noqa: S101 - it is a dependency
    assert found.origin is not None  # noqa: S101 - it has a file
    options = ("--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--lifespan", "on")
    app = ("--app-dir", str(Path(found.origin).parent), "--factory", "prefect.server.api.server:create_app")
    return (sys.executable, "-m", "uvicorn", *app, *options)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - the address is our own
            return True
    except OSError:
        return False
