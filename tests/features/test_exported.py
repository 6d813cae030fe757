"""What was sold at exported prices: visits and unit sales in one shape, with what is known of promotions."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from catalog.contracts import TABLES
from catalog.settings import Settings
from features.cells import feature_workbench
from own_data.exported import exported_cells
from warehouse.lake import Lake, Partition

DAY = dt.date(2026, 1, 5)
A_SALE: dict[str, Any] = {
    "store_id": "S01",
    "hour": None,
    "sku": "MILK",
    "product_name": "Milk",
    "price": 2.0,
    "units": 12.0,
    "returned_units": 0.0,
    "receipts": None,
    "traffic": None,
    "stock": None,
    "chances": 80,
    "is_sudden_zero": False,
}
A_FILE: dict[str, Any] = {
    "part": "file-1",
    "file": "sales.csv",
    "sha256": "1",
    "rows": 1,
    "valid": 1,
    "rejected": 0,
    "first_date": DAY,
    "last_date": DAY,
    "columns": "{}",
    "reasons": "{}",
    "profile": "[]",
    "ingested_at": dt.datetime(2026, 1, 6, tzinfo=dt.UTC),
}


def publish(lake: Lake, table: str, rows: list[dict[str, Any]]) -> None:
    schema = TABLES[table].schema
    filled = [{name: row.get(name) for name in schema.names} for row in rows]
    date = DAY if TABLES[table].by == "day" else None
    lake.publish(Partition(table, date, "file-1"), pa.Table.from_pylist(filled, schema=schema), inputs="1")


def cells_of(
    settings: Settings, sales: Sequence[dict[str, Any]], promotions: Sequence[dict[str, Any]] = ()
) -> pd.DataFrame:
    lake = Lake(settings)
    lake.prepare()
    publish(lake, "ingested_files", [A_FILE])
    publish(lake, "unit_sales", [A_SALE | sale for sale in sales])
    publish(lake, "promotions", [{"store_id": "S01", "sku": "MILK"} | row for row in promotions])
    with feature_workbench(settings) as connection:
        return exported_cells(connection, DAY)


def test_units_are_counted_by_the_day_and_by_the_hour(settings: Settings) -> None:
    found = cells_of(settings, [{}, {"hour": 9, "units": 3.0}])
    assert found["is_count"].all()
    assert found["n_purchased"].tolist() == [3.0, 12.0]
    assert found["n_offered"].tolist() == pytest.approx([1 / 24, 1.0])
    assert found["hour"].isna().tolist() == [False, True]


def test_traffic_is_the_exposure_only_where_every_row_of_the_product_knows_it(settings: Settings) -> None:
    found = cells_of(settings, [{"traffic": 500.0}, {"store_id": "S02", "traffic": 300.0}, {"sku": "MEAT"}])
    assert found["n_offered"].tolist() == [1.0, 500.0, 300.0]
    found = cells_of(settings, [{"traffic": 500.0}, {"store_id": "S02", "traffic": None}])
    assert found["n_offered"].tolist() == [1.0, 1.0]


def test_an_empty_shelf_and_a_sudden_zero_say_nothing(settings: Settings) -> None:
    empty = {"store_id": "S02", "stock": 0.0, "units": 0.0}
    sudden = {"store_id": "S03", "is_sudden_zero": True, "units": 0.0}
    assert cells_of(settings, [{}, empty, sudden])["store_id"].tolist() == ["S01"]


def test_two_prices_of_one_time_share_its_exposure_as_they_share_its_units(settings: Settings) -> None:
    found = cells_of(settings, [{"units": 9.0}, {"price": 1.0, "units": 3.0}])
    assert found[["price_offered", "n_offered"]].to_numpy().tolist() == [[1.0, 0.25], [2.0, 0.75]]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"promotion": True}, True),
        ({"promotion": False}, False),
        ({"display": True, "promotion": False}, True),
        ({"leaflet": True}, True),
        ({"event": "Easter"}, True),
        ({"event": ""}, False),
        ({"regular_price": 2.5}, True),
        ({"regular_price": 2.03}, False),
        ({}, None),
    ],
)
def test_a_promotion_is_whatever_the_file_says_is_one(
    settings: Settings, said: dict[str, Any], expected: bool | None
) -> None:
    (found,) = cells_of(settings, [{}], [said])["is_promotion"]
    assert (None if pd.isna(found) else bool(found)) == expected


def test_what_sold_at_a_price_that_we_drew_is_no_log(settings: Settings) -> None:
    cells_of(settings, [{}, {"store_id": "S02"}])
    moment = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
    exposure = {
        "sku": "MILK",
        "starts_at": moment,
        "ends_at": moment,
        "is_acknowledged": True,
        "charged_price": 2.0,
        "units": 12.0,
    }
    drawn = {"store_id": "S01", "propensity": 0.5}, {"store_id": "S02", "propensity": None}
    publish(Lake(settings), "exposures", [exposure | own for own in drawn])
    with feature_workbench(settings) as connection:
        assert exported_cells(connection, DAY)["store_id"].tolist() == ["S02"]
