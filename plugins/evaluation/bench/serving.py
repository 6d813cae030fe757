"""Fit a forest, work out a price book, and quote from it."""

import datetime as dt
from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from catalog.ladder import price_ladder
from plugins.evaluation.bench.measure import Measurement, seconds
from plugins.evaluation.bench.world import FIRST_DAY, SEED, World, dataset_of, temporary_world
from serving.book.book import PriceBook
from serving.book.make import tabulate
from serving.book.table import book_to_table
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import GreedyPolicy
from training.fit.candidates import CANDIDATES, FittedModel, fit
from training.fit.dataset import Dataset

DEMAND_FOREST = next(candidate for candidate in CANDIDATES if candidate.name == "demand_forest")
_SCALE = 100
_QUOTES = 20_000
_MILLION = 1_000_000


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
