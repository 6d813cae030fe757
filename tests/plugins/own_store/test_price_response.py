"""The first guess that a log gives of a response: near the truth where chance set prices, and silent elsewhere."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from catalog.arrays import Floats
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from features.cells import feature_workbench
from plugins.own_store.price_response import slopes_of, sold_by_week
from warehouse.lake import Lake, Partition

MONDAY = dt.date(2026, 1, 5)
STORES, WEEKS, SLOPE = 8, 40, -2.0
LEVELS = np.log([0.8, 0.9, 1.0, 1.1, 1.2])

World = Callable[[np.random.Generator], tuple[Floats, Floats]]
"""Log price over the usual one, and what else moves the log of units, shape (STORES, WEEKS) each."""


def sold(world: World, seed: int = 1, slope: float = SLOPE, units_a_day: float = 8.0) -> pd.DataFrame:
    """Return weeks of one product in the columns of `sold_by_week`, with a season and stores that differ."""
    draw = np.random.default_rng(seed)
    store, week = np.mgrid[:STORES, :WEEKS]
    log_price, beside = world(draw)
    lively = 0.3 * np.sin(week / 8) + 0.3 * draw.normal(size=(STORES, 1))
    mean = 7 * units_a_day * np.exp(slope * log_price + beside + lively)
    columns = {"store_id": store, "week": week, "units": draw.poisson(mean * draw.gamma(20, 0.05, mean.shape))}
    columns |= {"days": np.full(mean.shape, 7.0), "log_price": log_price}
    return pd.DataFrame(
        {"sku": "A"} | {name: np.broadcast_to(own, mean.shape).ravel() for name, own in columns.items()}
    )


def by_store_and_week(draw: np.random.Generator) -> tuple[Floats, Floats]:
    return draw.choice(LEVELS, (STORES, WEEKS)), np.zeros((STORES, WEEKS))


def one_list_price(draw: np.random.Generator) -> tuple[Floats, Floats]:
    return np.broadcast_to(draw.choice(LEVELS, (1, WEEKS)), (STORES, WEEKS)), np.zeros((STORES, WEEKS))


def a_price_for_each_store(draw: np.random.Generator) -> tuple[Floats, Floats]:
    return np.broadcast_to(draw.choice(LEVELS, (STORES, 1)), (STORES, WEEKS)), np.zeros((STORES, WEEKS))


def dear_where_it_sells(draw: np.random.Generator) -> tuple[Floats, Floats]:
    busy = draw.normal(size=(STORES, WEEKS))
    return 0.1 * busy, 0.6 * busy


@pytest.mark.parametrize("units_a_day", [0.5, 8.0])
def test_prices_that_chance_set_by_store_and_week_give_the_slope_within_its_error(units_a_day: float) -> None:
    found = [slopes_of(sold(by_store_and_week, seed, units_a_day=units_a_day), ["A"]) for seed in range(20)]
    slopes, errors = np.array(found)[:, :, 0].T
    assert slopes.mean() == pytest.approx(SLOPE, abs=0.1)
    assert np.mean(np.abs(slopes - SLOPE) < 1.96 * errors) >= 0.8, "of 20 intervals that hold 95 % of the time"
    assert errors.max() < 0.5


@pytest.mark.parametrize("world", [one_list_price, a_price_for_each_store, dear_where_it_sells])
def test_a_log_is_silent_where_price_goes_with_week_or_store_or_seems_to_sell_more(world: World) -> None:
    assert np.isnan(slopes_of(sold(world), ["A"])).all()


def test_little_is_silent_and_stores_without_a_sale_change_nothing() -> None:
    known = sold(by_store_and_week)
    idle = known[known["store_id"] == 0].assign(store_id=99, units=0)
    found = slopes_of(pd.concat([known, idle]), ["A", "never sold"])
    assert np.array_equal(found, np.column_stack([slopes_of(known, ["A"]), [np.nan, np.nan]]), equal_nan=True)
    for thin in (known.assign(units=0), known[known["week"] < 1], known.iloc[:0]):
        assert np.isnan(slopes_of(thin, ["A"])).all()


A_SALE: dict[str, Any] = {"store_id": "S01", "sku": "MILK", "product_name": "Milk", "price": 2.0, "units": 12.0}
A_SALE |= {"returned_units": 0.0, "chances": 80, "is_sudden_zero": False}


def publish(lake: Lake, table: str, rows: list[dict[str, Any]]) -> None:
    schema = TABLES[table].schema
    filled = [{name: row.get(name) for name in schema.names} for row in rows]
    lake.publish(Partition(table, MONDAY, "file-1"), pa.Table.from_pylist(filled, schema=schema), inputs="1")


def weeks_of(settings: Settings, sales: list[dict[str, Any]], **beside: list[dict[str, Any]]) -> pd.DataFrame:
    lake = Lake(settings)
    lake.prepare()
    publish(lake, "unit_sales", [A_SALE | sale for sale in sales])
    for table, rows in beside.items():
        publish(lake, table, [{"store_id": "S01", "sku": "MILK"} | row for row in rows])
    with feature_workbench(settings) as connection:
        return sold_by_week(connection, MONDAY)


def test_a_week_of_a_store_is_one_row_at_its_mean_log_price(settings: Settings) -> None:
    found = weeks_of(settings, [{"hour": 9, "units": 3.0}, {"hour": 12, "price": 3.0}, {"store_id": "S02"}])
    assert found[["store_id", "units", "days"]].to_numpy().tolist() == [["S01", 15.0, 1.0], ["S02", 12.0, 1.0]]
    assert found["log_price"].tolist() == pytest.approx([np.log(6) / 2, np.log(2)])


def test_an_empty_shelf_and_a_sudden_zero_say_nothing(settings: Settings) -> None:
    empty = {"store_id": "S02", "stock": 0.0, "units": 0.0}
    sudden = {"store_id": "S03", "is_sudden_zero": True, "units": 0.0}
    assert weeks_of(settings, [{}, empty, sudden])["store_id"].tolist() == ["S01"]


@pytest.mark.parametrize(
    ("said", "is_offer"),
    [
        ({"promotion": True}, True),
        ({"promotion": False}, False),
        ({"display": True, "promotion": False}, True),
        ({"leaflet": True}, True),
        ({"event": "Easter"}, True),
        ({"event": ""}, False),
        ({"regular_price": 2.5}, True),
        ({"regular_price": 2.03}, False),
        ({}, False),
    ],
)
def test_a_day_on_offer_is_left_out_as_the_file_says_it(
    settings: Settings, said: dict[str, Any], is_offer: bool
) -> None:
    assert weeks_of(settings, [{}], promotions=[said]).empty == is_offer


def test_what_sold_at_a_price_that_was_drawn_here_is_no_log(settings: Settings) -> None:
    moment = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
    shown = {"starts_at": moment, "ends_at": moment, "is_acknowledged": True, "charged_price": 2.0, "units": 12.0}
    drawn = [shown | {"store_id": "S01", "propensity": 0.5}, shown | {"store_id": "S02", "propensity": None}]
    assert weeks_of(settings, [{}, {"store_id": "S02"}], exposures=drawn)["store_id"].tolist() == ["S02"]
