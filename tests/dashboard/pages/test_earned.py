"""The card that says what drawn prices brought: it is there once something is known, and says what is not."""

import datetime as dt

import pyarrow as pa

from catalog.tables.contracts import TABLES
from dashboard.formats import UNKNOWN
from dashboard.monitor import Monitor
from dashboard.pages.earned_card import earned_card
from dashboard.pages.overview import without_a_day
from warehouse.lake import Lake, Partition

HOSTILE = "<script>alert(1)</script>"


def publish(lake: Lake, date: dt.date, *rows: dict[str, object]) -> None:
    known = {"first": dt.date(2026, 1, 5), "euros": None, "n_held": 3, "n_treated": 27}
    schema = TABLES["earned"].schema
    lake.publish(
        Partition("earned", date, "all"), pa.Table.from_pylist([known | row for row in rows], schema), inputs="x"
    )


def test_without_drawn_prices_there_is_no_card(monitor: Monitor) -> None:
    assert earned_card(monitor) == []


def test_the_newest_night_is_told_with_intervals_and_what_is_not_known_is_said(monitor: Monitor, lake: Lake) -> None:
    chain = {"scope": "chain", "name": "", "euros": 1234.5, "euros_low": 200.0, "euros_high": 2300.0}
    chain |= {"share": 0.021, "share_low": 0.003, "share_high": 0.04}
    publish(lake, dt.date(2026, 1, 11), chain | {"euros": 1.0})
    publish(
        lake,
        dt.date(2026, 1, 18),
        chain,
        {"scope": "week", "name": "2026-01-12", "euros": 55.0},
        {"scope": "lately", "name": "2026-01-12", "euros": 77.0, "euros_low": -10.0, "euros_high": 164.0},
        {"scope": "store", "name": HOSTILE},
        {"scope": "category", "name": "dairy"},
    )
    text = str(earned_card(monitor))
    assert "1,234.50" in text
    assert "2.1" in text
    assert "Lately, from Mon 12 Jan 2026" in text
    assert "\N{EURO SIGN}77.00" in text
    assert "55.00" not in text
    assert UNKNOWN in text
    assert "1.00" not in text
    assert HOSTILE in text
    assert "dairy" in text


def test_the_interval_is_a_bar_and_what_moved_most_is_said_with_its_reason(monitor: Monitor, lake: Lake) -> None:
    chain = {"scope": "chain", "name": "", "euros": 50.0, "euros_low": -50.0, "euros_high": 150.0, "share": 0.02}
    publish(lake, dt.date(2026, 1, 18), chain)
    row = {"store_id": "S01", "through": dt.date(2026, 1, 18), "shelf_price": 2.0, "step_from": 2.0, "propensity": 0.5}
    row |= {"design": "best price", "block": "S01/MILK", "seed": 7, "is_held": False}
    rows = [
        row | {"sku": HOSTILE, "price": 2.3, "response": -1.1},
        row | {"sku": "EGGS", "price": 1.8, "response": -4.0},
    ]
    rows += [row | {"sku": "TEA", "price": 2.0, "is_held": True, "response": -2.0}]
    lake.publish(
        Partition("price_draws", dt.date(2026, 1, 12), "all"),
        pa.Table.from_pylist(rows, TABLES["price_draws"].schema),
        inputs="x",
    )
    text = str(earned_card(monitor))
    assert "'left': '0.0%', 'width': '100.0%'" in text
    assert "'left': '25.0%'" in text  # zero
    assert f"{HOSTILE}" in text
    assert "15 % above your price: few shoppers leave" in text
    assert "10 % below your price: many more buy" in text
    assert "1 of 3 prices show your own for now" in text


def test_stores_that_tell_units_alone_have_the_card_in_place_of_an_empty_page(monitor: Monitor, lake: Lake) -> None:
    assert "What drawn prices earned" not in str(without_a_day(monitor))
    publish(lake, dt.date(2026, 1, 18), {"scope": "chain", "name": "", "euros": 50.0})
    assert "What drawn prices earned" in str(without_a_day(monitor))
