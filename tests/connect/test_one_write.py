"""Connections of the quote API that say nothing, half of a request, or do not read: each is closed in time."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import uvicorn
from fastapi import FastAPI, Request

from connect.one_write import OneWrite

pytestmark = pytest.mark.server

PATIENCE = 30.0  # seconds
HEAD = b"POST /size HTTP/1.1\r\nHost: 127.0.0.1\r\n"
LONG = 32_000_000  # bytes, more than the kernel keeps for a connection


@pytest.fixture(scope="module")
def server() -> Iterator[uvicorn.Server]:
    """A server that gives a silent connection one second."""
    app = FastAPI()

    @app.post("/size")
    async def size(request: Request) -> int:
        return len(await request.body())

    @app.get("/long")
    async def long() -> str:
        return "x" * LONG

    config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical", http=OneWrite, timeout_keep_alive=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.05)
    yield server
    server.should_exit = True
    thread.join()


def connected(server: uvicorn.Server) -> closing[socket.socket]:
    return closing(socket.create_connection(server.servers[0].sockets[0].getsockname(), timeout=PATIENCE))


def read_to_the_end(connection: socket.socket) -> bytes:
    found = b""
    while part := connection.recv(1_048_576):
        found += part
    return found


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"\r\n",
        b"POST /si",
        HEAD + b"X: ",
        HEAD + b"Content-Length: 10\r\n\r\n12345",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
    ],
    ids=["nothing", "a blank line", "half a line", "half a head", "half a body", "half of the pieces"],
)
def test_a_connection_whose_request_is_not_whole_in_time_is_closed(server: uvicorn.Server, begun: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(begun)
        assert read_to_the_end(connection) == b""


def test_half_of_a_request_after_a_whole_one_is_not_waited_for_either(server: uvicorn.Server) -> None:
    with connected(server) as connection:
        connection.sendall(HEAD + b"Content-Length: 3\r\n\r\nabc" + HEAD)
        assert read_to_the_end(connection).endswith(b"\r\n\r\n3")


def test_a_request_that_comes_in_pieces_is_answered_and_the_connection_kept(server: uvicorn.Server) -> None:
    with connected(server) as connection:
        for _ in range(3):
            for part in (HEAD[:20], HEAD[20:], b"Content-Length: 3\r\n\r\n", b"ab", b"c"):
                connection.sendall(part)
            assert connection.recv(65_536).endswith(b"\r\n\r\n3")


def test_a_long_answer_that_nobody_reads_is_dropped(server: uvicorn.Server) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        connection.recv(1)
        limit = time.monotonic() + PATIENCE
        while server.server_state.connections:
            assert time.monotonic() < limit
            time.sleep(0.1)
        assert len(read_to_the_end(connection)) < LONG


def test_a_long_answer_that_is_read_comes_whole(server: uvicorn.Server) -> None:
    with connected(server) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert read_to_the_end(connection).endswith(b"x" * LONG + b'"')
