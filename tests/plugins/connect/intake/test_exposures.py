"""Exposures: how long which price of ours stood, what sold at it, and what sold at a price that was not ours."""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selling_store import DATE, NOW

from catalog.load import CLASSIC, load
from catalog.tables.contracts import TABLES
from plugins.connect.intake.day_sales import ShelfStock
from plugins.connect.intake.exposures import DayEvidence, exposures_of
from plugins.connect.intake.take_sales import table_of
from plugins.connect.labels.batch import Acknowledgement, BatchPrice, PriceBatch, rows_of
from plugins.connect.labels.export_log import ExportHistory

STORE = load(CLASSIC).store  # open from 08:00 to 20:00
NOTHING = np.zeros(0, dtype=bool)
STOCK, LINES = TABLES["stock_events"].schema.empty_table(), TABLES["receipt_lines"].schema.empty_table()


def at(time: str) -> dt.datetime:
    return dt.datetime.combine(DATE, dt.time.fromisoformat(time), dt.UTC)


def batch(number: int, time: str, price: float, till: float | None = None) -> PriceBatch:
    prices = rows_of([BatchPrice("MILK", price, at(time), till_price=till or price)])
    return PriceBatch(number, f"b{number}", None, "S01", prices, at(time), at(time))


def ack(number: int, time: str, price: float, device: Any = "till") -> Acknowledgement:
    return Acknowledgement(f"b{number}", "S01", "MILK", device, price, True, None, at(time))


