"""Demand cells: lossless, incremental, and the same features for training and pricing."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from etl.extract import interactions_of
from etl.load import load_dimensions, load_store_day
from etl.twin.store_day import play
from features.cells import feature_workbench, groups_of, model_input, publish_groups, stale_cells
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront
from warehouse.lake import Lake, Partition

DAY = dt.date(2026, 3, 2)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    lake = Lake(settings)
    lake.prepare()
    load_dimensions(lake, load(CLASSIC), ["Ann", "Bob"])
    return lake


def played(lake: Lake, catalog: Catalog, day: dt.date = DAY) -> Partition:
    ladder = price_ladder(catalog)
    policy = Storefront(StaticPolicy(catalog.base_prices), exploration=ExplorationPlan(0.5, ladder))
    store_day = play(catalog, policy, catalog.store.stores, day, seed=3)
    load_store_day(lake, catalog, store_day, "g000", inputs="x", seed=3)
    return Partition("interactions", day, "g000")


def test_cells_hold_exactly_the_decisions_met_with_stock(settings: Settings, lake: Lake) -> None:
    partition = played(lake, load(CLASSIC))
    rows = lake.read(partition).to_pandas()
    with feature_workbench(settings) as connection:
        cells = groups_of(connection, lake, partition)["demand_cells"].to_pandas()
    with_stock = rows[rows["inventory_level"] > 0]
    assert cells["n_offered"].sum() == len(with_stock)
    assert cells["n_purchased"].sum() == with_stock["purchased"].sum()
    assert not cells.duplicated(["sku", "price_offered", "inventory_level"]).any()
    base = dict(zip(load(CLASSIC).skus, load(CLASSIC).base_prices, strict=True))
    assert np.allclose(cells["price_ratio"], cells["price_offered"] / cells["sku"].astype(str).map(base))


def test_unknown_stock_is_kept_and_an_empty_shelf_is_left_out(settings: Settings, lake: Lake) -> None:
    day = play(load(CLASSIC), Storefront(StaticPolicy(load(CLASSIC).base_prices)), ("S01",), DAY, seed=1)
    table = interactions_of(day, load(CLASSIC)).slice(0, 3)
    stock = pa.array([None, 0, 5], pa.int32())
    purchased = pa.array([True, False, False])
    table = table.set_column(7, TABLES["interactions"].schema.field("inventory_level"), stock)
    table = table.set_column(9, TABLES["interactions"].schema.field("purchased"), purchased)
    partition = Partition("interactions", DAY, "g000")
    lake.publish(partition, table, inputs="x")
    with feature_workbench(settings) as connection:
        cells = groups_of(connection, lake, partition)["demand_cells"].to_pandas()
    assert sorted(cells["inventory_level"].isna()) == [False, True]
    assert cells["n_offered"].sum() == 2


def test_only_new_and_changed_partitions_are_stale(settings: Settings, lake: Lake) -> None:
    catalog = load(CLASSIC)
    played(lake, catalog)
    played(lake, catalog, DAY + dt.timedelta(days=1))
    for item in stale_cells(lake, catalog):
        with feature_workbench(settings) as connection:
            publish_groups(lake, item, groups_of(connection, lake, item.decisions))
    assert list(stale_cells(lake, catalog)) == []
    late = lake.read(Partition("interactions", DAY, "g000")).slice(0, 100)
    lake.publish(Partition("interactions", DAY, "g000"), late, inputs="late", seed=3)
    assert [item.decisions.business_date for item in stale_cells(lake, catalog)] == [DAY]


def test_candidates_get_the_features_that_training_used_in_their_own_order(settings: Settings, lake: Lake) -> None:
    candidates = pd.DataFrame(
        {"sku": ["MILK", "BREAD", "MILK"], "price_offered": [3.0, 1.1, 1.5], "inventory_level": [1, 2, 3]}
    )
    with feature_workbench(settings) as connection:
        features = model_input(connection, candidates)
    assert features["price_ratio"].tolist() == pytest.approx([2.0, 1.0, 1.0])
    assert features["sku"].tolist() == ["MILK", "BREAD", "MILK"]
    assert features["sku"].cat.categories.tolist() == sorted(load(CLASSIC).skus)


def test_the_classic_table_has_one_row_per_decision_with_stock(settings: Settings, lake: Lake) -> None:
    partition = played(lake, load(CLASSIC))
    rows = lake.read(partition).to_pandas()
    with feature_workbench(settings) as connection:
        table = connection.sql("select * from training_rows").df()
    assert len(table) == (rows["inventory_level"] > 0).sum()
    assert {"price_ratio", "sku_MILK", "purchased"} <= set(table.columns)
