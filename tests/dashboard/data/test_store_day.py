"""A store day at a moment: the same sums as SQL, and nothing from the future."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog.settings import Settings
from dashboard.components import SOLD
from dashboard.data.reader import Reader
from dashboard.data.store_day import day_at, last_tick
from warehouse.query.connection import read_only

DAY = dt.date(2026, 1, 6)
LOW = 10


@pytest.fixture(scope="module")
def reader(sold: Settings) -> Reader:
    return Reader(sold)


def events_of(reader: Reader, store: str) -> pd.DataFrame:
    return reader.ask("shelf_by_tick", SOLD, on=DAY, date=DAY, store=store)


def shelf_of(reader: Reader) -> pd.DataFrame:
    return reader.ask("shelf", ("products",))


@given(through=st.integers(0, 47), store=st.sampled_from(["S01", "S02", "S03"]))
@hypothesis_settings(max_examples=25, deadline=None)
def test_a_moment_has_the_sums_of_the_decisions_until_then(
    reader: Reader, sold: Settings, through: int, store: str
) -> None:
    now = day_at(events_of(reader, store), shelf_of(reader), through, LOW)
    with read_only(sold) as warehouse:
        revenue, units = warehouse.execute(
            "select coalesce(sum(price_offered), 0), count(*) from interactions "
            "where business_date = $1 and store_id = $2 and tick <= $3 and purchased",
            [DAY, store, through],
        ).fetchall()[0]
    assert now.revenue == pytest.approx(revenue)
    assert now.units == units
    assert sum(product.revenue for product in now.products) == pytest.approx(revenue)
    for product in now.products:
        assert product.stock == 100 - product.units
        assert len(product.prices) == through + 1


def test_low_stock_is_marked_and_the_prices_are_those_of_the_trail(reader: Reader, sold: Settings) -> None:
    events = events_of(reader, "S01")
    now = day_at(events, shelf_of(reader), last_tick(events), LOW)
    assert [product.is_low for product in now.products] == [product.stock < LOW for product in now.products]
    assert any(product.is_low for product in now.products)
    assert now.model_version == "7"
    with read_only(sold) as warehouse:
        newest = dict(
            warehouse.execute(
                "select sku, arg_max(new_price, tick) from repricings "
                "where business_date = $1 and store_id = 'S01' group by sku",
                [DAY],
            ).fetchall()
        )
    assert {product.sku: product.price for product in now.products} == newest


def event(tick: int, sku: str = "NEW", **facts: object) -> dict[str, object]:
    return {
        "tick": tick, "sku": sku, "product_name": None, "count_visits": 1, "count_units": 0, "count_too_expensive": 0,
        "count_sold_out_visits": 0, "revenue_eur": 0.0, "price_eur": 2.0, "stock_before": None, "stock_after": None,
        "model_version": None,
    } | facts  # fmt: skip


def test_a_product_the_shelf_no_longer_has_is_shown_by_the_name_it_was_sold_under(reader: Reader) -> None:
    events = pd.DataFrame([event(3, product_name="Kefir", count_units=1, revenue_eur=2.0)])
    (product,) = day_at(events, shelf_of(reader), 3, LOW).products
    assert (product.name, product.icon, product.revenue) == ("Kefir", "", 2.0)
    assert (product.base_price, product.stock, product.is_low) == (None, None, False)


def test_prices_stand_and_stock_stays_until_something_happens() -> None:
    events = pd.DataFrame([event(1, price_eur=2.0, stock_after=9), event(4, price_eur=3.0, stock_after=7)])
    course = day_at(events, pd.DataFrame(columns=["sku"]), 5, LOW).course
    assert course.prices["NEW"].tolist()[1:] == [2.0, 2.0, 2.0, 3.0, 3.0]
    assert pd.isna(course.prices["NEW"][0])
    assert course.stock["NEW"].tolist()[1:] == [9, 9, 9, 7, 7]


def test_a_day_without_events_is_empty(reader: Reader) -> None:
    nothing = events_of(reader, "S99")
    assert last_tick(nothing) == -1
    assert day_at(nothing, shelf_of(reader), 10, LOW).products == ()
