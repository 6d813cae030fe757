"""How quick the quote API is: a server in a process of its own on loopback, asked at a steady rate.

The machine may be busy with other things, so what one request takes of the server's processor stands beside it.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.load import closed_loop, open_loop
from bench.loop import ROOT
from bench.measure import Measurement, say
from bench.world import FIRST_DAY, SEED, World, temporary_world
from catalog.day_profile import tick_profile
from catalog.ladder import price_ladder
from operate.up.worker import BEHIND
from serving.book_store import publish_book
from serving.curves import DemandCurves
from simulation.truth import chance_of_sale

_RATE = 1_000  # requests a second
_SECONDS = 10
_ALONE = 2_000
_VISITS = 2_000
_PATIENCE = 120.0  # seconds
_TARGET = 0.005  # seconds


@dataclass(frozen=True)
class Server:
    """A running server: its port and its process."""

    port: int
    process: int

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quote_api() -> Iterator[Measurement]:
    """Ask questions that were asked before, and questions that were not."""
    with temporary_world() as world:
        _publish(world)
        with _served(world) as server:
            known = _targets(world, 500) * (_RATE * _SECONDS // 500)
            open_loop(server.port, known[:2_000], _RATE)
            yield from _at_rate(server, "asked before", known, _TARGET)
            yield from _at_rate(server, "never asked before", _new_targets(world, _RATE * _SECONDS), None)
            with _night():
                yield from _at_rate(server, "asked before, while a night runs", known, _TARGET)
            alone = closed_loop(server.port, known[:_ALONE])
            yield Measurement("api", "one after another, median", float(np.median(alone)), "s")
            yield Measurement("api", "one after another, p99", float(np.percentile(alone, 99)), "s")


def _at_rate(server: Server, what: str, targets: list[str], target: float | None) -> Iterator[Measurement]:
    say(f"  {len(targets):,} questions, {what}, {_RATE:,} a second")
    before = server.cpu_seconds()
    load = open_loop(server.port, targets, _RATE)
    used = (server.cpu_seconds() - before) / len(targets)
    for share in (50, 99):
        wanted = target if share == 99 else None
        said = f"{what}, {_RATE:,}/s, p{share}"
        yield Measurement("api", said, load.percentile(share), "s", (), wanted)
    late = float(np.percentile(load.since_due - load.since_sent, 99))
    yield Measurement("api", f"{what}: the sender's own delay, p99", late, "s")
    yield Measurement("api", f"{what}: processor time of the server", used, "s")


def _publish(world: World) -> None:
    """Publish the book of the twin's true demand: no model is needed."""
    catalog, ladder = world.catalog, price_ladder(world.catalog)
    truth = chance_of_sale(catalog, ladder / catalog.base_prices[:, None])
    visits = _VISITS * catalog.popularity[:, None] * tick_profile(catalog.store)
    publish_book(world.lake, catalog, DemandCurves(catalog.skus, ladder, truth, "7"), visits, FIRST_DAY)


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
    command = ["nice", "-n", str(BEHIND), sys.executable, "-m", "bench.busy_night"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe
            if process.stdout.readline() != b"night\n":
                raise RuntimeError("expected a night, found none; nothing was measured beside it")
            yield
        finally:
            process.terminate()


@contextmanager
def _served(world: World) -> Iterator[Server]:
    port = _free_port()
    environment = {
        **os.environ,
        "SHELFPRICE_HOME": str(world.settings.home),
        "SHELFPRICE_API_RATE": "1000000",
    }
    command = [sys.executable, "-m", "connect.quote_api", "--port", str(port)]
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/v1/health", process)
            yield Server(port, process.pid)
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + _PATIENCE
    while time.monotonic() < limit and process.poll() is None:
        with suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=5):  # noqa: S310
            return
        time.sleep(0.1)
    raise RuntimeError("the quote API did not answer")
