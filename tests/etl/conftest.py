"""One played day and a few of its rows, to be spoiled one at a time."""

import datetime as dt

import pyarrow as pa
import pytest

from catalog.decisions.store_day import StoreDay
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from etl.extract import interactions_of
from etl.twin.store_day import play
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import policy_without_model
from serving.store.storefront import Storefront


@pytest.fixture(scope="session")
def shelf() -> Catalog:
    """Return the default shelf with so little stock that it runs low and out within the day."""
    catalog = load(CLASSIC)
    products = tuple(product.model_copy(update={"par_stock": 35}) for product in catalog.products)
    return Catalog(products, catalog.store)


@pytest.fixture(scope="session")
def played_day(shelf: Catalog) -> StoreDay:
    ladder = price_ladder(shelf)
    policy = Storefront(policy_without_model(shelf, "rule"), exploration=ExplorationPlan(0.5, ladder))
    return play(shelf, policy, shelf.store.stores, dt.date(2026, 1, 5), 7)


@pytest.fixture(scope="session")
def closing() -> dt.datetime:
    return dt.datetime(2026, 1, 6, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def loose_rows(shelf: Catalog, played_day: StoreDay) -> pa.Table:
    """Return twenty good rows in the wide types of an unknown source: any number fits, anything may be null."""
    rows = interactions_of(played_day, shelf).slice(0, 20)
    wide = {
        "sku": pa.string(),
        "store_id": pa.string(),
        "inventory_level": pa.float64(),
        "purchased": pa.float64(),
    }
    for name, data_type in wide.items():
        column = rows[name].cast(pa.int8()) if name == "purchased" else rows[name]
        rows = rows.set_column(rows.column_names.index(name), name, column.cast(data_type))
    return rows
