"""What a lake on an object store costs: requests, seconds and bytes, measured on the store that the settings name.

    SHELFPRICE_LAKE=s3://bucket/prefix AWS_ENDPOINT_URL=http://127.0.0.1:8333 python -m bench.object_store

It works under a prefix of its own and takes it away at the end. Requests are counted by a relay before a store without
TLS; of other stores and of a folder, seconds and bytes alone are told.
"""

import datetime as dt
import json
import re
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Thread
from urllib.parse import urlsplit
from uuid import uuid4

import duckdb
import numpy as np
import pyarrow as pa

from catalog.contracts import TABLES
from catalog.settings import Settings, read_settings
from cluster.delta.reading import duckdb_filesystem
from cluster.delta.store import DeltaStore
from warehouse.commit_record import CommittedPart
from warehouse.partition import Partition
from warehouse.receipts import CODE_VERSION, Receipt

COMMITS = 1000
_READ = 100  # partitions in one query
_ROWS = 2000
_FIRST = dt.date(2026, 1, 5)
_REQUEST = re.compile(rb"(?:GET|PUT|POST|HEAD|DELETE) \S+ HTTP/1\.1\r\n")
_BLOCK = 1 << 16


class Relay:
    """Passes bytes on to a server, and counts the requests among them."""

    def __init__(self, endpoint: str) -> None:
        """Listen on a free port of this machine."""
        found = urlsplit(endpoint)
        self._server, self.requests = (found.hostname or "", found.port or 80), 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
                Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, to: socket.socket, counts: bool) -> None:  # noqa: FBT001 - a thread's
        with suppress(OSError):
            while block := source.recv(_BLOCK):
                self.requests += len(_REQUEST.findall(block)) if counts else 0
                to.sendall(block)
            to.shutdown(socket.SHUT_WR)


@contextmanager
def _lake(settings: Settings, **others: object) -> Iterator[tuple[Settings, DeltaStore]]:
    own = settings.model_copy(update={"lake_address": f"{settings.lake_address}/bench-{uuid4().hex[:8]}", **others})
    store = DeltaStore(own)
    store.tables["demand_cells"].ensure()
    store.tables["live_interactions"].ensure()
    try:
        yield own, store
    finally:
        store.objects.remove([one.name for one in store.objects.under("")])


def _rows(table: str) -> pa.Table:
    draws = np.random.default_rng(7)
    columns = []
    for field in TABLES[table].schema:
        if pa.types.is_dictionary(field.type) or field.type == pa.string():
            columns.append(pa.array([f"sku-{number % 25}" for number in range(_ROWS)]).cast(field.type))
        elif pa.types.is_floating(field.type):
            columns.append(pa.array(draws.random(_ROWS)).cast(field.type))
        else:
            columns.append(pa.array(draws.integers(0, 2, _ROWS)).cast(field.type))
    return pa.table(columns, schema=TABLES[table].schema)


def _staged(store: DeltaStore, partition: Partition, rows: pa.Table) -> CommittedPart:
    receipt = store.stage(
        partition, rows, lambda size, sha256: Receipt(len(rows), size, sha256, partition.lock_name, 7, CODE_VERSION)
    )
    return CommittedPart(partition, receipt, "")


def _requests(settings: Settings) -> dict[str, int]:
    """Count the requests of each act on one partition, after a first one of the same table."""
    relay, counted = Relay(settings.s3_endpoint or ""), {}
    with _lake(settings, s3_endpoint=relay.endpoint) as (_, store):
        for table in ("demand_cells", "live_interactions"):
            rows, first, one = _rows(table), Partition(table, _FIRST, "g000"), Partition(table, _FIRST, "g001")
            store.put_in_force([_staged(store, first, rows)])
            before = relay.requests
            part = _staged(store, one, rows)
            counted[f"{table}: stage"] = relay.requests - before
            acts: dict[str, Callable[[], object]] = {
                "put in force": partial(store.put_in_force, [part]),
                "receipt": partial(store.receipt, one),
                "bytes": partial(store.content, one),
                "partitions": partial(_listed, store, table),
            }
            for name, act in acts.items():
                before = relay.requests
                act()
                counted[f"{table}: {name}"] = relay.requests - before
    return counted


def _listed(store: DeltaStore, table: str) -> list[Partition]:
    return list(store.partitions(table))


def _seconds(settings: Settings) -> dict[str, float]:
    """Take the time of many commits of one partition each, and of reading them."""
    rows, staging, committing = _rows("demand_cells"), [], []
    parts = [
        Partition("demand_cells", _FIRST + dt.timedelta(days=number // 25), f"g{number % 25:03}")
        for number in range(COMMITS)
    ]
    with _lake(settings) as (own, store):
        for one in parts:
            begun = time.perf_counter()
            part = _staged(store, one, rows)
            staged = time.perf_counter()
            store.put_in_force([part])
            staging.append(staged - begun)
            committing.append(time.perf_counter() - staged)
        log = list(store.objects.under("demand_cells/_delta_log"))
        begun = time.perf_counter()
        opened = DeltaStore(own)
        count = len(list(opened.partitions("demand_cells")))
        opening = time.perf_counter() - begun
        reading = _reading(own, opened.places(parts[:_READ]))
    return {
        "stage, median ms": 1e3 * statistics.median(staging),
        "commit, median ms": 1e3 * statistics.median(committing),
        "commit, 95 % ms": 1e3 * sorted(committing)[int(0.95 * COMMITS)],
        "first hundred commits, median ms": 1e3 * statistics.median(committing[:100]),
        "last hundred commits, median ms": 1e3 * statistics.median(committing[-100:]),
        "objects of the log": len(log),
        "bytes of the log": sum(one.bytes for one in log),
        f"open a log of {count} parts, s": opening,
        f"sum over {_READ} partitions, first query s": reading[0],
        f"sum over {_READ} partitions, later query s": min(reading[1:]),
    }


def _reading(settings: Settings, places: list[str]) -> list[float]:
    connection, seconds = duckdb.connect(), []
    if (files := duckdb_filesystem(settings)) is not None:
        connection.register_filesystem(files)
    for _ in range(4):
        begun = time.perf_counter()
        connection.execute("select count(*), sum(n_purchased) from read_parquet(?)", [places]).fetchall()
        seconds.append(time.perf_counter() - begun)
    return seconds


def main() -> None:
    """Measure, and print one JSON object."""
    settings = read_settings()
    found: dict[str, object] = {"lake": settings.lake_address}
    is_in_bucket = (settings.lake_address or "").startswith("s3://")
    if is_in_bucket and (settings.s3_endpoint or "").startswith("http://"):
        found["requests"] = _requests(settings)
    found["measured"] = {name: round(value, 4) for name, value in _seconds(settings).items()}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
