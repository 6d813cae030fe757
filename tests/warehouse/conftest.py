"""A lake in a temporary home, rows to put into it, and one played day."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.decisions.store_day import StoreDay
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from etl.load import load_dimensions, load_store_day
from etl.twin.draws import shopper_names
from etl.twin.store_day import play
from features.cells import feature_workbench, groups_of, publish_groups, stale_cells
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import policy_without_model
from serving.store.storefront import Storefront
from warehouse.lake import Lake, Partition

DAY = dt.date(2026, 1, 5)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings)


@pytest.fixture
def partition() -> Partition:
    return Partition("demand_cells", DAY, "S01")


@pytest.fixture
def cells() -> Callable[..., pa.Table]:
    """Make demand cells: `n_rows` of them, told apart by `offered`."""

    def make(n_rows: int = 50, offered: int = 1) -> pa.Table:
        return pa.table(
            {
                "sku": pa.array(["MILK"] * n_rows, pa.string()).dictionary_encode(),
                "price_offered": [1.5] * n_rows,
                "price_ratio": [1.0] * n_rows,
                "inventory_level": list(range(n_rows)),
                "n_offered": [offered] * n_rows,
                "n_purchased": [0] * n_rows,
            },
            schema=TABLES["demand_cells"].schema,
        )

    return make


@pytest.fixture(scope="session")
def shelf() -> Catalog:
    return load(CLASSIC)


@pytest.fixture(scope="session")
def played_day(shelf: Catalog) -> StoreDay:
    """One day of all stores at half explored base prices."""
    ladder = price_ladder(shelf)
    policy = Storefront(policy_without_model(shelf), exploration=ExplorationPlan(0.5, ladder))
    return play(shelf, policy, shelf.store.stores, DAY, 7)


@pytest.fixture(scope="session")
def filled_lake(shelf: Catalog, played_day: StoreDay, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a lake that holds the played day, its dimensions and its cells; nobody changes them."""
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("filled"))})
    lake = Lake(settings)
    lake.prepare()
    load_dimensions(lake, shelf, shopper_names(50, 1))
    load_store_day(lake, shelf, played_day, "all", inputs="7", seed=7)
    with feature_workbench(settings) as connection:
        for stale in list(stale_cells(lake, shelf)):
            publish_groups(lake, stale, groups_of(connection, lake, stale.decisions))
    return lake.root


@pytest.fixture(scope="session")
def fill_lake(filled_lake: Path) -> Callable[[Settings], Lake]:
    """Copy the played day, its dimensions and its cells into the lake of some settings."""

    def fill(settings: Settings) -> Lake:
        lake = Lake(settings)
        shutil.copytree(filled_lake, lake.root)
        return lake

    return fill
