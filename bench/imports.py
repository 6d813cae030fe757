"""A retailer's export of ten million rows, ingested by the command in a process and a home of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from bench.loop import ROOT
from bench.measure import Measurement, peak_bytes, say

_ROWS_PER_DAY = 100_000
_DAYS = 100
_STORES, _PRODUCTS, _PRICES = 50, 40, 12
_FIRST = np.datetime64("2026-01-05", "us")
_OPEN_US = 12 * 3_600 * 1_000_000
_POLL_INTERVAL = 0.2  # seconds between two readings of the memory
_FOREIGN = ("PREFECT_", "MLFLOW_", "SHELFPRICE_")


def ingest() -> Iterator[Measurement]:
    """Write a CSV of ten million rows and ingest it."""
    with tempfile.TemporaryDirectory(prefix="shelfprice-bench-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "export.csv"
        write_export(file, _DAYS)
        say(f"  {file.stat().st_size / 1e6:,.0f} MB of CSV; load before {os.getloadavg()[0]:.1f}")
        took, peak, valid = _run(file, Path(folder) / "home")
    rows = _DAYS * _ROWS_PER_DAY
    say(f"  {valid:,} of {rows:,} rows are decisions")
    yield Measurement("ingest", "ingest a CSV of 1e7 rows, command and all", took, "s", (), 60.0)
    yield Measurement("ingest", "its peak memory, the orchestrator's too", peak / 1e9, "GB", (), 2.0)
    yield Measurement("ingest", "rows per second", rows / took, "rows/s")


def write_export(file: Path, days: int) -> None:
    """Write as many days of an export, in order of time, with names of its own for the columns."""
    draw = np.random.default_rng(7)
    prices = np.round(draw.uniform(0.8, 9.0, (_PRODUCTS, 1)) * np.linspace(0.8, 1.2, _PRICES), 2)
    with pacsv.CSVWriter(file, _export_of(draw, prices, 0).schema) as writer:
        for day in range(days):
            writer.write_table(_export_of(draw, prices, day))


def _export_of(
    draw: np.random.Generator, prices: np.ndarray[tuple[int, int], np.dtype[np.float64]], day: int
) -> pa.Table:
    since = np.sort(draw.integers(0, _OPEN_US // 1_000_000, _ROWS_PER_DAY)) * 1_000_000
    moments = _FIRST + np.timedelta64(day, "D") + (since + 8 * 3_600 * 1_000_000).astype("timedelta64[us]")
    product, rank = draw.integers(0, _PRODUCTS, _ROWS_PER_DAY), draw.integers(0, _PRICES, _ROWS_PER_DAY)
    return pa.table(
        {
            "sold_at": pa.array(moments.astype("datetime64[s]")),
            "store": pa.array(draw.integers(100, 100 + _STORES, _ROWS_PER_DAY)),
            "customer": pa.array(draw.integers(0, 2_000_000, _ROWS_PER_DAY)),
            "article": pa.array(product + 40_000_000),
            "shelf_price": pa.array(prices[product, rank]),
            "stock": pa.array(draw.integers(1, 200, _ROWS_PER_DAY)),
            "bought": pa.array((draw.random(_ROWS_PER_DAY) < 0.6 - 0.04 * rank).astype(np.int8)),
        }
    )


def _run(file: Path, home: Path) -> tuple[float, int, int]:
    """Return the command's seconds, its peak memory in bytes, and the decisions that it found."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    environ["SHELFPRICE_HOME"] = str(home)
    command = [sys.executable, "-m", "flows", "ingest", str(file), "--json"]
    start, peak = time.perf_counter(), 0
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            with suppress(FileNotFoundError):  # a child has just ended
                peak = max(peak, peak_bytes(str(process.pid)))
            time.sleep(_POLL_INTERVAL)
        took = time.perf_counter() - start
        found = json.loads(process.stdout.read()) if process.stdout else {}
    return took, peak, int(found["row"]["valid"])
