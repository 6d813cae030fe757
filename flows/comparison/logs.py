"""What a policy may learn from: a log of a stated number of decisions at prices tried at random."""

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from catalog.arrays import Floats
from catalog.ladder import price_ladder
from catalog.load import Catalog
from catalog.store_day import BOUGHT
from features.cells import model_input
from serving.exploration import Exploring
from serving.policies import StaticPolicy
from simulation.store_day import play
from training.dataset import Dataset

_LOG_DATE = dt.date(2026, 5, 1)
_VISITS_PER_STORE = 500.0


@dataclass(frozen=True)
class Log:
    """Cells to learn from, and the visits counted in it as shares, shape (n_products, n_ticks); they sum to 1."""

    dataset: Dataset
    footfall: Floats


def draw_log(connection: duckdb.DuckDBPyConnection, catalog: Catalog, decisions: int, seed: int) -> Log:
    """Play stores that try a ladder price at random in every tick, and log exactly `decisions` of their decisions.

    Products are visited alike, and nothing sells out: a store has 500 visits for more stock than that.
    """
    products = tuple(product.model_copy(update={"par_stock": 30_000}) for product in catalog.products)
    exploration = catalog.store.exploration.model_copy(update={"hold_ticks": 1})
    update = {"visits_per_day": _VISITS_PER_STORE, "popularity": {}, "shocks": (), "exploration": exploration}
    world = Catalog(products, catalog.store.model_copy(update=update))
    ladder = price_ladder(world)
    policy = Exploring(StaticPolicy(world.base_prices), 1.0, ladder, np.full(ladder.shape, np.nan))
    n_stores = int(decisions / _VISITS_PER_STORE * 1.1) + 2
    day = play(world, policy, [f"L{number:05d}" for number in range(n_stores)], _LOG_DATE, seed)
    kept = slice(0, decisions)
    logged = pd.DataFrame({"product": day.product[kept], "price_offered": day.price[kept]})
    logged["purchased"] = day.outcome[kept] == BOUGHT
    cells = logged.groupby(["product", "price_offered"])["purchased"].agg(["size", "sum"]).reset_index()
    candidates = pd.DataFrame(
        {
            "sku": np.array(world.skus, dtype=object)[cells["product"]],
            "price_offered": cells["price_offered"],
            "inventory_level": 100,
        }
    )
    rows = model_input(connection, candidates).assign(n_offered=cells["size"], n_purchased=cells["sum"])
    one_hot = tuple(name for name in rows.columns if name.startswith("sku_"))
    counts = np.zeros((len(world.skus), world.store.opening.ticks))
    np.add.at(counts, (day.product[kept], day.tick[kept]), 1 / decisions)
    dataset = Dataset(rows, rows.iloc[:0], one_hot, _LOG_DATE, _LOG_DATE, f"{decisions}:{seed}")
    return Log(dataset, counts)


def expected_visits(log: Log, catalog: Catalog) -> Floats:
    """Footfall as the log tells it, for a store with the catalog's visits a day, shape (n_products, n_ticks).

    As for the real store, a product's visits are spread by the profile that all products share. The log's products
    are visited alike; a scenario's popularity is known to its store, with the log's own error.
    """
    of_product = log.footfall.sum(axis=1) * len(catalog.skus) * catalog.popularity
    return catalog.store.visits_per_day * of_product[:, None] * log.footfall.sum(axis=0)
