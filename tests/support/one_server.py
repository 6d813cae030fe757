"""One Prefect server for a run of the tests, however many processes they run in.

The first process of a run, which starts the others, chooses an address and a folder and hands both on in the
environment. Whichever test needs the server first starts it; the others find it. A keeper ends it as soon as the first
process is gone, however that came about: it reads a pipe that the first process holds open.

Run as a program, this module is the keeper: `python one_server.py FOLDER PORT`.
"""

import fcntl
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "SHELFPRICE_TEST_RUN"  # the environment variable that names the folder of the run
PATIENCE = 120.0  # seconds until a server answers on a busy machine
_END = 15.0  # seconds until its keeper has ended
_LOOK_EVERY = 0.1  # seconds
_PORTS = range(20_000, 32_000)  # below those that the system hands out, so no test is given it by chance
_NOT_NEEDED = (
    "CANCELLATION_CLEANUP",
    "EVENT_LOGGER",
    "FOREMAN",
    "LATE_RUNS",
    "PAUSE_EXPIRATIONS",
    "SCHEDULER",
    "TRIGGERS",
)


def begin() -> dict[str, str]:
    """Choose where the server of this run will be, and return the settings of its clients."""
    folder = Path(tempfile.mkdtemp(prefix="shelfprice-tests-"))
    os.mkfifo(folder / "pipe")
    _Run.pipe = os.open(folder / "pipe", os.O_RDWR)  # held open until this process ends
    return {
        FOLDER: str(folder),
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",  # a test that forgot to ask for the server fails at once
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",  # no test reads logs from there
        "PREFECT_LOGGING_LEVEL": "CRITICAL",  # as the command line sets it, whatever ran before in this process
        "DO_NOT_TRACK": "true",
    }


def end() -> None:
    """End the server and remove the folder; only the process that began does anything."""
    if _Run.pipe is None:
        return
    os.close(_Run.pipe)
    _Run.pipe = None
    folder = Path(os.environ[FOLDER])
    limit = time.monotonic() + _END
    while _is_locked(folder / "keeper"):
        if time.monotonic() > limit:
            raise TimeoutError(f"the keeper of the Prefect server in {folder} did not end within {_END:.0f} s")
        time.sleep(_LOOK_EVERY)
    shutil.rmtree(folder)


def start() -> None:
    """Start the server of this run unless it was started, and return when it answers."""
    from plugins.operations.up.prefect_server import make_first_database

    folder, home, api = Path(os.environ[FOLDER]), Path(os.environ["PREFECT_HOME"]), os.environ["PREFECT_API_URL"]
    with locked(folder / "starting"):
        if (folder / "started").exists():
            return
        home.mkdir(exist_ok=True)
        make_first_database(f"sqlite+aiosqlite:///{home / 'prefect.db'}")  # Prefect would make it step by step
        port = api.rpartition(":")[2].partition("/")[0]
        command = [sys.executable, __file__, str(folder), port]
        subprocess.run([*command, "--apart"], check=True)  # it goes on when this process ends
        _wait_for(f"{api}/health", folder / "log")
        (folder / "started").touch()


def keep(folder: Path, port: str) -> None:
    """Run the server until the process that began the run is gone."""
    with locked(folder / "keeper"), (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port],
            env=_server_environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _until_closed(folder / "pipe")
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # its database is thrown away
            server.wait()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock that ends with the process that holds it."""
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


class _Run:
    pipe: int | None = None


def _server_environment() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    off = {f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in _NOT_NEEDED}
    return own | off | {"PREFECT_SERVER_UI_ENABLED": "false", "PREFECT_SERVER_LOGGING_LEVEL": "WARNING"}


def _until_closed(pipe: Path) -> None:
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    while True:
        try:
            if not os.read(end, 1):
                return
        except BlockingIOError:
            select.select([end], [], [])


def free_port() -> int:
    """Return a port on which nobody listens, and that no test is given by chance."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def _wait_for(address: str, log: Path) -> None:
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(_LOOK_EVERY)
    raise TimeoutError(f"the Prefect server did not answer within {PATIENCE:.0f} s; it said\n{log.read_text()}")


def _is_locked(file: Path) -> bool:
    with file.open("w") as probe:
        try:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


if __name__ == "__main__":
    if sys.argv[3:] == ["--apart"]:
        subprocess.Popen([sys.executable, *sys.argv[:3]], start_new_session=True, stdin=subprocess.DEVNULL)
    else:
        keep(Path(sys.argv[1]), sys.argv[2])
