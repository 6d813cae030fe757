"""Decisions per second: simulate and publish, and group into demand cells."""

import time
from collections.abc import Iterator

import pyarrow as pa

from bench import naive
from bench.measure import Measurement, Otherwise, seconds
from bench.world import World, temporary_world

_STORES = 2_000
_DAYS = 4
_NAIVE_VISITS = 30_000
_REPEATS = 3


def simulate() -> Iterator[Measurement]:
    """Play and publish a batch of a million decisions on one thread."""
    with temporary_world() as world:
        world.play_day(2)  # compiles
        threads = pa.cpu_count()
        pa.set_cpu_count(1)
        try:
            rates = [_rates(world, day) for day in range(1, 1 + _REPEATS)]
        finally:
            pa.set_cpu_count(threads)
        file = world.settings.home / "naive.parquet"
        slow = _NAIVE_VISITS / seconds(lambda: naive.simulate(world.catalog, _NAIVE_VISITS, file), _REPEATS)
    otherwise = (Otherwise("row at a time", slow),)
    by_wall, by_cpu = (max(rate) for rate in zip(*rates, strict=True))
    yield Measurement("simulate", "simulate + publish, one core", by_wall, "decisions/s", otherwise, 2_000_000)
    yield Measurement("simulate", "the same by CPU time", by_cpu, "decisions/s", otherwise)


def transform() -> Iterator[Measurement]:
    """Group partitions of a million decisions into demand cells and publish them."""
    with temporary_world() as world:
        decisions = [world.play_day(_STORES, day) for day in range(_DAYS)]
        best = float("inf")
        for _ in range(_REPEATS):
            world.forget_cells()
            best = min(best, seconds(world.transform))
        source, target = world.decisions_file(0), world.settings.home / "rows.parquet"
        with_pandas = seconds(lambda: naive.one_hot_with_pandas(world.catalog, source, target), _REPEATS)
        with_polars = seconds(lambda: naive.one_hot_with_polars(world.catalog, source, target), _REPEATS)
    otherwise = (
        Otherwise("pandas get_dummies", decisions[0] / with_pandas),
        Otherwise("Polars to_dummies", decisions[0] / with_polars),
    )
    yield Measurement("transform", "group into demand cells", sum(decisions) / best, "decisions/s", otherwise, 8e6)


def _rates(world: World, day: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    decisions = world.play_day(_STORES, day)
    return decisions / (time.perf_counter() - wall), decisions / (time.process_time() - cpu)
