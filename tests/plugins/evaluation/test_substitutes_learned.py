"""What 20,000 logged decisions are worth to a category of three substitutes: nearly all of the joint optimum."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, StoreDay
from catalog.load import Catalog
from catalog.settings import read_settings
from etl.load import rows_of
from etl.twin.store_day import play
from features.cells import feature_workbench, model_input
from features.substitutes import choices_of, pairs_of
from flows.workspace import prepared
from serving.belief.shoppers import _as_arrays, likeliest
from serving.learning.exploration import ExplorationPlan
from serving.optimise.curves import DemandCurves, LogitSwitching, demand_curves
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront
from tests.serving.joint_optimum import CASES, Joint, category
from training.fit.candidates import CANDIDATES, fit
from training.fit.dataset import Dataset, columns_to_learn

pytestmark = pytest.mark.play

DECISIONS, LOGGED = 20_000, dt.date(2026, 5, 1)
CELL, COUNTS = ["sku", "price_offered"], ["n_offered", "n_purchased"]
(FOREST,) = (candidate for candidate in CANDIDATES if candidate.name == "demand_forest")


def cells_of(day: StoreDay, catalog: Catalog) -> pd.DataFrame:
    """Group the first decisions of a day by product and price; those at an empty shelf are left out."""
    product, outcome, price = day.product[:DECISIONS], day.outcome[:DECISIONS], day.price[:DECISIONS]
    rows = pd.DataFrame({"sku": np.array(catalog.skus, dtype=object)[product], "price_offered": price})
    rows = rows.assign(n_offered=1, n_purchased=(outcome == BOUGHT).astype(int))[outcome != OUT_OF_STOCK]
    return rows.groupby(CELL, as_index=False)[COUNTS].sum()


def dataset_of(connection: duckdb.DuckDBPyConnection, cells: pd.DataFrame) -> Dataset:
    """Return cells with their features, all of them to fit on."""
    rows = model_input(connection, cells[CELL].assign(inventory_level=100))
    rows[COUNTS] = cells[COUNTS].to_numpy()
    return Dataset(rows, rows.iloc[:0], columns_to_learn(rows), LOGGED, LOGGED, "log")


def learned(joint: Joint, seed: int, home: Path) -> DemandCurves:
    """Return curves and choices among substitutes as a log of random prices teaches them, nothing being sold out."""
    catalog = joint.catalog
    products = tuple(own.model_copy(update={"par_stock": 30_000}) for own in catalog.products)
    each_tick = catalog.store.exploration.model_copy(update={"hold_ticks": 1})
    ample = Catalog(products, catalog.store.model_copy(update={"exploration": each_tick}))
    policy = Storefront(StaticPolicy(catalog.base_prices), exploration=ExplorationPlan(1.0, joint.ladder))
    day = play(ample, policy, [f"L{number:02d}" for number in range(42)], LOGGED, seed)
    rows = rows_of(day, ample)
    assert rows.substitutions is not None
    assert day.taken is not None
    within = pa.array(day.taken.visit < DECISIONS)
    given = {"visits": rows.interactions.slice(0, DECISIONS), "taken": rows.substitutions.filter(within)}
    choices = choices_of(given | {"repriced": rows.repricings}, *pairs_of(catalog)).to_pandas()
    base = dict(zip(catalog.skus, catalog.base_prices.tolist(), strict=True))
    level, slope = likeliest(*_as_arrays(choices, base)).tolist()
    settings = read_settings({"SHELFPRICE_HOME": str(home)})
    prepared(settings, catalog)
    with feature_workbench(settings) as connection:
        fitted = fit(FOREST, dataset_of(connection, cells_of(day, ample)), seed)
        curves = demand_curves(connection, replace(fitted, odds_factor=1.0, version=f"log {seed}"), catalog)
    return replace(curves, switching=LogitSwitching(catalog.substitutes, level, slope))


def test_three_substitutes_learned_from_twenty_thousand_decisions_earn_98_percent_of_the_joint_optimum(
    tmp_path: Path,
) -> None:
    skus, stock, visits, strength, n_prices = CASES[-1]
    joint = Joint(category(skus, stock, strength, n_prices), visits)
    best = joint.best()
    known = [learned(joint, seed, tmp_path / f"home{seed}") for seed in (1, 2)]
    together = [joint.of_books(joint.books(curves)) / best for curves in known]
    alone = [joint.of_books(joint.books(replace(curves, switching=None))) / best for curves in known]
    assert min(together) >= 0.98
    assert max(alone) < 0.85
    assert np.ptp(together) < 0.02
