"""What a policy may learn from: decisions that were played, and a log of a stated number of them at random prices."""

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.ladder import price_ladder
from catalog.load import Catalog
from catalog.store_day import BOUGHT, OUT_OF_STOCK, StoreDay
from features.cells import model_input
from serving.exploration.plan import ExplorationPlan
from serving.policies import StaticPolicy
from serving.storefront import Storefront
from simulation.store_day import play
from training.dataset import Dataset

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
        one_hot = tuple(name for name in rows.columns if name.startswith("sku_"))
        return Dataset(rows, rows.iloc[:0], one_hot, _LOG_DATE, _LOG_DATE, "log")

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
    update = {"visits_per_day": _VISITS_PER_STORE, "popularity": {}, "shocks": (), "exploration": exploration}
    world = Catalog(products, catalog.store.model_copy(update=update))
    ladder = price_ladder(world)
    policy = Storefront(StaticPolicy(world.base_prices), exploration=ExplorationPlan(1.0, ladder))
    n_stores = int(decisions / _VISITS_PER_STORE * 1.1) + 2
    day = play(world, policy, [f"L{number:05d}" for number in range(n_stores)], _LOG_DATE, seed)
    return Log.of(day, world, decisions)


def _grouped(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby(_CELL, as_index=False)[_COUNTS].sum()
