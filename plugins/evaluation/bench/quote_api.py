"""How quick the quote API is: a server in a process of its own on loopback, asked at a steady rate.

The machine may be busy with other things, so what one request takes of the server's processor stands beside it, and of
the sender's own, which must be far less than the time between two requests.

The loop is open: a request is due at its moment also when earlier ones are not answered yet, and its time counts from
that moment. So a server that stalls is charged for everything that had to wait.
"""

import select
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import numpy as np

from catalog.arrays import Floats
from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from plugins.evaluation.bench.measure import Measurement, say
from plugins.evaluation.bench.processes import Server, processor_seconds, served
from plugins.evaluation.bench.world import FIRST_DAY, SEED, World, temporary_world
from plugins.evaluation.truth import chance_of_sale
from plugins.operations.up.child_process import ChildProcess
from plugins.operations.up.worker import BEHIND
from serving.belief.belief import believed_before_anybody_came
from serving.belief.table import belief_to_table
from serving.book.make import publish_book
from serving.optimise.curves import DemandCurves

_RATE = 400  # requests a second
_RATE_OF_NEW = 200  # of questions that were not asked before
_SECONDS = 10
_VISITS = 2_000
_CONNECTIONS = 32
_OK = b"HTTP/1.1 200"
_LENGTH = b"content-length: "
_PATIENCE = 60.0  # seconds without any answer
_AT_ONCE = 65_536  # bytes
_LOOK_EVERY = 1.0  # seconds
_TARGET, _BESIDE_A_NIGHT = 0.005, 0.010  # seconds


def quote_api() -> Iterator[Measurement]:
    """Ask questions that were asked before, and questions that were not."""
    with temporary_world() as world:
        _publish(world)
        environment = {"SHELFPRICE_HOME": str(world.settings.home), "SHELFPRICE_API_RATE": "1000000"}
        with served("plugins.connect.quote_api", "/v1/health", environment) as server:
            known = _targets(world, 500) * (_RATE * _SECONDS // 500)
            open_loop(server.port, known[:2_000], _RATE)
            yield from _at_rate(server, "asked before", known, _RATE, _TARGET)
            new = _new_targets(world, _RATE_OF_NEW * _SECONDS)
            yield from _at_rate(server, "never asked before", new, _RATE_OF_NEW, None)
            with _night():
                yield from _at_rate(server, "asked before, while a night runs", known, _RATE, _BESIDE_A_NIGHT)


def _at_rate(server: Server, what: str, targets: list[str], rate: float, target: float | None) -> Iterator[Measurement]:
    say(f"  {len(targets):,} questions, {what}, {rate:,} a second")
    before, own = processor_seconds(server.pid), time.process_time()
    load = open_loop(server.port, targets, rate)
    used = (processor_seconds(server.pid) - before) / len(targets)
    own = (time.process_time() - own) / len(targets)
    for share in (50, 99):
        wanted = target if share == 99 else None
        said = f"{what}, {rate:,}/s, p{share}"
        yield Measurement("api", said, load.percentile(share), "s", (), wanted)
    late = float(np.percentile(load.since_due - load.since_sent, 99))
    yield Measurement("api", f"{what}: the sender's own delay, p99", late, "s")
    yield Measurement("api", f"{what}: processor time of the server", used, "s")
    yield Measurement("api", f"{what}: processor time of the sender", own, "s")


def _publish(world: World) -> None:
    """Publish the book of the twin's true demand: no model is needed."""
    catalog, ladder = world.catalog, price_ladder(world.catalog)
    truth = chance_of_sale(catalog, ladder / catalog.base_prices[:, None])
    belief = belief_to_table(catalog, believed_before_anybody_came(catalog))
    visits = _VISITS * catalog.popularity[:, None] * tick_profile(catalog.store)
    publish_book(world.lake, catalog, DemandCurves(catalog.skus, ladder, truth, "7"), visits, FIRST_DAY, belief)


def _targets(world: World, count: int) -> list[str]:
    draw = np.random.default_rng(SEED)
    skus, stock, ticks = (
        draw.choice(world.catalog.skus, count),
        draw.integers(0, 60, count),
        draw.integers(1, 49, count),
    )
    return [
        f"/v1/quotes?sku={sku}&stock={units}&ticks_left={left}"
        for sku, units, left in zip(skus, stock, ticks, strict=True)
    ]


def _new_targets(world: World, count: int) -> list[str]:
    """Return questions of which no two are the same: each names another price that is shown."""
    return [
        f"{target}&shown={1 + number / 1_000_000:.6f}" for number, target in enumerate(_targets(world, count), start=1)
    ]


@contextmanager
def _night() -> Iterator[None]:
    """Do nights on the same machine, as `shelfprice up` does them: behind those who wait for an answer."""
    say("  making a lake for a night")
    has_begun, command = Event(), ("nice", "-n", str(BEHIND), sys.executable, "-m", "plugins.evaluation.bench.nights")
    with ChildProcess(command, on_line=lambda line: has_begun.set() if line == "night" else None) as process:
        while not has_begun.wait(_LOOK_EVERY):
            if process.poll() is not None:
                raise RuntimeError(
                    f"expected a night, found none; nothing was measured beside it: {process.last_lines}"
                )
        yield


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
        """Read bytes that have come; return whether the answer is whole."""
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
