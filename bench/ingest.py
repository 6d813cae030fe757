"""A retailer's export of ten million rows, ingested by the command in a process and a home of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from bench.measure import ROOT, Measurement, children_of, most_memory, own_environment, peak_bytes, say
from catalog.arrays import Floats

_ROWS_PER_DAY, _DAYS = 100_000, 100
_STORES, _PRODUCTS, _PRICES = 50, 40, 12
_FIRST = np.datetime64("2026-01-05", "s")
_OPENS, _OPEN = 8 * 3_600, 12 * 3_600  # seconds


def ingest() -> Iterator[Measurement]:
    """Write a CSV of ten million rows and ingest it."""
    with tempfile.TemporaryDirectory(prefix="shelfprice-bench-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "export.csv"
        _write_export(file)
        say(f"  {file.stat().st_size / 1e6:,.0f} MB of CSV; load before {os.getloadavg()[0]:.1f}")
        command, environment = (sys.executable, "-m", "flows", "ingest", str(file), "--json"), own_environment(folder)
        start = time.perf_counter()
        with most_memory(lambda: sum(map(peak_bytes, children_of("self")))) as most:
            done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
        took = time.perf_counter() - start
    rows = _DAYS * _ROWS_PER_DAY
    say(f"  {json.loads(done.stdout)['row']['valid']:,} of {rows:,} rows are decisions")
    yield Measurement("ingest", "ingest a CSV of 1e7 rows, command and all", took, "s", (), 60.0)
    yield Measurement("ingest", "its peak memory, the orchestrator's too", max(most) / 1e9, "GB", (), 2.0)
    yield Measurement("ingest", "rows per second", rows / took, "rows/s")


def _write_export(file: Path) -> None:
    """Write days of an export, in order of time, with names of its own for the columns."""
    draw = np.random.default_rng(7)
    prices = np.round(draw.uniform(0.8, 9.0, (_PRODUCTS, 1)) * np.linspace(0.8, 1.2, _PRICES), 2)
    with pacsv.CSVWriter(file, _day_of(draw, prices, 0).schema) as writer:
        for day in range(_DAYS):
            writer.write_table(_day_of(draw, prices, day))


def _day_of(draw: np.random.Generator, prices: Floats, day: int) -> pa.Table:
    """Return the rows of a day; `prices` has shape (n_products, n_prices)."""
    moments = _FIRST + np.timedelta64(day, "D") + _OPENS + np.sort(draw.integers(0, _OPEN, _ROWS_PER_DAY))
    product, rank = draw.integers(0, _PRODUCTS, _ROWS_PER_DAY), draw.integers(0, _PRICES, _ROWS_PER_DAY)
    return pa.table(
        {
            "sold_at": pa.array(moments),
            "store": pa.array(draw.integers(100, 100 + _STORES, _ROWS_PER_DAY)),
            "customer": pa.array(draw.integers(0, 2_000_000, _ROWS_PER_DAY)),
            "article": pa.array(product + 40_000_000),
            "shelf_price": pa.array(prices[product, rank]),
            "stock": pa.array(draw.integers(1, 200, _ROWS_PER_DAY)),
            "bought": pa.array((draw.random(_ROWS_PER_DAY) < 0.6 - 0.04 * rank).astype(np.int8)),
        }
    )
