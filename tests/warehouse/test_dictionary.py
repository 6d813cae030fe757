"""The file of views says of itself what each view and each column means."""

from collections.abc import Callable

import pytest

from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from features.cells import ALL_VIEWS
from warehouse.lake import Lake
from warehouse.query.connection import build_file, read_only

Fill = Callable[[Settings], Lake]


def test_every_view_says_what_one_row_is_as_its_contract_does(settings: Settings, fill_lake: Fill) -> None:
    fill_lake(settings)
    build_file(settings, ALL_VIEWS)
    with read_only(settings) as warehouse:
        comments = dict(
            warehouse.execute("select view_name, comment from duckdb_views() where not internal").fetchall()
        )
    assert [view for view, comment in comments.items() if not comment] == []
    views = {name: name if name in comments else f"{name}_history" for name in TABLES}
    assert {name: comments[views[name]] for name in TABLES} == {name: table.grain for name, table in TABLES.items()}


def test_every_column_of_every_view_has_a_meaning_and_a_unit_in_the_dictionary(
    settings: Settings, fill_lake: Fill
) -> None:
    fill_lake(settings)
    build_file(settings, ALL_VIEWS)
    with read_only(settings) as warehouse:
        described = warehouse.execute("select table_name, column_name, meaning, unit from dictionary").fetchall()
        shown = warehouse.execute(
            "select table_name, column_name from duckdb_columns() where not internal and table_name in "
            "(select view_name from duckdb_views() where not internal)"
        ).fetchall()
        price = warehouse.execute(
            "select data_type, unit, meaning from dictionary "
            "where table_name = 'closed_interactions' and column_name = 'price_offered'"
        ).fetchall()
    assert sorted(row[:2] for row in described if row[0] != "about") == sorted(shown)
    assert [row for row in described if not row[2] or not row[3]] == []
    [(kind, unit, meaning)] = price
    assert (kind, unit) == ("DOUBLE", "EUR")
    assert meaning.startswith("the price on the shelf; before a sticker, that of the unit that was bought")


@pytest.mark.parametrize("mart", ["hourly_sales", "daily_prices", "stock_outs", "demand_by_price"])
def test_the_grain_of_a_mart_is_unique(settings: Settings, fill_lake: Fill, mart: str) -> None:
    keys = {
        "hourly_sales": ("business_date", "store_id", "sku", "hour_utc"),
        "daily_prices": ("business_date", "store_id", "sku"),
        "stock_outs": ("business_date", "store_id", "sku"),
        "demand_by_price": ("sku", "price_offered"),
    }
    fill_lake(settings)
    build_file(settings, ALL_VIEWS)
    with read_only(settings) as warehouse:
        rows = warehouse.view(mart).select(*keys[mart]).fetchall()
    assert len(rows) == len(set(rows))
    assert rows or mart == "stock_outs"
