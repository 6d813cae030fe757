"""A retailer's exports of many million rows, each ingested by the command in a process and a home of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from bench.measure import ROOT, Measurement, own_environment, say
from bench.processes import children_of, most_memory, peak_bytes
from catalog.arrays import Floats

_DAYS = 100
_STORES, _PRODUCTS, _PRICES = 50, 40, 12
_FIRST = np.datetime64("2026-01-05", "s")
_OPENS, _OPEN = 8 * 3_600, 12 * 3_600  # seconds


def ingest() -> Iterator[Measurement]:
    """Write CSVs of visits and of units, and ingest each."""
    for what, day_of, rows_per_day, most_seconds, most_gb in _FILES:
        with tempfile.TemporaryDirectory(prefix="shelfprice-bench-", ignore_cleanup_errors=True) as folder:
            file = Path(folder) / "export.csv"
            _write_export(file, day_of, rows_per_day)
            say(f"  {file.stat().st_size / 1e6:,.0f} MB of {what}; load before {os.getloadavg()[0]:.1f}")
            command, environment = (
                (sys.executable, "-m", "flows", "ingest", str(file), "--json"),
                own_environment(folder),
            )
            start, before = time.perf_counter(), os.times()
            with most_memory(lambda: sum(map(peak_bytes, children_of("self")))) as most:
                done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
            took, used = time.perf_counter() - start, sum(os.times()[2:4]) - sum(before[2:4])
        say(f"  {json.loads(done.stdout)['row']['valid']:,} of {_DAYS * rows_per_day:,} rows are used")
        yield Measurement("ingest", f"ingest a CSV of {what}, command and all", took, "s", (), most_seconds)
        both = None if most_seconds is None else 2 * most_seconds  # what two cores can do in that time
        yield Measurement("ingest", f"its processor time, {what}", used, "s", (), both)
        yield Measurement(
            "ingest", f"its peak memory, the orchestrator's too, {what}", max(most) / 1e9, "GB", (), most_gb
        )


def _write_export(file: Path, day_of: "DayOf", rows_per_day: int) -> None:
    """Write days of an export, in order of time, with names of its own for the columns."""
    draw = np.random.default_rng(7)
    prices = np.round(draw.uniform(0.8, 9.0, (_PRODUCTS, 1)) * np.linspace(0.8, 1.2, _PRICES), 2)
    with pacsv.CSVWriter(file, day_of(draw, prices, 0, 1).schema) as writer:
        for day in range(_DAYS):
            writer.write_table(day_of(draw, prices, day, rows_per_day))


def _visits_of(draw: np.random.Generator, prices: Floats, day: int, n_rows: int) -> pa.Table:
    """Return the visits of a day; `prices` has shape (n_products, n_prices)."""
    moments = _FIRST + np.timedelta64(day, "D") + _OPENS + np.sort(draw.integers(0, _OPEN, n_rows))
    product, rank = draw.integers(0, _PRODUCTS, n_rows), draw.integers(0, _PRICES, n_rows)
    return pa.table(
        {
            "sold_at": pa.array(moments),
            "store": pa.array(draw.integers(100, 100 + _STORES, n_rows)),
            "customer": pa.array(draw.integers(0, 2_000_000, n_rows)),
            "article": pa.array(product + 40_000_000),
            "shelf_price": pa.array(prices[product, rank]),
            "stock": pa.array(draw.integers(1, 200, n_rows)),
            "bought": pa.array((draw.random(n_rows) < 0.6 - 0.04 * rank).astype(np.int8)),
        }
    )


def _units_of(draw: np.random.Generator, prices: Floats, day: int, n_rows: int) -> pa.Table:
    """Return what each store sold of each product on a day, at one price in a week."""
    store, product = np.divmod(np.arange(n_rows), _PRODUCTS)
    return pa.table(
        {
            "date": pa.array(np.full(n_rows, _FIRST.astype("datetime64[D]") + day)),
            "store": pa.array(store),
            "article": pa.array(product + 40_000_000),
            "shelf_price": pa.array(prices[product, (store + day // 7) % _PRICES]),
            "units": pa.array(draw.poisson(3, n_rows)),
        }
    )


DayOf = Callable[[np.random.Generator, Floats, int, int], pa.Table]
_FILES: tuple[tuple[str, DayOf, int, float | None, float | None], ...] = (
    ("1e7 visits", _visits_of, 100_000, 15.0, 1.5),
    ("1e7 units", _units_of, 100_000, 40.0, 1.5),
    ("5e7 visits", _visits_of, 500_000, None, 1.5),
)
