"""The whole loop through the real flows, each size in a process and a home of its own.

`python -m bench.loop --stores 20 --days 10` runs one size in `SHELFPRICE_HOME` and prints its seconds and its memory.
"""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import naive
from bench.measure import Measurement, Otherwise, peak_bytes, say, seconds
from catalog.load import load

ROOT = Path(__file__).parent.parent
_SIZES = (("1e5", 20, 10), ("1e6", 200, 10), ("1e7", 2_000, 10), ("1e8", 2_000, 100))
_QUICK = 2
_START = dt.date(2026, 1, 5)
_TARGETS = {"1e8": (240.0, 3.0)}
_NAIVE_VISITS = 30_000
_NAIVE_REPEATS = 3
_FOREIGN = ("PREFECT_", "MLFLOW_", "SHELFPRICE_")


def whole_loop(*, quick: bool) -> Iterator[Measurement]:
    """Simulate, transform, train and price at growing sizes."""
    with tempfile.TemporaryDirectory(prefix="shelfprice-bench-") as folder:
        slow = seconds(lambda: naive.whole_loop(load(), _NAIVE_VISITS, Path(folder)), _NAIVE_REPEATS)
    for label, stores, days in _SIZES[: _QUICK if quick else None]:
        found = _run_apart(stores, days)
        say(f"  {label}: " + ", ".join(f"{stage} {took:.1f} s" for stage, took in found["stages"].items()))
        otherwise = (Otherwise("row at a time, scaled up", slow * found["decisions"] / _NAIVE_VISITS),)
        seconds_target, memory_target = _TARGETS.get(label, (None, None))
        total = sum(found["stages"].values())
        yield Measurement("loop", f"whole loop, {label} decisions", total, "s", otherwise, seconds_target)
        yield Measurement("loop", f"peak memory, {label} decisions", found["peak_gb"], "GB", (), memory_target)


def _run_apart(stores: int, days: int) -> dict[str, Any]:
    """Run one size in a process of its own; its home is removed in the end."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    command = [sys.executable, "-m", "bench.loop", "--stores", str(stores), "--days", str(days)]
    with tempfile.TemporaryDirectory(prefix="shelfprice-bench-", ignore_cleanup_errors=True) as home:
        environ["SHELFPRICE_HOME"] = home
        done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _run_here(stores: int, days: int) -> dict[str, Any]:
    """Run one size in this process.

    Returns
    -------
    dict
        `stages` with the seconds of each, imports among them; `decisions`; and `peak_gb`.
    """
    start = time.perf_counter()
    from flows.environment import orchestrated, prepare  # noqa: PLC0415 - importing is part of what is measured

    prepare()
    from flows.price import price  # noqa: PLC0415
    from flows.simulate import simulate  # noqa: PLC0415
    from flows.train import train  # noqa: PLC0415
    from flows.transform import transform  # noqa: PLC0415

    stages = {"import": time.perf_counter() - start}
    results: dict[str, Any] = {}

    def run(stage: str, flow: Callable[[], Any]) -> None:
        stages[stage] = seconds(lambda: results.update({stage: flow()}))

    with orchestrated():
        run("simulate", lambda: simulate(_START, days, stores))
        run("transform", transform)
        run("train", train)
        run("price", lambda: price(_START + dt.timedelta(days=days)))
    decisions = sum(result.rows for result in results["simulate"])
    return {"stages": stages, "decisions": decisions, "peak_gb": peak_bytes() / 1e9}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description="Run the whole loop once and print what it took.")
    options.add_argument("--stores", type=int, required=True)
    options.add_argument("--days", type=int, required=True)
    print(json.dumps(_run_here(**vars(options.parse_args()))))
