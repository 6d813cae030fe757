"""How many lines of receipts the quote API takes in: a server in a process of its own on loopback, asked by one till.

The machine may be busy with other things, so what the server's processor took is measured beside the clock's time.
Beside it stands what one would otherwise do: the same lines into SQLite, a transaction for each request, unchecked.
"""

import datetime as dt
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from bench.measure import Measurement, Otherwise, say
from bench.processes import processor_seconds
from bench.served import served
from bench.world import World, temporary_world
from catalog.load import CLASSIC
from connect.api.api_tokens import add_token
from warehouse.origin import claim

_REQUESTS, _LINES = 20, 10_000
_TARGET = 5_000.0  # lines a second


def intake() -> Iterator[Measurement]:
    """Send requests of as many lines as one may have: new ones, then the same again."""
    with temporary_world() as world:
        token = _outside(world)
        environment = {"SHELFPRICE_HOME": str(world.settings.home)}
        with served("connect.quote_api", "/v1/health", environment) as server:
            client = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=120)
            now = dt.datetime.now(dt.UTC)
            requests = [_lines(world, number, now) for number in range(_REQUESTS + 1)]
            _send(client, requests[:1])  # makes the lake ready
            for what, sent in (("new", requests[1:]), ("known", requests[1:5])):
                say(f"  {len(sent) * _LINES:,} lines that are {what}")
                before = processor_seconds(server.pid)
                seconds = _send(client, sent)
                used = (processor_seconds(server.pid) - before) / len(sent) / _LINES
                other = (Otherwise("SQLite, unchecked", _sqlite(world, sent)),) if what == "new" else ()
                taken = len(sent) * _LINES / seconds
                yield Measurement("intake", f"lines that are {what}", taken, "lines/s", other)
                yield Measurement("intake", f"lines that are {what}, of one core", 1 / used, "lines/s", (), _TARGET)


def _outside(world: World) -> str:
    """Make the world's store one that sells by itself, and return a token of its till."""
    shelf = world.settings.shelf
    shelf.mkdir(parents=True)
    (shelf / "products.yaml").write_bytes((CLASSIC / "products.yaml").read_bytes())
    store = (CLASSIC / "store.yaml").read_text(encoding="utf-8")
    (shelf / "store.yaml").write_text(f"{store}sales: outside\n", encoding="utf-8")
    claim(world.lake.store, "retailer")
    return add_token(world.settings, "till", ["sell"], dt.datetime.now(dt.UTC))


def _lines(world: World, request: int, now: dt.datetime) -> list[dict[str, Any]]:
    store, skus = world.catalog.store.stores[0], world.catalog.skus
    sold = [(now - dt.timedelta(hours=2, seconds=number)).isoformat() for number in range(_LINES)]
    return [
        {
            "store_id": store,
            "receipt": f"{request}-{number // 10}",
            "line": number % 10,
            "sku": skus[number % len(skus)],
            "sold_at": sold[number],
            "units": 1,
            "price": 1.29,
        }
        for number in range(_LINES)
    ]


def _send(client: httpx.Client, requests: list[list[dict[str, Any]]]) -> float:
    """Send requests one after another; return the seconds that this took."""
    bodies = [json.dumps(lines) for lines in requests]
    begun = time.perf_counter()
    for body in bodies:
        answer = client.post("/v1/sales", content=body, headers={"Content-Type": "application/json"})
        if answer.status_code != httpx.codes.OK or answer.json()["refused"]:
            raise RuntimeError(f"expected lines that are taken, found {answer.text[:200]}; nothing was measured")
    return time.perf_counter() - begun


def _sqlite(world: World, requests: list[list[dict[str, Any]]]) -> float:
    """Return how many lines a second a table with a key takes, each request as one durable transaction."""
    file = Path(world.settings.home) / "otherwise.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("pragma synchronous = full")
        connection.execute(
            "create table lines (store_id, receipt, line, sku, sold_at, units, price, "
            "primary key (store_id, receipt, line))"
        )
        begun = time.perf_counter()
        for lines in requests:
            with connection:
                connection.executemany(
                    "insert or ignore into lines values (:store_id, :receipt, :line, :sku, :sold_at, :units, :price)",
                    lines,
                )
        return len(requests) * _LINES / (time.perf_counter() - begun)
