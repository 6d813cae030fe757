"""A lake in a temporary folder, and store days played into it."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings, read_settings
from etl.batches import Batch, play_batch, store_ids
from etl.load import load_dimensions, load_store_day
from etl.transform import group_partitions
from etl.twin.draws import shopper_names
from etl.twin.store_day import play
from features.cells import feature_workbench, query, stale_cells
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import policy_without_model
from serving.store.in_force import pricing_on
from serving.store.storefront import Storefront
from training.fit.dataset import Dataset, columns_to_learn
from warehouse.checks.proof import Unproven
from warehouse.lake import Lake, Partition
from warehouse.workspace import Workspace

FIRST_DAY = dt.date(2026, 1, 5)
SEED = 7


@dataclass(frozen=True)
class World:
    """The shelf of `classic` and a lake of its own."""

    settings: Settings
    catalog: Catalog
    lake: Lake

    def play_day(self, n_stores: int, day: int = 0, *, share: float = 0.5, seed: int = SEED) -> int:
        """Play one business date at exploring static prices and publish it; return the number of decisions."""
        ladder = price_ladder(self.catalog)
        usual = policy_without_model(self.catalog, "static")
        policy = Storefront(usual, exploration=ExplorationPlan(share, ladder))
        stores = [f"X{number:05d}" for number in range(1, n_stores + 1)]
        played = play(self.catalog, policy, stores, date_of(day), seed)
        load_store_day(self.lake, self.catalog, played, "g000", inputs=f"{day}:{seed}", seed=seed)
        return len(played.product)

    def play_and_group(self, n_stores: int, day: int) -> int:
        """Play one business date at static prices as `simulate` does, and group it; return the number of decisions."""
        workspace = Workspace(self.settings, self.catalog, self.lake)
        batch = Batch(date_of(day), "g000", store_ids(self.catalog, n_stores))
        played = play_batch(workspace, batch, pricing_on(self.lake, self.catalog, date_of(day), "static"), SEED)
        self.transform()
        return played.rows

    def transform(self) -> None:
        """Group every new partition into demand cells and visit counts, and publish them."""
        workspace = Workspace(self.settings, self.catalog, self.lake)
        group_partitions(workspace, list(stale_cells(self.lake, self.catalog)), Unproven(self.lake))

    def forget_cells(self) -> None:
        """Remove the demand cells, so that they can be made again."""
        for partition in list(self.lake.partitions("demand_cells")):
            self.lake.remove(partition)

    def decisions_file(self, day: int) -> Path:
        """Return the Parquet file with the decisions of a day."""
        return self.lake.path(Partition("interactions", date_of(day), "g000"))

    def dataset(self, days: int) -> Dataset:
        """Return the demand cells of the first days, all of them to fit on."""
        last = date_of(days - 1)
        with feature_workbench(self.settings) as connection:
            span = {"first": FIRST_DAY, "trained_through": last}
            training = connection.execute(query("training_cells"), span).df()
        return dataset_of(training, last)


def dataset_of(training: pd.DataFrame, last: dt.date = FIRST_DAY) -> Dataset:
    """Return a dataset that holds nothing out."""
    return Dataset(training, training.iloc[:0], columns_to_learn(training), last, last, "bench")


@contextmanager
def temporary_world() -> Iterator[World]:
    """Open a world with the default catalog; its folder is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="shelfprice-bench-") as folder:
        settings = read_settings({"SHELFPRICE_HOME": folder, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"})
        catalog, lake = load(CLASSIC), Lake(settings)
        lake.prepare()
        load_dimensions(lake, catalog, shopper_names(catalog.store.shopper_pool, SEED))
        yield World(settings, catalog, lake)


def date_of(day: int) -> dt.date:
    """Return a business date by its number."""
    return FIRST_DAY + dt.timedelta(days=day)
