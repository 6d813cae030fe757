"""Fit a forest, work out a price book, and quote from it."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from resource import RUSAGE_SELF, getrusage

import numpy as np
import pandas as pd
from scipy.special import expit

from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import Catalog
from plugins.evaluation.bench.measure import Measurement, seconds
from plugins.evaluation.bench.world import FIRST_DAY, SEED, World, dataset_of, temporary_world
from serving.belief.belief import believed_before_anybody_came
from serving.belief.table import belief_to_table
from serving.book.book import PriceBook, book_to_table
from serving.book.make import publish_book, tabulate
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import GreedyPolicy
from training.fit.candidates import CANDIDATES, FittedModel, fit
from training.fit.dataset import Dataset
from warehouse.lake import Partition

DEMAND_FOREST = next(candidate for candidate in CANDIDATES if candidate.name == "demand_forest")
_SCALE = 100
_QUOTES = 20_000
_MILLION = 1_000_000
_LONG = 5_000  # products


def fitting() -> Iterator[Measurement]:
    """Fit on cells of 1e6 and 1e8 decisions."""
    with temporary_world() as world:
        dataset = _million(world)
    many = dataset.training.copy()
    many[["n_offered", "n_purchased"]] *= _SCALE
    for label, data in (("1e6", dataset), ("1e8", dataset_of(many))):
        took = seconds(partial(fit, DEMAND_FOREST, data, SEED), 3)
        yield Measurement("fit", f"fit demand_forest, cells of {label}", took, "s", (), 1.0)


def price_book() -> Iterator[Measurement]:
    """Work out the price book of the shelf of `classic`."""
    with temporary_world() as world:
        fitted, book = _shelf(world)
        catalog = world.catalog

        def work_out() -> None:
            book_to_table(tabulate(GreedyPolicy(_curves(world, fitted)), catalog, _opening()))

        took = seconds(work_out, 5)
    cells = int((book.par_stock + 1).sum()) * book.n_ticks
    yield Measurement("book", f"price book from a forest, {cells:,} cells", took, "s", (), 0.3)


def long_book() -> Iterator[Measurement]:
    """Work out and publish the price book of 5,000 products, 100 units and 48 ticks, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        took, size, memory = process.submit(_publish_long_book).result()
    what = "price book of 5,000 products x 100 units x 48 ticks"
    yield Measurement("long-book", f"{what}, made and published", took, "s", (), 30)
    yield Measurement("long-book", f"{what}, its file", size / _MILLION, "MB", (), 100)
    yield Measurement("long-book", f"{what}, memory at most", memory / _MILLION, "MB", (), 1_500)


def _publish_long_book() -> tuple[float, int, int]:
    """Return seconds, bytes of the file, and the most memory that the process took, bytes."""
    with temporary_world() as world:
        shelf = world.catalog
        products = tuple(
            shelf.products[number % len(shelf.products)].model_copy(update={"sku": f"P{number:05d}", "par_stock": 100})
            for number in range(_LONG)
        )
        catalog = Catalog(products, shelf.store.model_copy(update={"popularity": {}}))
        belief = belief_to_table(catalog, believed_before_anybody_came(catalog))
        ladder = price_ladder(catalog)
        curves = DemandCurves(catalog.skus, ladder, expit(8 - 8 * ladder / catalog.base_prices[:, None]), "1")
        visits = np.tile(400 * tick_profile(catalog.store), (_LONG, 1)) * np.linspace(0.5, 1.5, _LONG)[:, None]
        took = seconds(lambda: publish_book(world.lake, catalog, curves, visits, FIRST_DAY, belief))
        size = world.lake.path(Partition("booked_prices", FIRST_DAY, "all")).stat().st_size
    return took, size, getrusage(RUSAGE_SELF).ru_maxrss * 1024


def quote() -> Iterator[Measurement]:
    """Quote one price, and a million."""
    with temporary_world() as world:
        _, book = _shelf(world)

    def many() -> None:
        for stock in range(_QUOTES):
            book.at(0, stock % 100, 1 + stock % 48)

    one = seconds(many, 3) / _QUOTES
    yield Measurement("quote", "one quote", one * 1e6, "us", (), 20)
    draw = np.random.default_rng(SEED)
    product, stock = draw.integers(0, len(book.skus), _MILLION), draw.integers(0, 101, _MILLION)
    ticks = draw.integers(1, book.n_ticks + 1, _MILLION)
    took = seconds(lambda: book.at(product, stock, ticks), 3)
    yield Measurement("quote", "a million quotes at once", took, "s", (), 0.2)


def ladder_rows(world: World, fitted: FittedModel, stock: int | None = None) -> pd.DataFrame:
    """Return the model's input for every ladder price of every product at a stock, by default with the shelf full."""
    ladder = price_ladder(world.catalog)
    rows = pd.DataFrame(
        {
            "price_offered": ladder.ravel(),
            "price_ratio": (ladder / world.catalog.base_prices[:, None]).ravel(),
            "inventory_level": np.repeat(world.catalog.par_stock, ladder.shape[1]) if stock is None else stock,
        }
    )
    sku = np.repeat(np.array(world.catalog.skus), ladder.shape[1])
    one_hot = {f"sku_{name}": (sku == name).astype(float) for name in world.catalog.skus}
    return rows.assign(**one_hot)[fitted.features]


def _million(world: World) -> Dataset:
    world.play_day(2_000)
    world.transform()
    return world.dataset(1)


def _shelf(world: World) -> tuple[FittedModel, PriceBook]:
    world.play_day(40)
    world.transform()
    fitted = fit(DEMAND_FOREST, world.dataset(1), SEED)
    return fitted, tabulate(GreedyPolicy(_curves(world, fitted)), world.catalog, _opening())


def _curves(world: World, fitted: FittedModel) -> DemandCurves:
    ladder = price_ladder(world.catalog)
    chances = fitted.p_sale(ladder_rows(world, fitted)).reshape(ladder.shape)
    return DemandCurves(world.catalog.skus, ladder, chances, "1")


def _opening() -> dt.datetime:
    return dt.datetime.combine(FIRST_DAY, dt.time(), dt.UTC)