def sale(time: str, price: float, units: float = 1, **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(LINES.column_names)
    row |= {"store_id": "S01", "receipt": time, "line": 1, "sku": "MILK", "sold_at": at(time), "taken_at": NOW}
    return row | {"units": units, "price": price, "currency": "EUR", "taken_from": "till"} | more


def exposures(
    batches: Sequence[PriceBatch] = (),
    acks: Sequence[Acknowledgement] = (),
    sales: Sequence[dict[str, Any]] = (),
    voided: Sequence[int] = (),
    events: pa.Table = STOCK,
    visitors: dict[tuple[str, dt.datetime], float] | None = None,
) -> list[dict[str, Any]]:
    sales = [*sales, sale("10:30", 2.49, sku="EGGS")]  # the store was open
    lines, counts = table_of(sales), np.array([number not in voided for number in range(len(sales))], dtype=bool)
    stock = ShelfStock(STORE, DATE, events, lines, counts)
    history = ExportHistory(tuple(batches), tuple(acks))
    rows = exposures_of(DayEvidence(DATE, STORE, history, lines, counts, stock, visitors or {})).to_pylist()
    assert [row["units"] for row in rows if row["sku"] == "EGGS"] == [1]
    return [row for row in rows if row["sku"] == "MILK"]


def test_a_store_without_a_line_has_no_exposure() -> None:
    history, stock = ExportHistory((batch(1, "07:00", 1.29),), ()), ShelfStock(STORE, DATE, STOCK, LINES, NOTHING)
    assert exposures_of(DayEvidence(DATE, STORE, history, LINES, NOTHING, stock, {})).num_rows == 0


def in_short(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (
            f"{row['starts_at']:%H:%M}",
            f"{row['ends_at']:%H:%M}",
            row["price"],
            row["charged_price"],
            row["not_ours"],
            row["units"],
        )
        for row in rows
    ]


def test_a_price_stands_from_its_time_on_where_a_till_says_nothing() -> None:
    sales = [sale("09:00", 1.29), sale("12:05", 1.29), sale("13:00", 1.49, 2)]
    rows = exposures([batch(1, "07:00", 1.29), batch(2, "12:00", 1.49)], sales=sales)
    assert in_short(rows) == [
        ("08:00", "12:00", 1.29, 1.29, None, 1),
        ("12:00", "20:00", 1.49, 1.29, "another price", 1),
        ("12:00", "20:00", 1.49, 1.49, None, 2),
    ]
    assert [row["open_minutes"] for row in rows] == [240, None, 480]


def test_a_till_that_is_behind_follows_when_it_acknowledges_or_is_seen_to_charge_the_new_price() -> None:
    batches, acks = [batch(1, "07:00", 1.29), batch(2, "12:00", 1.49)], [ack(1, "07:01", 1.29)]
    sales = [sale("12:30", 1.29, 2), sale("13:00", 1.49, 3)]
    assert in_short(exposures(batches, acks, sales)) == [
        ("08:00", "13:00", 1.29, 1.29, None, 2),
        ("13:00", "20:00", 1.49, 1.49, None, 3),
    ]
    assert in_short(exposures(batches, acks)) == [("08:00", "20:00", 1.29, 1.29, None, 0)]


def test_what_the_till_acknowledged_stands_even_where_something_else_was_sent() -> None:
    batches = [batch(1, "07:00", 1.29), batch(2, "12:00", 1.49)]
    acks = [
        ack(1, "07:01", 1.29),
        ack(1, "07:01", 1.29, "label"),
        ack(2, "12:30", 1.49),
        ack(2, "12:10", 1.49, "label"),
    ]
    rows = exposures(batches, acks)
    assert [
        (f"{row['starts_at']:%H:%M}", row["price"], row["label_price"], row["is_acknowledged"]) for row in rows
    ] == [
        ("08:00", 1.29, 1.29, True),
        ("12:10", 1.29, 1.49, False),
        ("12:30", 1.49, 1.49, True),
    ]


def test_a_sale_at_a_price_that_was_not_ours_is_kept_with_its_reason() -> None:
    sales = [
        sale("07:30", 1.09),
        sale("09:00", 1.29),
        sale("09:05", 1.09, 2),
        sale("09:10", 1.29, 3, offer="loyalty card"),
        sale("09:20", 1.29, 4),
    ]
    rows = exposures([batch(1, "08:30", 1.29)], sales=sales, voided=[4])
    assert in_short(rows) == [
        ("08:00", "08:30", None, 1.09, "no price released", 1),
        ("08:30", "20:00", 1.29, 1.09, "another price", 2),
        ("08:30", "20:00", 1.29, 1.29, None, 1),
        ("08:30", "20:00", 1.29, 1.29, "offer", 3),
        ("08:30", "20:00", 1.29, 1.29, "voided", 4),
    ]
    assert [row["open_minutes"] for row in rows] == [None, None, 690, None, None]


def test_a_line_that_voids_another_sold_nothing() -> None:
    void = sale("09:30", 1.29, None, voids_event_id="E1")  # type: ignore[arg-type]
    assert [row["units"] for row in exposures([batch(1, "07:00", 1.29)], sales=[void])] == [0]


def test_stock_and_visitors_are_told_where_they_are_known() -> None:
    event = {"store_id": "S01", "event_id": None, "sku": "MILK", "taken_at": NOW, "taken_from": "x"}
    rows = [
        {**event, "happened_at": at("07:00"), "kind": "count", "units": 2.0},
        {**event, "happened_at": at("15:00"), "kind": "delivery", "units": 5.0},
    ]
    events = pa.Table.from_pylist(rows, schema=STOCK.schema)
    visitors = {("S01", at(f"{hour:02}:00")): 60.0 for hour in range(8, 13)}
    batches, acks = [batch(1, "07:00", 1.29), batch(2, "12:30", 1.49)], [ack(1, "07:30", 1.29), ack(2, "12:30", 1.49)]
    found = exposures(batches, acks, [sale("10:00", 1.29, 2)], events=events, visitors=visitors)
    assert [(row["stocked_minutes"], row["visitors"]) for row in found] == [(120, 270), (300, None)]


TIMES = st.integers(7 * 60, 21 * 60).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
PRICES = st.sampled_from([1.09, 1.29, 1.49])


@given(
    sent=st.lists(st.tuples(TIMES, PRICES), max_size=4),
    said=st.lists(st.tuples(TIMES, PRICES, st.sampled_from(["till", "label"])), max_size=4),
    sold=st.lists(st.tuples(TIMES, PRICES, st.integers(1, 3)), max_size=6),
)
@settings(deadline=None)
def test_spans_fill_the_day_once_and_every_unit_is_in_one_row(sent: Any, said: Any, sold: Any) -> None:
    batches = [batch(number, time, price) for number, (time, price) in enumerate(sorted(sent), start=1)]
    acks = [ack(1, time, price, device) for time, price, device in said]
    rows = exposures(batches, acks, [sale(time, price, units) for time, price, units in sold])
    assert sum(row["units"] for row in rows) == sum(units for *_, units in sold)
    ours = [row for row in rows if row["not_ours"] is None]
    first = min([time for time, _ in sent], default="24:00")
    released = max(0, min(720, 1200 - max(480, int(first[:2]) * 60 + int(first[3:]))))
    assert sum(row["open_minutes"] for row in ours) == pytest.approx(released)
    assert all(before["ends_at"] <= after["starts_at"] for before, after in pairwise(ours))
    key = TABLES["exposures"].key
    assert len({tuple(row[name] for name in key) for row in rows}) == len(rows)
