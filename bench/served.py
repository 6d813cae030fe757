"""A server of ours in a process of its own, on a free port of loopback, for as long as a block."""

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from catalog.child_process import ChildProcess
from deploy.servers.ports import HOST, free_port

_ANSWERS_WITHIN = 120.0  # seconds
_LOOK_EVERY = 0.1  # seconds


@dataclass(frozen=True)
class Server:
    """A server that answers: its port, its address and its process."""

    port: int
    url: str
    pid: int


@contextmanager
def served(module: str, path: str = "/", environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run `python -m MODULE --port PORT`, and yield it once it answers at a path; it is ended with the block.

    Raises
    ------
    RuntimeError
        When it does not answer in time.
    """
    port = free_port()
    url, command = f"http://{HOST}:{port}", (sys.executable, "-m", module, "--port", str(port))
    with ChildProcess(command, environment, lambda _line: None) as process:
        limit = time.monotonic() + _ANSWERS_WITHIN
        while time.monotonic() < limit and process.poll() is None:
            if _answers(f"{url}{path}"):
                yield Server(port, url, process.pid or 0)
                return
            time.sleep(_LOOK_EVERY)
        raise RuntimeError(f"{module} did not answer at {url}{path}; nothing was measured: {process.last_lines}")


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own server
    except (urllib.error.URLError, ConnectionError):
        return False
    return True
