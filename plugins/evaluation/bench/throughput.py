"""Decisions per second: simulate and publish, and group into demand cells."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import polars as pl
import pyarrow as pa

from features.cells import COLUMNS_GROUPED
from plugins.evaluation.bench.measure import Measurement, Otherwise
from plugins.evaluation.bench.world import temporary_world

_STORES = 2_000
_DAYS = 4
_REPEATS = 3


def simulate() -> Iterator[Measurement]:
    """Play and publish a batch of a million decisions on one thread."""
    with temporary_world() as world:
        world.play_day(2)  # compiles
        threads = pa.cpu_count()
        pa.set_cpu_count(1)
        try:
            rates = [_rates_of(partial(world.play_day, _STORES, day)) for day in range(1, 1 + _REPEATS)]
        finally:
            pa.set_cpu_count(threads)
        grouped = [_rates_of(partial(world.play_and_group, _STORES, day)) for day in range(10, 11 + _REPEATS)]
    by_wall, by_cpu = (max(rate) for rate in zip(*rates, strict=True))
    yield Measurement("simulate", "simulate + publish, one core", by_wall, "decisions/s", (), 2_000_000)
    yield Measurement("simulate", "the same by CPU time", by_cpu, "decisions/s", (), 1_800_000)
    least = 1e6 / max(by_cpu for _, by_cpu in grouped)
    yield Measurement("simulate", "play and group, processor time of a million", least, "s", (), 0.7)


def transform() -> Iterator[Measurement]:
    """Group partitions of a million decisions into demand cells and publish them."""
    with temporary_world() as world:
        decisions = [world.play_day(_STORES, day) for day in range(_DAYS)]
        source = world.decisions_file(0)
        ways: dict[str, tuple[Callable[[], int | None], int]] = {
            "ours": (world.transform, sum(decisions)),
            "Polars group_by": (partial(grouped_with_polars, source), decisions[0]),
        }
        rates: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(_REPEATS):  # in turns, so that a busy moment meets all of them
            world.forget_cells()
            for name, (work, count) in ways.items():
                rates[name].append(_rates_of(work, count))
    for place, what, wanted in ((0, "group into demand cells", 5e6), (1, "the same by CPU time", 5e6)):
        ours, *others = (max(rate[place] for rate in own) for own in rates.values())
        otherwise = tuple(map(Otherwise, list(ways)[1:], others))
        yield Measurement("transform", what, ours, "decisions/s", otherwise, wanted)
    yield Measurement("transform", "the same by CPU time, Polars is 1", ours / others[-1], "times as fast", (), 1.5)


def grouped_with_polars(decisions: Path) -> None:
    """Group decisions into the rows of `features.cells` with Polars, but for the price ratio; nothing is written."""
    price, met = pl.coalesce("sticker_eur", "price_offered"), pl.col("inventory_level").ne_missing(0)
    rows = pl.read_parquet(decisions, columns=list(COLUMNS_GROUPED["interactions"])).with_columns(
        price=price,
        met=met,
        bought=pl.col("purchased") & met,
        hour=pl.col("seen_at").dt.hour(),
        is_external=pl.col("policy") == "external",
    )
    counts = (pl.len(), pl.col("met").sum(), pl.col("bought").sum())
    met_rows = rows.filter("met")
    for own, keys in (
        (rows, ["sku", "tick", "price", "is_external"]),
        (rows, ["store_id"]),
        (met_rows, ["store_id", "hour", "sku", "price", "is_external"]),
        (met_rows, ["sku", "price", "inventory_level"]),
    ):
        own.group_by(keys).agg(*counts).sort(keys)


def _rates_of(work: Callable[[], int | None], decisions: int = 0) -> tuple[float, float]:
    """Return the decisions per second of some work, by the clock and of processor time; it may tell how many."""
    wall, cpu = time.perf_counter(), time.process_time()
    done = work() or decisions
    return done / (time.perf_counter() - wall), done / (time.process_time() - cpu)
