"""A chain's belief: what a week of 30,000 products taught, the morning after, and one update within the day.

    python -m bench.chain_belief 30000

does it in one process, and prints what was measured as JSON. Every product has a price, a demand and a footfall of its
own, and is shown at another price each hour.
"""

import argparse
import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bench.chain_book import chain
from bench.measure import ROOT, Measurement, own_environment
from bench.processes import peak_bytes
from bench.world import FIRST_DAY, SEED
from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.pricing import Sold
from serving.belief.belief import believed_before_anybody_came, n_hours_of
from serving.belief.gaussian import Knots
from serving.belief.log import Seen, belief_from
from serving.belief.policy import Outlook, morning_of
from serving.belief.sales import Sales, SoldAtPrices, sales_at_knots
from serving.belief.states import learned
from serving.curves import DemandCurves

_PRODUCTS, _DAYS, _STORES, _UPDATED_AFTER = 30_000, 7, 10, 4
_DATES = tuple(FIRST_DAY + dt.timedelta(days=day) for day in range(_DAYS))
_SECONDS = 0.8e-3  # for a product


def chain_belief() -> Iterator[Measurement]:
    """Learn from a week of 30,000 products, open the day after, and correct it once."""
    command = [sys.executable, "-m", "bench.chain_belief", str(_PRODUCTS)]
    done = subprocess.run(command, cwd=ROOT, env=own_environment(ROOT), capture_output=True, text=True, check=True)
    found, most = json.loads(done.stdout), _PRODUCTS * _SECONDS
    for stage, what, wanted in (
        ("night", f"learning from a week of {_PRODUCTS:,} products", 2 * most),
        ("morning", "curves of the morning after", most),
        ("update", "an update within the day", most),
    ):
        yield Measurement("chain_belief", f"{what}, processor", found[stage], "s", (), wanted)
    yield Measurement("chain_belief", "peak memory of all", found["peak"] / 1e9, "GB", (), 1.5)


def measured(n_products: int) -> dict[str, float]:
    """Return the processor seconds of each stage, and the peak memory; what is compiled is compiled before."""
    _stages(*chain(2))
    return {**_stages(*chain(n_products)), "peak": peak_bytes()}


def _stages(catalog: Catalog, curves: DemandCurves, visits: Floats) -> dict[str, float]:
    sales, times = _sold(catalog, curves, visits), [time.process_time()]
    footfall = replace(believed_before_anybody_came(catalog).footfall, daily=visits.sum(axis=1), store_days=70.0)
    seen = Seen(sales, footfall, learned(catalog.store.belief, Knots.of(catalog), sales))
    belief = belief_from(catalog, seen, _DATES[-1] + dt.timedelta(days=1))
    times.append(time.process_time())
    opening = morning_of(catalog, belief, None).outlook()
    _prices(opening)
    times.append(time.process_time())
    _prices(opening.after(_hour(catalog, curves, visits)))
    times.append(time.process_time())
    return dict(zip(("night", "morning", "update"), np.diff(times).tolist(), strict=True))


def _prices(outlook: Outlook) -> None:
    """Work out what prices are made from."""
    assert outlook.exploration.budget is not None  # noqa: S101 - both are found when they are asked for
    assert outlook.curves.low is not None  # noqa: S101


def _sold(catalog: Catalog, curves: DemandCurves, visits: Floats) -> Sales:
    """Return a week of sales."""
    draw, shape = np.random.default_rng(SEED), (len(catalog.skus), _DAYS, n_hours_of(catalog))
    product, day, hour = (own.ravel() for own in np.indices(shape))
    place = draw.integers(curves.prices.shape[1], size=len(product))
    met = 1 + draw.poisson(_STORES * visits.sum(axis=1)[product] / shape[2])
    bought = draw.binomial(met, curves.p_sale[product, place]).astype(float)
    sold = SoldAtPrices(product, day, hour, curves.prices[product, place], met.astype(float), bought)
    return sales_at_knots(Knots.of(catalog), _DATES, shape[2], sold)


def _hour(catalog: Catalog, curves: DemandCurves, visits: Floats) -> tuple[Sold, ...]:
    """Return the first ticks of a day in some stores."""
    draw, shape, ticks = np.random.default_rng(SEED), (_STORES, len(catalog.skus)), []
    for tick in range(_UPDATED_AFTER):
        place = draw.integers(curves.prices.shape[1], size=shape)
        met, product = draw.poisson(visits[:, tick], size=shape), np.arange(shape[1])
        bought = draw.binomial(met, curves.p_sale[product, place])
        ticks.append(Sold(tick, curves.prices[product, place], met, met, bought))
    return tuple(ticks)


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m bench.chain_belief", description=chain_belief.__doc__)
    options.add_argument("products", type=int, nargs="?", default=_PRODUCTS, help=f"by default {_PRODUCTS:,}")
    print(json.dumps(measured(options.parse_args().products)))
