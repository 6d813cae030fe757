"""Servers of `plugins.operations.deploy.servers` that a test kills and starts again, on the same port and the same
files."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import isolation
from run_servers import begun, end, wait_for

from catalog.errors import ServiceError
from plugins.operations.up.child_process import ChildProcess
from plugins.operations.up.services import Service

_ENDED_WITHIN = 60.0  # seconds; the machine may be busy
_LOOK_EVERY = 0.05  # seconds


class Killable:
    """A server that runs until it is killed, and again once it is started again.

    Parameters
    ----------
    folder
        In which all its processes work, where some of them outlive their group: they are waited for at a kill.
    """

    def __init__(self, service: Service, folder: Path | None = None) -> None:
        self.service, self._folder = service, folder
        self._process: ChildProcess | None = None

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it unless it runs, and return when it answers; one that was about to end is started anew."""
        if self._process is not None and self.runs:
            with suppress(ServiceError):
                wait_for(self.service, self._process)
                return
        with isolation.kept_for_the_session():
            self._process = begun(self.service)
        wait_for(self.service, self._process)

    def kill(self) -> None:
        """Kill it with all that it started (SIGKILL), and return when nothing of it is left."""
        if self._process is not None:
            self._process.kill()
        limit = time.monotonic() + _ENDED_WITHIN
        while self._folder is not None and processes_in(self._folder):
            assert time.monotonic() < limit, f"processes of {self.service.name} stayed after it was killed"
            time.sleep(_LOOK_EVERY)

    def end(self) -> None:
        """End it as at the end of a test; one that does not run is no matter."""
        if self._process is not None:
            end([self._process])


@contextmanager
def started(*servers: Killable) -> Iterator[None]:
    """Start servers one after the other, and end all that run afterwards."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in reversed(servers):
            server.end()


def processes_in(folder: Path) -> list[int]:
    """Return the processes that work in a folder, as PostgreSQL's do in that of its data."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended, or is not ours to look at
    return found
