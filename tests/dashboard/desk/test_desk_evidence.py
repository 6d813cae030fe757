"""An opened row of the desk shows demand seen and expected, what a week taught, and past prices with who decided."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dash import dcc
from outside_grocer import Grocer
from price_shop import DATE, SHORT_DAY, Shop, open_in_the_morning

from dashboard.desk.row import answered, evidence
from dashboard.monitor import Monitor
from dashboard.prefect.control import live_control
from features.cells import ALL_VIEWS
from plugins.desk.price_changes.request import PriceRequest, ask
from warehouse.query.connection import build_file

Words = Callable[[Any], str]
NEXT = DATE + dt.timedelta(days=1)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, changed=open_in_the_morning)


def shown(shop: Shop, sku: str = "MILK", **more: Any) -> list[Any]:
    build_file(shop.settings, ALL_VIEWS)
    monitor = shop.monitor()
    sheet = monitor.desk.sheet()
    [row] = sheet.chosen([f"S01|{sku}"])
    return evidence(monitor, replace(row, **more), sheet.catalog.store.clock_of("S01"), "light")


def figures(parts: list[Any]) -> dict[str, Any]:
    return {own.id: own.figure for part in parts for own in part._traverse() if isinstance(own, dcc.Graph)}


def test_a_row_shows_what_is_expected_at_each_price_marks_its_own_and_says_how_the_belief_moved(
    shop: Shop, words: Words
) -> None:
    shop.publish(DATE - dt.timedelta(days=8), visits=2.0)
    shop.publish(DATE - dt.timedelta(days=7), visits=10.0)
    shop.publish(DATE, visits=200.0)
    shop.sell(1)
    parts = shown(shop, now=1.3, proposed=1.5, stands=1.5)
    figure = figures(parts)["desk-row-demand"]
    assert [note.text for note in figure.layout.annotations] == ["now €1.30", "proposed €1.50"]
    assert "predicted" in {trace.name for trace in figure.data}
    text = words(parts)
    assert "Since Mon 12 Jan 2026 the belief moved: of 100 shoppers" in text
    assert "buy at €1.50 (certain to ±" in text


def test_past_prices_carry_who_decided_about_this_product_and_nobody_else(shop: Shop) -> None:
    shop.publish(DATE)
    player = shop.sell(2)
    for sku in ("MILK", "EGGS"):
        ask(shop.workspace, PriceRequest("override", "a rival", sku=sku, store="S01", price=1.29), f"anna-{sku}")
    shop.sell(SHORT_DAY, player).close()
    shop.publish(NEXT)
    shop.sell(1, shop.player(NEXT), NEXT)
    line, marks = figures(shown(shop))["desk-row-prices"].data
    assert len(line.x) == 2
    assert list(marks.text) == ["override approved by anna-MILK"]


def test_a_store_that_sells_by_itself_shows_units_a_day_and_how_sales_are_believed_to_answer(
    tmp_path: Path, words: Words
) -> None:
    grocer = Grocer(tmp_path, n_stores=2)
    grocer.night(grocer.weeks(2) - dt.timedelta(days=1))
    build_file(grocer.settings, ALL_VIEWS)
    monitor = Monitor(grocer.settings, live_control(grocer.settings), grocer.folder)
    sheet = monitor.desk.sheet()
    parts = evidence(monitor, sheet.rows[0], sheet.catalog.store.clock_of(sheet.rows[0].store), "dark")
    sold, expected = figures(parts)["desk-row-demand"].data
    assert sum(sold.customdata) == pytest.approx(14)  # days at drawn prices
    assert list(expected.y) == sorted(expected.y, reverse=True)
    assert ": 10 % dearer sells " in words(parts)
    before, now = (
        pd.Series({"business_date": DATE, "response": own, "response_deviation": 0.1}) for own in (-3.0, -2.0)
    )
    assert answered(before, now).endswith("moved: 10 % dearer sells 17 % less, it was 25 %; certain to ±2.")
    assert "did not move: 10 % dearer sells 17 % less; certain" in answered(now.copy(), now)
