"""Send HTTP requests at a steady rate, whatever the answers take, and note what each took.

An open loop: a request is due at its moment also when earlier ones are not answered yet, and its time counts from that
moment. So a server that stalls is charged for everything that had to wait.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalog.arrays import Floats

_CONNECTIONS = 32
_OK = b"HTTP/1.1 200"


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
    return asyncio.run(_open_loop(port, targets, rate))


def closed_loop(port: int, targets: Sequence[str]) -> Floats:
    """Ask for targets one after another over one connection; return what each took, seconds."""
    return asyncio.run(_closed_loop(port, targets))


async def _open_loop(port: int, targets: Sequence[str], rate: float) -> Load:
    begin = time.perf_counter() + 0.1
    took = np.zeros((2, len(targets)))
    left = iter(enumerate(targets))

    async def work() -> None:
        async with _Connection(port) as connection:
            for number, target in left:
                due = begin + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                sent = time.perf_counter()
                await connection.ask(target)
                done = time.perf_counter()
                took[:, number] = done - due, done - sent

    await asyncio.gather(*(work() for _ in range(_CONNECTIONS)))
    return Load(took[0], took[1])


async def _closed_loop(port: int, targets: Sequence[str]) -> Floats:
    took = np.zeros(len(targets))
    async with _Connection(port) as connection:
        for number, target in enumerate(targets):
            begun = time.perf_counter()
            await connection.ask(target)
            took[number] = time.perf_counter() - begun
    return took


class _Connection:
    """One connection that is kept, speaking as much HTTP as an answer with a length needs."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "_Connection":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, target: str) -> None:
        """Ask for a target and read the answer whole."""
        self._writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(_OK):
            raise RuntimeError(f"expected 200, found {head.splitlines()[0].decode()}")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await self._reader.readexactly(int(length.partition(b":")[2]))
