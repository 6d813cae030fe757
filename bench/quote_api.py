"""How quick the quote API is: a server in a process of its own on loopback, asked at a steady rate.

The machine may be busy with other things, so what one request takes of the server's processor stands beside it, and of
the sender's own, which must be far less than the time between two requests.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import numpy as np

from bench.load import open_loop
from bench.measure import Measurement, say
from bench.processes import processor_seconds
from bench.served import Server, served
from bench.world import FIRST_DAY, SEED, World, temporary_world
from catalog.child_process import ChildProcess
from catalog.price_ladder import price_ladder
from catalog.store_day import tick_profile
from operate.up.worker import BEHIND
from serving.belief.belief import believed_before_anybody_came
from serving.belief.table import belief_to_table
from serving.curves import DemandCurves
from serving.make_book import publish_book
from simulation.truth import chance_of_sale

_RATE = 400  # requests a second
_RATE_OF_NEW = 200  # of questions that were not asked before
_SECONDS = 10
_VISITS = 2_000
_LOOK_EVERY = 1.0  # seconds
_TARGET, _BESIDE_A_NIGHT = 0.005, 0.010  # seconds


def quote_api() -> Iterator[Measurement]:
    """Ask questions that were asked before, and questions that were not."""
    with temporary_world() as world:
        _publish(world)
        environment = {"SHELFPRICE_HOME": str(world.settings.home), "SHELFPRICE_API_RATE": "1000000"}
        with served("connect.quote_api", "/v1/health", environment) as server:
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
    belief = belief_to_table(catalog, believed_before_anybody_came(catalog), None)
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
    has_begun, command = Event(), ("nice", "-n", str(BEHIND), sys.executable, "-m", "bench.nights")
    with ChildProcess(command, on_line=lambda line: has_begun.set() if line == "night" else None) as process:
        while not has_begun.wait(_LOOK_EVERY):
            if process.poll() is not None:
                raise RuntimeError(
                    f"expected a night, found none; nothing was measured beside it: {process.last_lines}"
                )
        yield
