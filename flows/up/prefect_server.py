"""`python -m flows.up.prefect_server`: Prefect's server behind a front door that lets no other site in.

Prefect's settings come from the environment. `shelfprice up` gives it a host and a port. A command's temporary server
gets a socket that listens already, so that nobody else can take the port before it starts, and it ends with its parent:
its standard input is a pipe that the parent holds open and never writes to, until the parent ends, however it does.
"""

import argparse
import os
import select
import signal
import socket
import time
from threading import Thread

GRACE = 2  # seconds to end what is being answered
_LOOK_EVERY = 1.0  # seconds


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

    if not settings.PREFECT_SERVER_API_AUTH_STRING.value():
        raise SystemExit("expected PREFECT_SERVER_API_AUTH_STRING, found none; Prefect does not start without it")
    config = uvicorn.Config(
        FrontDoor(create_app(final=True), names),
        log_level="error",
        lifespan="on",
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=settings.PREFECT_SERVER_API_KEEPALIVE_TIMEOUT.value(),
        ws_ping_interval=settings.PREFECT_SERVER_API_WEBSOCKET_PING_INTERVAL.value(),
        ws_ping_timeout=settings.PREFECT_SERVER_API_WEBSOCKET_PING_TIMEOUT.value(),
    )
    uvicorn.Server(config).run(sockets=[listening])


def main() -> None:
    """Serve at an address, or at a socket for as long as the parent lives."""
    parser = argparse.ArgumentParser(prog="python -m flows.up.prefect_server")
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
