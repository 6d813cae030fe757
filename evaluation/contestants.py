"""The policies that meet: those that know nothing, those that learned from a log, and the clairvoyant.

A log is decisions that were played, or a stated number of them drawn at random prices.
"""

import datetime as dt
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.load import Catalog
from catalog.price_ladder import price_ladder
from catalog.records.shoppers import Substitution
from catalog.store_day import BOUGHT, OUT_OF_STOCK, StoreDay
from features.cells import model_input
from serving.curves import DemandCurves, demand_curves
from serving.exploration import ExplorationPlan
from serving.policies import (
    GreedyPolicy,
    StaticPolicy,
    StockAwarePolicy,
    costs_that_count,
    policy_without_model,
    stock_aware,
)
from serving.pricing_policy import PricingPolicy
from serving.storefront import Storefront
from simulation.store_day import play
from simulation.visits import expected_visits_on
from training.candidates import CANDIDATES, fit
from training.dataset import Dataset, columns_to_learn
from training.gain import Challenger
from training.same_shoppers import true_curves

CLAIRVOYANT = "clairvoyant"
TRUE_DEMAND = "true_demand"

_FINE_LADDER = 200
_BY_NAME = {candidate.name: candidate for candidate in CANDIDATES}
_LOG_DATE = dt.date(2026, 5, 1)
_VISITS_PER_STORE = 500.0
_COUNTS = ["n_offered", "n_purchased"]
_CELL = ["sku", "price_offered"]


@dataclass(frozen=True)
class Log:
    """Decisions grouped by product and price, and the visits counted, shape (n_products, n_ticks).

    `cells` has the columns sku, price_offered, n_offered and n_purchased; decisions met with an empty shelf are left
    out of it and are visits all the same.
    """

    cells: pd.DataFrame
    visits: Floats

    @classmethod
    def of(cls, day: StoreDay, catalog: Catalog, decisions: int | None = None) -> "Log":
        """Return the log of a played date, or of its first `decisions` visits."""
        kept = slice(0, decisions)
        product, outcome = day.product[kept], day.outcome[kept]
        rows = pd.DataFrame({"sku": np.array(catalog.skus, dtype=object)[product], "price_offered": day.price[kept]})
        rows = rows.assign(n_offered=1, n_purchased=(outcome == BOUGHT).astype(int))[outcome != OUT_OF_STOCK]
        visits = np.zeros((len(catalog.skus), catalog.store.opening.ticks))
        np.add.at(visits, (product, day.tick[kept]), 1)
        return cls(_grouped(rows), visits)

    def __add__(self, other: "Log") -> "Log":
        return Log(_grouped(pd.concat([self.cells, other.cells])), self.visits + other.visits)

    def dataset(self, connection: duckdb.DuckDBPyConnection) -> Dataset:
        """Return the cells with their features, all of them to fit on."""
        candidates = self.cells[_CELL].assign(inventory_level=100)  # unknown to these logs, and the same for all
        rows = model_input(connection, candidates)
        rows[_COUNTS] = self.cells[_COUNTS].to_numpy()
        return Dataset(rows, rows.iloc[:0], columns_to_learn(rows), _LOG_DATE, _LOG_DATE, "log")

    def footfall(self) -> Floats:
        """Share of the visits in each product and tick, shape (n_products, n_ticks).

        As for a real store, a product's visits are spread by the profile that all products share.
        """
        return self.visits.sum(axis=1, keepdims=True) * self.visits.sum(axis=0) / self.visits.sum() ** 2


def draw_log(catalog: Catalog, decisions: int, seed: int) -> Log:
    """Play stores that try a ladder price at random in every tick, and log exactly `decisions` of their decisions.

    Products are visited alike, and nothing sells out: a store has 500 visits for more stock than that.
    """
    products = tuple(product.model_copy(update={"par_stock": 30_000}) for product in catalog.products)
    exploration = catalog.store.exploration.model_copy(update={"hold_ticks": 1})
    update = {"visits_per_day": _VISITS_PER_STORE, "popularity": {}, "exploration": exploration}
    update |= {"shocks": (), "demand_effects": (), "day_shift": 0.0, "substitution": Substitution()}
    world = Catalog(products, catalog.store.model_copy(update=update))
    ladder = price_ladder(world)
    policy = Storefront(StaticPolicy(world.base_prices), exploration=ExplorationPlan(1.0, ladder))
    n_stores = int(decisions / _VISITS_PER_STORE * 1.1) + 2
    day = play(world, policy, [f"L{number:05d}" for number in range(n_stores)], _LOG_DATE, seed)
    return Log.of(day, world, decisions)


@dataclass(frozen=True)
class LearnedFromLog:
    """What can be known from one log: the demand curves of both forests, and the log for the footfall."""

    log: Log
    curves: DemandCurves
    prototype: DemandCurves


def learn(connection: duckdb.DuckDBPyConnection, catalog: Catalog, decisions: int, seed: int) -> LearnedFromLog:
    """Draw a log of a world and learn from it, as the pipeline does and as the textbook does."""
    log = draw_log(catalog, decisions, seed)
    curves = curves_from(connection, catalog, log, "demand_forest", seed)
    return LearnedFromLog(log, curves, curves_from(connection, catalog, log, "balanced_forest", seed))


def curves_from(
    connection: duckdb.DuckDBPyConnection, catalog: Catalog, log: Log, candidate: str, seed: int
) -> DemandCurves:
    """Fit one of the candidate models on a log and ask it for the catalog's ladder, reweighted classes as they are."""
    fitted = fit(_BY_NAME[candidate], log.dataset(connection), seed)
    return demand_curves(connection, Challenger(f"log {seed}", replace(fitted, odds_factor=1.0)), catalog)


def policy_of(name: str, catalog: Catalog, learned: LearnedFromLog) -> PricingPolicy:
    """Return a policy out of `POLICIES`, as it would price the catalog's world after what it learned."""
    if name in {"static", "rule"}:
        return policy_without_model(catalog, name)
    if name == "prototype":
        return GreedyPolicy(learned.prototype)
    if name == "greedy":
        return GreedyPolicy(learned.curves, costs_that_count(catalog))
    return stock_aware(catalog, learned.curves, _expected_visits(learned.log, catalog), name)


def clairvoyant(catalog: Catalog, date: dt.date, store: str | None = None) -> StockAwarePolicy:
    """Return the limit: the same recursion on true demand and footfall, on a fine ladder within floor and ceiling.

    It is that of one store: of a given one, or of any that no demand effect names.
    """
    fine = Catalog(catalog.products, catalog.store.model_copy(update={"ladder_prices": _FINE_LADDER}))
    visits = expected_visits_on(catalog, date, store)
    return stock_aware(catalog, true_curves(fine, date, store), visits, CLAIRVOYANT)


def with_true_demand(catalog: Catalog, date: dt.date) -> StockAwarePolicy:
    """Return what the catalog's own ladder allows at best: true demand and footfall, its candidates only."""
    return stock_aware(catalog, true_curves(catalog, date), expected_visits_on(catalog, date), TRUE_DEMAND)


def _expected_visits(log: Log, catalog: Catalog) -> Floats:
    """Footfall as the log tells it, for a store with the catalog's visits a day, shape (n_products, n_ticks).

    The log's products are visited alike; a scenario's popularity is known to its store, with the log's own error.
    """
    of_log = log.footfall() * len(catalog.skus) * catalog.popularity[:, None]
    return catalog.store.visits_per_day * of_log


def _grouped(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby(_CELL, as_index=False)[_COUNTS].sum()
