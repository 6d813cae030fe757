"""The whole loop through the real flows, each size in a process and a home of its own, on the shelf of `classic`.

`python -m plugins.evaluation.bench.loop --stores 20 --days 10` runs one size in `SHELFPRICE_HOME` and prints its
seconds and its memory. A size that is run again in the same home does not play again what stands there.
"""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from plugins.evaluation.bench.measure import ROOT, Measurement, Otherwise, own_environment, say, seconds
from plugins.evaluation.bench.processes import forget_peaks, most_memory, peak_bytes

SIZES = {"1e5": (20, 10), "1e6": (200, 10), "1e7": (2_000, 10), "1e8": (2_000, 100), "1e9": (20_000, 100)}
"""Stores and days of each size, by the decisions that they make."""

_WHERE_STOCK_LIVES = (2_000, 4)  # stores and days; units of two ages and stickers come with the third

USUAL, QUICK = ("1e5", "1e6", "1e7", "1e8"), ("1e5", "1e6")
_START = dt.date(2026, 1, 5)
_TARGETS = {"1e8": (240.0, 3.0), "1e9": (480.0, 3.0)}
_COMPARED_WITH = "1e6"


def whole_loop(labels: Iterable[str]) -> Iterator[Measurement]:
    """Play and group, check, train and price at growing sizes."""
    costs: dict[str, float] = {}
    for label in labels:
        found = run_apart(*SIZES[label], SHELFPRICE_CATALOG="classic")
        say(f"  {label}, at a load of {os.getloadavg()[0]:.1f}: {_stages_of(found)}")
        seconds_target, memory_target = _TARGETS.get(label, (None, None))
        total = sum(found["stages"].values())
        costs[label] = sum(found["processor"].values()) / found["decisions"] * 1e6
        before = (Otherwise(_COMPARED_WITH, costs[_COMPARED_WITH]),) if _COMPARED_WITH in costs else ()
        yield Measurement("loop", f"whole loop, {label} decisions", total, "s", (), seconds_target)
        yield Measurement("loop", f"processor time per million, {label} decisions", costs[label], "s", before)
        yield Measurement("loop", f"peak memory, {label} decisions", found["peak_gb"], "GB", (), memory_target)
    found = run_apart(*_WHERE_STOCK_LIVES)
    say(f"  where stock lives, at a load of {os.getloadavg()[0]:.1f}: {_stages_of(found)}")
    cost = sum(found["processor"].values()) / found["decisions"] * 1e6
    yield Measurement("loop", "processor time per million where stock lives, 2,000 stores", cost, "s", (), 10.0)


def _stages_of(found: dict[str, Any]) -> str:
    """Say what each stage took by the clock, and of the processors for each million decisions."""
    millions = found["decisions"] / 1e6
    return ", ".join(
        f"{stage} {took:.1f} s ({found['processor'][stage] / millions:.3f} s of processor per million)"
        for stage, took in found["stages"].items()
    )


def run_apart(stores: int, days: int, **environment: str) -> dict[str, Any]:
    """Run one size in a process of its own; its home is removed in the end."""
    command = [sys.executable, "-m", "plugins.evaluation.bench.loop", "--stores", str(stores), "--days", str(days)]
    with tempfile.TemporaryDirectory(prefix="shelfprice-bench-", ignore_cleanup_errors=True) as home:
        done = subprocess.run(
            command, cwd=ROOT, env=own_environment(home) | environment, stdout=subprocess.PIPE, text=True, check=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def _run_here(stores: int, days: int) -> dict[str, Any]:
    """Run one size in this process.

    Returns
    -------
    dict
        `stages` and `processor` with the seconds of each by the clock and of all processors, imports among them;
        `decisions`; and the most memory of all processes together, `peak_gb` and in each stage in `peaks`.
    """
    start, used = time.perf_counter(), _processor_seconds()
    from flows.environment import prepare, ready  # noqa: PLC0415 - importing is part of what is measured

    prepare()
    from flows.nightly import (  # noqa: PLC0415
        learn,
        price,
        train,
    )
    from flows.pipeline import simulate, transform  # noqa: PLC0415

    stages, processor = {"import": time.perf_counter() - start}, {"import": _processor_seconds() - used}
    results: dict[str, Any] = {}
    peaks: dict[str, float] = {}

    def run(stage: str, flow: Callable[[], Any]) -> None:
        forget_peaks()
        used, looks = _processor_seconds(), len(most)
        stages[stage] = seconds(lambda: results.update({stage: flow()}))
        processor[stage], peaks[stage] = _processor_seconds() - used, max([peak_bytes(), *most[looks:]]) / 1e9
        say(f"    {stage}: {stages[stage]:.1f} s, {processor[stage]:.1f} s of processor")

    with most_memory(peak_bytes) as most, ready():
        run("play and group", lambda: simulate(_START, days, stores))
        run("transform", transform)
        if days > 1:
            run("train", train)
            run("price", lambda: price(_START + dt.timedelta(days=days)))
        else:  # one day teaches no model; its night prices the next from the belief
            run("learn and price", lambda: learn(_START))
    decisions = sum(result.rows for result in results["play and group"])
    peak = max(*peaks.values(), *(bytes_ / 1e9 for bytes_ in most))
    return {"stages": stages, "processor": processor, "decisions": decisions, "peaks": peaks, "peak_gb": peak}


def _processor_seconds() -> float:
    """Return the processor time of this process and of its children that have ended, in seconds."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    options = argparse.ArgumentParser(description="Run the whole loop once and print what it took.")
    options.add_argument("--stores", type=int, required=True)
    options.add_argument("--days", type=int, required=True)
    print(json.dumps(_run_here(**vars(options.parse_args()))))
