"""`python -m plugins.operations.up.prefect_server`: Prefect's server behind a front door that lets no other site in.

Prefect's settings come from the environment. `shelfprice up` gives it a host and a port, and runs it as a
`plugins.operations.up.child_process`, so that it ends with it, and what it starts ends with it.

A first database in a file is made by a process of its own, whose Prefect knows of no other file, see
`warehouse.databases`. That takes many seconds, so an installation makes one, and each home gets a copy of it.

While a database is away, its users' log lines say so in a line each: a hundred tracebacks would tell no more.
"""

import argparse
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from catalog.errors import first_line
from warehouse.databases import make_whole, sqlite_file

_LOST = ("connection is closed", "connection was closed", "cannotconnectnow", "shutting down", "starting up")


def tell_outages_briefly() -> None:
    """From here on, an error in the log that came from a lost connection is one line without its traceback."""
    make = logging.getLogRecordFactory()

    def brief_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        error = record.exc_info[1] if record.exc_info else None
        lost = next((cause for cause in _chain_of(error) if _is_lost_connection(cause)), None)
        if lost is not None:
            record.msg = f"{first_line(Exception(record.getMessage()))} ({first_line(lost)})"
            record.args, record.exc_info, record.exc_text = (), None, None
        return record

    logging.setLogRecordFactory(brief_record)


def _chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and those that it came from."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_lost_connection(error: BaseException) -> bool:
    text = f"{type(error).__name__} {error}".lower()
    return isinstance(error, ConnectionError) or any(sign in text for sign in _LOST)


GRACE = 2  # seconds to end what is being answered
_CLOSED = ("/docs", "/redoc", "/api/docs", "/api/redoc")
"""Pages that would load their scripts from other hosts."""
_MAKES_DATABASE = (
    "import anyio; from prefect.server.database import provide_database_interface; "
    "anyio.run(provide_database_interface().create_db)"
)


def serve(listening: socket.socket, names: list[str]) -> None:
    """Answer requests until asked to stop."""
    import uvicorn  # noqa: PLC0415 - the parent is watched before anything slow is imported
    from prefect import settings  # noqa: PLC0415
    from prefect.server.api.server import create_app  # noqa: PLC0415

    from plugins.connect.api.front_door import FrontDoor  # noqa: PLC0415

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
    uvicorn.Server(config).run(sockets=[listening])


def make_first_database(url: str) -> None:
    """Make Prefect's database where the address is that of a SQLite file in which there is nothing yet.

    Raises
    ------
    OSError
        When it cannot be made, with what was said.
    """
    file = sqlite_file(url)
    if file is not None:
        make_whole(file, _copy_first_database)


def keep_first_database() -> Path:
    """Return the empty database that this installation keeps, which is made first where there is none.

    Raises
    ------
    OSError
        When it cannot be made, or not kept there.
    """
    kept = Path(sys.prefix) / "share" / "shelfprice" / f"prefect-{version('prefect')}.db"
    make_whole(kept, _make_database)
    return kept


def _copy_first_database(draft: Path) -> None:
    try:
        shutil.copyfile(keep_first_database(), draft)
    except OSError:  # another's installation, or the disk is full, which is told then
        _make_database(draft)


def _make_database(draft: Path) -> None:
    url = f"sqlite+aiosqlite:///{draft}"
    variables = {f"PREFECT_{of}_DATABASE_CONNECTION_URL": url for of in ("API", "SERVER")} | {
        "PREFECT_HOME": str(draft.parent)
    }
    command = (sys.executable, "-c", _MAKES_DATABASE)
    made = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, check=False)  # noqa: S603 - our own
    if made.returncode:
        text = made.stderr.decode(errors="replace").strip()
        raise OSError(f"Prefect's database cannot be made: {text or f'that ended with code {made.returncode}'}")


def main() -> None:
    """Serve at an address."""
    parser = argparse.ArgumentParser(prog="python -m plugins.operations.up.prefect_server")
    parser.add_argument("--listen", nargs=2, metavar=("HOST", "PORT"), required=True, help="address to listen on")
    parser.add_argument("--names", required=True, help="host names that it answers to, separated by commas")
    given = parser.parse_args()
    host, port = given.listen
    listening = socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    with listening:
        serve(listening, given.names.split(","))


if __name__ == "__main__":
    main()
