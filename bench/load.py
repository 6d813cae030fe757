"""Send HTTP requests at a steady rate, whatever the answers take, and note what each took.

An open loop: a request is due at its moment also when earlier ones are not answered yet, and its time counts from that
moment. So a server that stalls is charged for everything that had to wait. The sender shares the machine with the
server, so it does as little as it can: requests are written beforehand, connections are kept, and one thread sends.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from catalog.arrays import Floats

_CONNECTIONS = 32
_OK = b"HTTP/1.1 200"
_LENGTH = b"content-length: "
_PATIENCE = 60.0  # seconds without any answer
_AT_ONCE = 65_536  # bytes


@dataclass(frozen=True)
class Load:
    """What requests took, seconds, shape (n_requests,).

    Attributes
    ----------
    since_due
        From the moment at which each was due.
    since_sent
        From the moment at which it was sent; later where the sender itself was late.
    """

    since_due: Floats
    since_sent: Floats

    def percentile(self, share: float) -> float:
        """Return the seconds, since they were due, within which a share of the requests (in %) was answered."""
        return float(np.percentile(self.since_due, share))


def open_loop(port: int, targets: Sequence[str], rate: float) -> Load:
    """Ask for targets at a rate, a second, over a few connections that are kept."""
    requests = [_request(port, target) for target in targets]
    idle = deque(_Connection.to(port) for _ in range(_CONNECTIONS))
    busy: dict[socket.socket, _Connection] = {}
    due = time.perf_counter() + 0.1 + np.arange(len(targets)) / rate
    sent, done = np.zeros(len(targets)), np.zeros(len(targets))
    following, answered = 0, 0
    while answered < len(targets):
        now = time.perf_counter()
        if following < len(targets) and idle and due[following] <= now:
            connection = idle.pop()
            connection.send(requests[following], following)
            busy[connection.socket], sent[following] = connection, now
            following += 1
            continue
        is_next_due = following < len(targets) and idle
        readable = select.select(list(busy), [], [], due[following] - now if is_next_due else _PATIENCE)[0]
        if not readable and not is_next_due:
            raise RuntimeError("expected answers, found none for a minute; nothing was measured: see the server's log")
        for one in readable:
            connection = busy[one]
            if connection.is_answered():
                done[connection.number] = time.perf_counter()
                idle.append(busy.pop(one))
                answered += 1
    for connection in idle:
        connection.socket.close()
    return Load(done - due, done - sent)


def _request(port: int, target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


@dataclass
class _Connection:
    """One connection that is kept, speaking as much HTTP as an answer with a length needs."""

    socket: socket.socket
    number: int = 0
    found: bytearray = field(default_factory=bytearray)

    @classmethod
    def to(cls, port: int) -> "_Connection":
        connection = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connection)

    def send(self, request: bytes, number: int) -> None:
        """Send the request with a number."""
        self.number = number
        self.found.clear()
        self.socket.sendall(request)

    def is_answered(self) -> bool:
        """Read what is there; tell whether the answer is whole."""
        part = self.socket.recv(_AT_ONCE)
        self.found += part
        head = self.found.find(b"\r\n\r\n")
        if not part or not self.found.startswith(_OK):
            raise RuntimeError(f"expected 200, found {self.found[:80]!r}; nothing was measured: see the server's log")
        if head < 0:
            return False
        begin = self.found.index(_LENGTH) + len(_LENGTH)
        length = int(self.found[begin : self.found.index(b"\r\n", begin)])
        return len(self.found) - head - 4 >= length
