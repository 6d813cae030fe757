"""Receipts as tills and panels write them: numbered, timed, of many products, without a price of a unit."""

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from staged_files import Staged

from catalog.errors import DataError
from catalog.settings import Settings
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest
from warehouse.lake import Lake

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
PANEL = "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,week,transaction_timestamp"
Take = Callable[..., dict[str, Any]]


def panel(n_lines: int = 300) -> str:
    """Return lines of which hardly two share a store, a product and a day, and some sell nothing."""
    rows = [
        f"{900 + line % 90},{300 + line % 50},{31198459904 + line // 3},{1000 + line * 7 % 211},"
        f"{0 if line % 60 == 59 else 1 + line % 3},{1.25 * (1 + line % 3):.2f},0.1,1,"
        f"2026-01-{1 + line // 15 % 28:02d} {9 + line // 3 % 9:02d}:53:{line // 3 % 60:02d}"
        for line in range(n_lines)
    ]
    return "\n".join([PANEL, *rows]) + "\n"


@pytest.fixture
def take(settings: Settings, tmp_path: Path) -> Take:
    def taken(text: str, **reading: object) -> dict[str, Any]:
        file = tmp_path / "panel.csv"
        file.write_text(text, encoding="utf-8")
        return ingest(settings, file, Reading.model_validate(reading), None, NOW).row

    return taken


def test_numbered_and_timed_lines_of_a_large_assortment_are_read_as_receipts(take: Take, settings: Settings) -> None:
    row = take(panel())
    assert (row["grain"], row["valid"]) == ("receipts", 295)
    assert row["reasons"] == {"the line sells no unit": [5, 61]}
    assert row["columns"]["receipt"] == "basket_id"
    lake = Lake(settings)
    prices = {sold["price"] for own in lake.partitions("unit_sales") for sold in lake.read(own).to_pylist()}
    assert prices == {1.25}, "value over quantity"


def test_lines_with_minutes_are_receipts_though_their_receipts_have_no_number(take: Take) -> None:
    lines = [line.split(",") for line in panel().replace(",0,", ",1,").splitlines()]
    text = "\n".join(",".join(field for at, field in enumerate(line) if at != 2) for line in lines) + "\n"
    assert take(text)["grain"] == "receipts"


@pytest.mark.parametrize(
    ("form", "moment"),
    [("{0:%H:%M:%S}", "10:05:07"), ("{0:%H%M}", "10:05:00"), ("{0:%-H%M}", "10:05:00"), ("{0:%H%M%S}", "10:05:07")],
)
def test_date_and_time_in_two_columns_are_one_moment(stage: Callable[..., Staged], form: str, moment: str) -> None:
    at = dt.datetime(2026, 1, 5, 10, 5, 7, tzinfo=dt.UTC)
    rows = [f"2026-01-05,{form.format(at)},{line},A,1.00,1" for line in range(4)]
    seen = stage("\n".join(["date,time,receipt_no,sku,price,qty", *rows])).column("seen_at")
    assert {dt.datetime.fromtimestamp(us / 1e6, dt.UTC) for us in seen} == {
        dt.datetime.fromisoformat(f"2026-01-05T{moment}+00:00")
    }


def test_a_date_and_a_time_of_day_of_parquet_are_one_moment(stage: Callable[..., Staged]) -> None:
    columns = {
        "transaction_date": [dt.date(2026, 1, 5)] * 3,
        "transaction_time": [dt.time(10, 5, 7)] * 3,
        "receipt_id": [1.0, 1.0, 2.0],
        "sku": ["A", "B", "A"],
        "quantity": [1, 2, 3],
        "sales_value": [1.0, 2.0, 3.0],
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    staged = stage(sink.getvalue(), "till.parquet")
    assert staged.staged.grain == "receipts"
    assert set(staged.column("seen_at")) == {1_767_607_507_000_000}
    assert staged.column("receipt") == ["1", "1", "2"]


def test_long_numbers_of_receipts_stay_apart(stage: Callable[..., Staged]) -> None:
    assert min(stage(panel()).column("receipt")) == "31198459904"


@pytest.mark.parametrize("header", ["date,sku,price,qty", "time,sku,price,bought"])
def test_dates_that_nobody_understands_are_refused_by_column_value_and_line(take: Take, header: str) -> None:
    said = r"line 2: expected dates or times in '\w+', found '05/01/2026', as in 3 of the first 3 rows; .*--time-format"
    with pytest.raises(DataError, match=said):
        take(f"{header}\n" + "05/01/2026,A,1.50,1\n" * 3)
    with pytest.raises(DataError, match=r"Understood are the form '%Y/%m/%d'"):
        take(f"{header}\n" + "05/01/2026,A,1.50,1\n" * 3, time_format="%Y/%m/%d")


@pytest.mark.parametrize("ean", ["4.00638E+12", "4,00638E+12", "4E+12", "4.00638e12"])
def test_numbers_that_a_spreadsheet_rounded_are_refused_by_value_and_line(take: Take, ean: str) -> None:
    rows = f"2026-01-05;4006381333931;Pen;1.50;3\n2026-01-05;{ean};Ink;2.50;3\n"
    said = r"line 3: expected whole numbers or names in 'ean', found '4.*, a number that a spreadsheet rounded.*as text"
    with pytest.raises(DataError, match=said):
        take(f"date;ean;product;price;qty\n{rows}")


def test_a_number_that_may_be_rounded_is_refused_where_products_of_two_names_share_it(take: Take) -> None:
    rows = "2026-01-05,5E12,Pen,1.50,3\n2026-01-06,5E12,{},1.50,3\n"
    assert take("date,ean,product,price,qty\n" + rows.format("Pen"))["valid"] == 2
    with pytest.raises(DataError, match="found '5E12' of both 'Ink' and 'Pen', a number that a spreadsheet rounded"):
        take("date,ean,product,price,qty\n" + rows.format("Ink"))
