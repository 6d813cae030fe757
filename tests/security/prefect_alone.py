"""Prefect's server as `shelfprice up` starts it, for the tests of what it lets in."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import one_server

from plugins.connect.api.front_door import LOOPBACK_NAMES


def started(home: Path, login: str, port: int, **environment: str) -> subprocess.Popen[bytes]:
    """Start it in a folder, with its complaints in the file `said` there."""
    own = {**os.environ, "PREFECT_HOME": str(home), "PREFECT_SERVER_API_AUTH_STRING": login, **environment}
    own.pop("PREFECT_API_URL", None)
    listen = ("--listen", "127.0.0.1", str(port), "--names", ",".join(LOOPBACK_NAMES))
    with (home / "said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "plugins.operations.up.prefect_server", *listen], env=own, stderr=said
        )


@contextmanager
def answering(home: Path, login: str, **environment: str) -> Iterator[str]:
    """Yield the address of its API while it answers."""
    port = one_server.free_port()
    api = f"http://127.0.0.1:{port}/api"
    with started(home, login, port, **environment) as server:
        try:
            one_server._wait_for(f"{api}/health", home / "said")
            yield api
        finally:
            server.kill()
