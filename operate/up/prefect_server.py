"""`python -m operate.up.prefect_server`: Prefect's server behind a front door that lets no other site in.

Prefect's settings come from the environment. `shelfprice up` gives it a host and a port. A command's temporary server
gets a socket that listens already, so that nobody else can take the port before it starts, and it ends with its parent:
its standard input is a pipe that the parent holds open and never writes to, until the parent ends, however it does.

A first database in a file is made by a process of its own, whose Prefect knows of no other file, see
`warehouse.databases`.
"""

import argparse
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread

from warehouse.databases import make_whole, sqlite_file

GRACE = 2  # seconds to end what is being answered
_LOOK_EVERY, _LOOK_OFTEN = 1.0, 0.02  # seconds
_CLOSED = ("/docs", "/redoc", "/api/docs", "/api/redoc")
"""Pages that would load their scripts from other hosts."""
_MAKES_DATABASE = (
    "from operate.up.prefect_server import end_with_parent; end_with_parent(); import anyio; "
    "from prefect.server.database import provide_database_interface; "
    "anyio.run(provide_database_interface().create_db)"
)


def end_with_parent() -> None:
    """Have this process end when its standard input does, or its parent is another: gently, then at once.

    A child of the parent may hold the pipe open for longer, so the parent is looked at too.
    """
    Thread(target=_wait_for_end, args=(os.getppid(),), daemon=True).start()


def _wait_for_end(parent: int) -> None:
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], _LOOK_EVERY)
        if readable and not os.read(0, 1):
            break
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os.kill(os.getpid(), signal.SIGKILL)


def serve(listening: socket.socket, names: list[str]) -> None:
    """Answer requests until asked to stop."""
    import uvicorn  # noqa: PLC0415 - the parent is watched before anything slow is imported
    from prefect import settings  # noqa: PLC0415
    from prefect.server.api.server import create_app  # noqa: PLC0415

    from catalog.front_door import FrontDoor  # noqa: PLC0415
    from operate.up.brief_outages import tell_outages_briefly  # noqa: PLC0415

    tell_outages_briefly()
    if not settings.PREFECT_SERVER_API_AUTH_STRING.value():
        raise SystemExit("expected PREFECT_SERVER_API_AUTH_STRING, found none; Prefect does not start without it")
    config = uvicorn.Config(
        FrontDoor(create_app(final=True), names, _CLOSED),
        log_level="error",
        lifespan="on",
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=settings.PREFECT_SERVER_API_KEEPALIVE_TIMEOUT.value(),
        ws_ping_interval=settings.PREFECT_SERVER_API_WEBSOCKET_PING_INTERVAL.value(),
        ws_ping_timeout=settings.PREFECT_SERVER_API_WEBSOCKET_PING_TIMEOUT.value(),
    )
    make_first_database(settings.PREFECT_API_DATABASE_CONNECTION_URL.value())
    server = uvicorn.Server(config)
    with _one_at_a_time(settings.PREFECT_HOME.value(), lambda: server.started or server.should_exit):
        server.run(sockets=[listening])


def make_first_database(url: str) -> None:
    """Make Prefect's database where the address is that of a SQLite file in which there is nothing yet.

    Raises
    ------
    OSError
        When it cannot be made, with what was said.
    """
    file = sqlite_file(url)
    if file is not None:
        make_whole(file, _make_database)


def _make_database(draft: Path) -> None:
    url = f"sqlite+aiosqlite:///{draft}"
    own = {f"PREFECT_{of}_DATABASE_CONNECTION_URL": url for of in ("API", "SERVER")}
    with TemporaryFile() as errors:
        with subprocess.Popen(  # noqa: S603 - the command is our own
            (sys.executable, "-c", _MAKES_DATABASE),
            env={**os.environ, **own},
            stdin=subprocess.PIPE,  # which ends it when this process ends
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process:
            code = process.wait()
        errors.seek(0)
        if code:
            said = errors.read().decode(errors="replace").strip()
            raise OSError(f"Prefect's database cannot be made: {said or f'that ended with code {code}'}")


@contextmanager
def _one_at_a_time(home: Path, has_started: Callable[[], bool]) -> Iterator[None]:
    """Let other servers wait until this one has started: two that make the same database anew both die half way.

    One that was made once is only looked at, so nobody waits then.
    """
    made, start = home / f"database-{version('prefect')}", home / "starting.lock"
    if made.exists():
        yield
        return
    with start.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        def release() -> None:
            while not has_started():
                time.sleep(_LOOK_OFTEN)
            made.touch()
            fcntl.flock(lock, fcntl.LOCK_UN)

        Thread(target=release, daemon=True).start()
        yield


def main() -> None:
    """Serve at an address, or at a socket for as long as the parent lives."""
    parser = argparse.ArgumentParser(prog="python -m operate.up.prefect_server")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--listen", nargs=2, metavar=("HOST", "PORT"), help="address to listen on")
    where.add_argument("--socket", type=int, help="descriptor of a socket that listens; end with the parent")
    parser.add_argument("--names", required=True, help="host names that it answers to, separated by commas")
    given = parser.parse_args()
    if given.listen:
        host, port = given.listen
        listening = socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    else:
        end_with_parent()
        listening = socket.socket(fileno=given.socket)
    with listening:
        serve(listening, given.names.split(","))


if __name__ == "__main__":
    main()
