"""Held-out decisions by the shoppers' hidden budget: the same decisions as the holdout cells, and no others."""

import dataclasses
import datetime as dt
from collections.abc import Iterator

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from catalog.load import CLASSIC, load
from catalog.price_ladder import price_ladder
from catalog.settings import Settings
from etl.load import load_dimensions, load_store_day
from features.cells import feature_workbench, groups_of, publish_groups, query, stale_cells
from serving.exploration import ExplorationPlan
from serving.policies import StaticPolicy
from serving.storefront import Storefront
from simulation.store_day import play
from warehouse.connection import workbench_with_marts
from warehouse.lake import Lake, Partition

FIRST, SECOND, THIRD = (dt.date(2026, 3, 2) + dt.timedelta(days=day) for day in range(3))
SPAN = {"trained_through": FIRST, "judged_through": SECOND}
CELL = ["business_date", "sku", "price_offered", "inventory_level"]


@pytest.fixture
def lake(settings: Settings) -> Lake:
    """Three days so busy that shelves run empty; the second is held out."""
    catalog = load(CLASSIC)
    busy = dataclasses.replace(catalog, store=catalog.store.model_copy(update={"visits_per_day": 2_000.0}))
    lake = Lake(settings)
    lake.prepare()
    load_dimensions(lake, busy, ["Ann", "Bob"])
    ladder = price_ladder(busy)
    policy = Storefront(StaticPolicy(busy.base_prices), exploration=ExplorationPlan(0.5, ladder))
    for day in (FIRST, SECOND, THIRD):
        store_day = play(busy, policy, busy.store.stores, day, seed=3)
        load_store_day(lake, busy, store_day, "g000", inputs="x", seed=3)
    return lake


@pytest.fixture
def bench(lake: Lake, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with feature_workbench(settings) as connection:
        for item in stale_cells(lake, load(CLASSIC)):
            publish_groups(lake, item, groups_of(connection, lake, item.decisions))
        yield connection


def groups(bench: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return bench.execute(query("holdout_budget_groups"), SPAN).df()


def test_groups_of_a_cell_add_up_to_the_cell(bench: duckdb.DuckDBPyConnection) -> None:
    cells = bench.execute(query("holdout_cells"), SPAN).df()
    sums = groups(bench).groupby(CELL, as_index=False)[["n_offered", "n_purchased"]].sum()
    both = cells.merge(sums, on=CELL, how="outer", suffixes=("", "_of_groups"))
    assert len(both) == len(cells) > 100
    assert (both["n_offered"] == both["n_offered_of_groups"]).all()
    assert (both["n_purchased"] == both["n_purchased_of_groups"]).all()


def test_the_groups_are_those_of_the_mart_and_the_wealthy_buy_most(
    bench: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    sums = groups(bench).groupby("budget_group")[["n_offered", "n_purchased"]].sum()
    share = sums["n_purchased"] / sums["n_offered"]
    assert share["frugal"] < share["average"] < share["wealthy"]
    with workbench_with_marts(settings) as people:
        mart = people.execute(
            "select budget_group, count_units from budget_groups where business_date = $day", {"day": SECOND}
        ).df()
    assert sums["n_purchased"].to_dict() == mart.set_index("budget_group")["count_units"].to_dict()


def test_where_nobody_knows_the_budgets_there_are_no_groups(lake: Lake, bench: duckdb.DuckDBPyConnection) -> None:
    partition = Partition("interactions", SECOND, "g000")
    table = lake.read(partition)
    position = table.schema.get_field_index("budget_multiplier")
    field = table.schema.field(position)
    lake.publish(partition, table.set_column(position, field, pa.nulls(len(table), field.type)), inputs="y", seed=3)
    assert groups(bench).empty
