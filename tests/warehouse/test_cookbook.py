"""Every query of the SQL cookbook runs, and what it says of the first week is what the first week gives."""

import datetime as dt
import json
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, load
from catalog.settings import Settings, read_settings
from catalog.tables.contracts import TABLES
from etl.batches import DEFAULT_SEED
from etl.calendar import DEFAULT_START, dates_from
from etl.load import load_dimensions, load_store_day
from etl.twin.draws import shopper_names
from etl.twin.store_day import play
from features.cells import ALL_VIEWS, feature_workbench, groups_of, publish_groups, stale_cells
from plugins.evaluation.bench.cookbook import (
    PAGE,
    Recipe,
    answered,
    asking,
    fresh_catalog,
    play_fresh_weeks,
    recipes,
    written,
)
from plugins.evaluation.truth import chance_of_sale, expected_visits_on
from serving.book.make import publish_book
from serving.optimise.curves import DemandCurves
from serving.store.in_force import pricing_on
from tests.support.believing import first_belief
from warehouse.lake import Lake, Partition
from warehouse.query.connection import build_file, read_only

RECIPES = list(recipes(PAGE.read_text(encoding="utf-8")))
EXACT = [recipe for recipe in RECIPES if recipe.exact]
OF_STOCK = [recipe for recipe in RECIPES if recipe.of_stock]
OF_MODELS = [recipe for recipe in RECIPES if not (recipe.exact or recipe.of_stock)]


@pytest.fixture(scope="module")
def played_weeks(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The first week, exploring around base prices, and two days from a book of true demand: no model is needed."""
    settings, catalog = read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("weeks"))}), load(CLASSIC)
    lake, ladder = Lake(settings), price_ladder(catalog)
    lake.prepare()
    load_dimensions(lake, catalog, shopper_names(catalog.store.shopper_pool, DEFAULT_SEED))
    truth = chance_of_sale(catalog, ladder / catalog.base_prices[:, None])
    for number, date in enumerate(dates_from(DEFAULT_START, 9)):
        if number == 7:
            curves = DemandCurves(catalog.skus, ladder, truth, "1")
            publish_book(lake, catalog, curves, expected_visits_on(catalog, date), date, first_belief(catalog))
        policy = pricing_on(lake, catalog, date, "static" if number < 7 else None).policy
        sold = play(catalog, policy, catalog.store.stores, date, DEFAULT_SEED)
        load_store_day(lake, catalog, sold, "g000", inputs="7", seed=DEFAULT_SEED)
    with feature_workbench(settings) as connection:
        for stale in list(stale_cells(lake, catalog)):
            publish_groups(lake, stale, groups_of(connection, lake, stale.decisions))
    lake.publish(Partition("model_versions", None, "v1"), a_version(), inputs="1")
    build_file(settings, ALL_VIEWS)
    return settings


def a_version() -> pa.Table:
    row = {
        "version": "1",
        "candidate": "demand_forest",
        "run_id": "run",
        "training_run_id": "training",
        "trained_through": DEFAULT_START,
        "judged_through": DEFAULT_START,
        "metrics": json.dumps({"log_loss": 0.5}),
        "candidates": "{}",
        "promoted": True,
        "reasons": "[]",
        "money": json.dumps({"off_policy": {"dr": {"estimate": 1.0}}}),
        "decided_at": dt.datetime(2026, 1, 12, tzinfo=dt.UTC),
    }
    return pa.Table.from_pylist([row], schema=TABLES["model_versions"].schema)


@pytest.fixture(scope="module")
def warehouse(played_weeks: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    with read_only(played_weeks) as connection:
        yield connection


def test_there_are_enough_questions_and_most_are_compared_value_by_value() -> None:
    assert len(RECIPES) >= 25
    assert len(EXACT) >= 15
    assert len(OF_STOCK) >= 5
    titles = [recipe.title for recipe in RECIPES]
    assert [int(title.split(".")[0]) for title in titles] == list(range(1, len(titles) + 1))


@pytest.mark.parametrize("recipe", EXACT, ids=lambda recipe: recipe.title)
def test_an_answer_about_the_first_week_is_what_the_first_week_gives(
    recipe: Recipe, warehouse: duckdb.DuckDBPyConnection
) -> None:
    assert written(asking(warehouse)(recipe.query)) == recipe.answer


@pytest.fixture(scope="module")
def fresh_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path_factory.mktemp("fresh"))})
    play_fresh_weeks(settings)
    with read_only(settings) as connection:
        yield connection


@pytest.mark.parametrize("recipe", OF_STOCK, ids=lambda recipe: recipe.title)
def test_an_answer_about_stock_is_what_the_weeks_of_living_stock_give_and_has_columns_on_any_lake(
    recipe: Recipe, fresh_warehouse: duckdb.DuckDBPyConnection, warehouse: duckdb.DuckDBPyConnection
) -> None:
    answer = asking(fresh_warehouse)(recipe.query)
    assert written(answer) == recipe.answer
    assert answer[1]
    assert asking(warehouse)(recipe.query)[0] == answer[0]


def test_the_page_says_how_the_stock_of_its_shelf_lives() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for product in fresh_catalog().products:
        if product.lives_on:
            life = product.shelf_life_days or "keeps for ever"
            assert f"| {product.sku} | {product.par_stock} | {life} | " in page


@pytest.mark.parametrize("recipe", OF_MODELS, ids=lambda recipe: recipe.title)
def test_an_answer_about_models_has_the_columns_of_the_page_and_rows(
    recipe: Recipe, warehouse: duckdb.DuckDBPyConnection
) -> None:
    columns, rows = asking(warehouse)(recipe.query)
    assert recipe.answer.startswith(f"| {' | '.join(columns)} |\n")
    assert rows


def test_answering_a_page_changes_nothing_but_its_tables() -> None:
    page = PAGE.read_text(encoding="utf-8")
    changed = answered(page, lambda _recipe: (["a|b", "n"], [["x|y", 1]]))
    assert changed.count("| x\\|y | 1 |\n") == len(RECIPES)
    kept = [line for line in page.splitlines() if not line.startswith("|")]
    assert [line for line in changed.splitlines() if not line.startswith("|")] == kept
    assert answered(changed, lambda _recipe: (["a|b", "n"], [["x|y", 1]])) == changed
