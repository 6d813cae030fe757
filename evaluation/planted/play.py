"""One planted log on the real path: ingested, grouped, learned from, judged and priced in a home of its own.

The functions are those that the commands call; only the registry is kept in memory.
"""

import datetime as dt
import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.arrays import Floats
from catalog.errors import DataError, ShelfpriceError
from catalog.load import load
from catalog.settings import read_settings
from etl.prepare import prepared
from etl.transform import transform
from evaluation.memory_registry import MemoryRegistry
from evaluation.planted.log import Sales, last_day, sales_of, write_log
from evaluation.planted.records import Job, Played, ProductFound
from evaluation.planted.regression import slopes
from evaluation.planted.world import Size, World, world_of
from features.cells import feature_workbench
from features.response import PriceResponse
from own_data.exported import exported_cells
from own_data.exports.columns import Reading
from own_data.exports.ingest import ingest
from own_data.price_response.decide import price_responses
from training.pricing import price_date
from training.session import train
from warehouse.workspace import Workspace

_LOG = logging.getLogger(__name__)
_ONE_DAY = dt.timedelta(days=1)
_DAYS_UNTIL_INGESTED = 7
_STEPS = 101  # prices from floor to ceiling


@dataclass(frozen=True)
class _Log:
    """A world and what it sold, as it lies in a folder."""

    job: Job
    world: World
    sales: Sales
    file: Path

    @property
    def through(self) -> dt.date:
        return last_day(self.world)


@dataclass(frozen=True)
class _Revenues:
    """What a store day is expected to earn at the prices made, at base prices and at the best, EUR, (n_products,)."""

    made: Floats
    base: Floats
    best: Floats

    @property
    def gain(self) -> float:
        return float(self.made.sum() / self.base.sum() - 1)

    @property
    def attainable(self) -> float:
        return float(self.best.sum() / self.base.sum() - 1)


def play(job: Job, folder: Path) -> Played:
    """Write the log of a job into a folder, and take it through the real path there.

    A log that breaks the path is reported as broken, so that it does not hide what the others show.
    """
    began = time.perf_counter()
    log = _write(job, folder)
    products: tuple[ProductFound, ...] = ()
    gate, gain, attainable, why_not, is_broken = None, None, None, None, False
    try:
        workspace = _ingest(log, folder)
        if job.response_only:  # which is read from decisions, not from demand cells
            products = _compared(log, _responses(workspace, log))
        else:
            transform(workspace)
            registry = MemoryRegistry()
            trained = train(workspace, registry, log.through, job.seed)
            products, gate = _compared(log, trained.responses), trained.verdict.outcome
            earned = _revenues(workspace, registry, log)
            gain, attainable = earned.gain, earned.attainable
            gains = dict(zip(log.world.skus, earned.made / earned.base - 1, strict=True))
            products = tuple(replace(product, gain=float(gains[product.sku])) for product in products)
    except ShelfpriceError as error:
        why_not = str(error).replace(str(folder), "")
    except Exception as error:  # noqa: BLE001 - a log that breaks the path must not hide what the others show
        _LOG.exception("the log %s, %s, seed %d broke the path", job.scenario.name, job.grain, job.seed)
        why_not, is_broken = f"broke: {error!r}", True
    seconds = time.perf_counter() - began
    own = job.scenario
    return Played(
        own.name, own.kind, job.grain, job.seed, products, gate, gain, attainable, why_not, is_broken, seconds
    )


def planted(job: Job) -> tuple[World, Sales, np.random.Generator]:
    """Draw the world of a job and what it sells; also returns what draws the rest of its log.

    The world is the same in every grain.
    """
    name = int.from_bytes(job.scenario.name.encode())
    for_world, for_sales = np.random.SeedSequence((job.seed, name)).spawn(2)
    size = Size(job.scenario.stores or job.size.stores, job.size.days, job.size.products)
    rng = np.random.default_rng(for_world)
    causes = job.scenario.plant(size, rng)
    world = world_of(causes, size, rng, zero_effect=job.scenario.kind == "zero effect")
    rng = np.random.default_rng(for_sales)
    return world, sales_of(world, job.grain, rng), rng


def _write(job: Job, folder: Path) -> _Log:
    world, sales, rng = planted(job)
    file = folder / f"{job.scenario.name}.csv"
    write_log(file, world, sales, job.grain, rng)
    return _Log(job, world, sales, file)


def _ingest(log: _Log, folder: Path) -> Workspace:
    """Ingest a log, on the shelf that is estimated from it."""
    settings = read_settings({"SHELFPRICE_HOME": str(folder / "home")})
    now = dt.datetime.combine(log.through + dt.timedelta(days=_DAYS_UNTIL_INGESTED), dt.time(), dt.UTC)
    found = ingest(settings, log.file, Reading(), None, now).row["grain"]
    if found != log.job.grain:
        raise DataError(f"expected {log.file.name} to be taken for {log.job.grain}, found {found}; nothing was learned")
    return prepared(settings, load(settings.shelf))


def _responses(workspace: Workspace, log: _Log) -> tuple[PriceResponse, ...]:
    with feature_workbench(workspace.settings) as connection:
        return price_responses(exported_cells(connection, log.through), workspace.catalog.skus)


def _compared(log: _Log, responses: tuple[PriceResponse, ...]) -> tuple[ProductFound, ...]:
    naive = slopes(log.world, log.sales, log.job.grain, knowing_the_rest=False).estimate
    truth = dict(zip(log.world.skus, zip(log.world.slope, naive, strict=True), strict=True))
    found = []
    for own in responses:
        true_slope, naive_slope = truth[own.sku]
        known = None if np.isnan(naive_slope) else float(naive_slope)
        slope = own.estimate
        interval = (None, None, None) if slope is None else (slope.estimate, slope.lower, slope.upper)
        found.append(ProductFound(own.sku, float(true_slope), known, own.verdict, own.why, *interval))
    return tuple(found)


def _revenues(workspace: Workspace, registry: MemoryRegistry, log: _Log) -> _Revenues:
    """Work out what the opening prices of the day after the log earn on a full shelf; without a champion, base ones."""
    world, catalog = log.world, workspace.catalog
    book = None if registry.load() is None else price_date(workspace, registry, log.through + _ONE_DAY).book
    base, made = world.base_price.copy(), world.base_price.copy()
    asked = np.repeat(base[None, :], _STEPS, axis=0)
    for product in catalog.products:
        place = world.skus.index(product.sku)
        base[place] = made[place] = product.base_price
        asked[:, place] = np.linspace(product.floor, product.ceiling, _STEPS)
        if book is not None:
            made[place] = book.quote(product.sku, product.par_stock, book.prices.shape[2]).price
    best = world.revenue(asked, log.job.grain).max(axis=0)
    return _Revenues(world.revenue(made, log.job.grain), world.revenue(base, log.job.grain), best)
