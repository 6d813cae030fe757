"""Visits as the log holds them: later days alone, shelves with stock alone, one number for each throw of the dice."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from etl.extract import interactions_of
from etl.load import load_dimensions, load_store_day
from etl.twin.store_day import play
from features.cells import feature_workbench
from plugins.evaluation import logged_visits as module
from plugins.evaluation.logged_visits import LoggedVisits, logged_visits
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import StaticPolicy
from serving.store.storefront import Storefront
from warehouse.lake import Lake, Partition

LEARNED = dt.date(2026, 3, 2)
LATER = (dt.date(2026, 3, 3), dt.date(2026, 3, 4))
SHELF = load(CLASSIC)
CATALOG = Catalog(SHELF.products, SHELF.store.model_copy(update={"visits_per_day": 2_000.0}))
STORES = [f"S{number:02d}" for number in range(8)]


@pytest.fixture
def lake(settings: Settings) -> Lake:
    lake = Lake(settings)
    lake.prepare()
    load_dimensions(lake, CATALOG, ["Ann"])
    ladder = price_ladder(CATALOG)
    policy = Storefront(StaticPolicy(CATALOG.base_prices), exploration=ExplorationPlan(0.5, ladder))
    for date in (LEARNED, *LATER):
        load_store_day(lake, CATALOG, play(CATALOG, policy, STORES, date, seed=3), "g000", inputs="x", seed=3)
    return lake


def read(settings: Settings, n_decisions: int = 1) -> LoggedVisits:
    with feature_workbench(settings) as connection:
        return logged_visits(connection, CATALOG, LEARNED, LATER[-1], n_decisions)


def test_every_later_visit_that_met_stock_is_there_as_it_was(settings: Settings, lake: Lake) -> None:
    visits = read(settings)
    rows = [lake.read(Partition("interactions", date, "g000")).to_pandas() for date in LATER]
    met = [day[day["inventory_level"] > 0] for day in rows]
    assert len(visits.day) == sum(map(len, met)) < sum(map(len, rows))
    assert visits.days == LATER
    assert np.bincount(visits.day).tolist() == list(map(len, met))
    assert visits.n_store_days == 16
    for name, column in [("price", "price_offered"), ("propensity", "propensity"), ("stock", "inventory_level")]:
        assert np.sort(getattr(visits, name)).tolist() == sorted(value for day in met for value in day[column])
    assert visits.purchased.sum() == sum(day["purchased"].sum() for day in met)
    skus = np.array(CATALOG.skus)[visits.product]
    assert np.isin(skus, CATALOG.skus).all()
    assert (skus == "MILK").sum() == sum((day["sku"] == "MILK").sum() for day in met)


def test_visits_of_one_throw_saw_one_tried_price_and_throws_are_as_many_as_hours_and_products(
    settings: Settings, lake: Lake
) -> None:
    visits = read(settings)
    tried = visits.propensity < 0.5
    for throw in np.unique(visits.dice[tried])[:50]:
        assert len(np.unique(visits.price[visits.dice == throw])) == 1
    assert visits.dice.max() + 1 <= 16 * len(SHELF.products) * 12
    assert visits.dice.max() + 1 > 16 * len(SHELF.products)


def test_of_very_many_visits_whole_store_days_are_kept(
    settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = read(settings)
    monkeypatch.setattr(module, "_MOST_VISITS", len(everything.day) // 2)
    some = read(settings, len(everything.day))
    assert 0 < some.n_store_days < everything.n_store_days
    per_store_day = len(everything.day) / everything.n_store_days
    assert len(some.day) == pytest.approx(some.n_store_days * per_store_day, rel=0.1)
    again = read(settings, len(everything.day))
    assert again.price.tolist() == some.price.tolist()


def test_a_stock_that_nobody_knows_is_taken_for_a_full_shelf(settings: Settings, lake: Lake) -> None:
    day = play(CATALOG, Storefront(StaticPolicy(CATALOG.base_prices)), STORES, LATER[1], seed=3)
    table = interactions_of(day, CATALOG)
    position = table.schema.get_field_index("inventory_level")
    unknown = table.set_column(position, table.schema.field(position), pa.nulls(len(table), pa.int32()))
    lake.publish(
        Partition("interactions", LATER[1], "g000"),
        unknown.cast(TABLES["interactions"].schema),
        inputs="export",
        seed=3,
    )
    visits = read(settings)
    par = CATALOG.par_stock[visits.product]
    assert (visits.stock[visits.day == 1] == par[visits.day == 1]).all()
    assert (visits.day == 1).sum() == len(table)
