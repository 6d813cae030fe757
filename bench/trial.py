"""Whether a trial keeps what its interval promises: trials on the twin, where the true difference is known.

A policy tried against itself should be found different in 4 to 6 % of 1,000 trials; a thousand alone leave 0.7 points
to chance, so it is done four times. The interval should hold the true difference in at least 93 % of 1,000. Whole days
must do both; blocks of hours are shown beside them, with their bias.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean

from bench.measure import Measurement, say
from catalog.load import CLASSIC, Catalog, load
from evaluation.contestants import with_true_demand
from evaluation.trial.design import Design
from evaluation.trial.repeated_trials import calibrate
from evaluation.worlds import built_in
from serving.policies import policy_without_model
from serving.tabulate import tabulate

_RUNS, _SEEDS = 1_000, range(1, 5)
_START, _DAYS, _STORES = dt.date(2026, 1, 5), 14, ("S01", "S02", "S03")
_TWO_HOURS, _WASHOUT = 8, 1  # ticks
_COVERED, _WRONG, _BAND = 0.93, 0.05, 0.01


@dataclass(frozen=True)
class _Way:
    """How turns are taken, and the targets, if it has any."""

    name: str
    block_ticks: int
    washout_ticks: int
    must: bool


def honesty() -> Iterator[Measurement]:
    """Share of trials that find a difference where none is, and that cover the true one where there is."""
    shelf = load(CLASSIC)
    worlds = {"classic": shelf} | {
        world.name: world.catalog for world in built_in(shelf) if world.name in {"200 visits", "400 visits"}
    }
    for world, catalog in worlds.items():
        ticks = catalog.store.opening.ticks
        for way in (_Way("days", ticks, 0, must=True), _Way("2 hours", _TWO_HOURS, _WASHOUT, must=False)):
            say(f"  {_RUNS} trials by {way.name}, {world}")
            yield from _measured(world, catalog, way)


def _measured(world: str, catalog: Catalog, way: _Way) -> Iterator[Measurement]:
    made = Design("a", "b", _START, _DAYS, _STORES, catalog.store.opening.ticks, way.block_ticks, way.washout_ticks, 0)
    static, best = policy_without_model(catalog, "static"), with_true_demand(catalog, _START)
    book = tabulate(best, catalog, dt.datetime.combine(_START, dt.time(), dt.UTC))
    same = [calibrate(catalog, (best, best), made, _RUNS, seed, book).rejected for seed in _SEEDS]
    off, target = 100 * abs(fmean(same) - _WRONG), 100 * _BAND if way.must else None
    told = f"A/A by {way.name}, {world}: {fmean(same):.1%} rejected ({min(same):.1%} to {max(same):.1%}), from 5 %"
    yield Measurement("trial", told, off, "points", target=target)
    apart = calibrate(catalog, (static, best), made, _RUNS, _SEEDS[0], book)
    told = f"coverage by {way.name}, {world}, of a true {apart.truth_eur:,.0f} EUR"
    yield Measurement("trial", told, apart.coverage, "share", target=_COVERED if way.must else None)
    yield Measurement("trial", f"bias by {way.name}, {world}", apart.bias_eur, "EUR")
