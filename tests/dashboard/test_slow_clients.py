"""A client that sends a request byte by byte is dropped, and others are answered meanwhile."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Thread
from typing import Any

import pytest

from dashboard import server as served

pytestmark = pytest.mark.server

LIMIT = 20.0  # seconds; the machine may be busy


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    def answer(_environ: dict[str, Any], start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    monkeypatch.setattr(served, "_WHOLE", 0.3)
    server = served.server_of(answer, "127.0.0.1", 0)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    yield server.effective_port
    server.close()
    thread.join(timeout=LIMIT)


def is_dropped(connection: socket.socket, *, byte: bytes) -> bool:
    """Send a byte now and then; return whether the server closes the connection within the limit."""
    connection.settimeout(0.05)
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        try:
            connection.sendall(byte)
            if connection.recv(1_024) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize(
    ("begun", "byte"),
    [
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ", b"x"),
        (b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET ", b"x"),
    ],
    ids=["a head", "a body", "a second request"],
)
def test_a_request_that_comes_byte_by_byte_is_dropped_and_others_are_answered(
    port: int, begun: bytes, byte: bytes
) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=LIMIT)) as slow:
        slow.sendall(begun)
        with closing(socket.create_connection(("127.0.0.1", port), timeout=LIMIT)) as other:
            other.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert other.recv(1_024).startswith(b"HTTP/1.1 200")
        assert is_dropped(slow, byte=byte)
