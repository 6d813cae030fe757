"""The price as it is on the Prices page, and the marks of what people did."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.load import CLASSIC, load
from catalog.settings import Settings
from dashboard.data.prices import marks_of
from dashboard.monitor import Monitor
from dashboard.pages.prices_cards import price_now, trail
from dashboard.pages.store_cards import moment, store_day
from dashboard.prefect.control import live_control
from plugins.desk.price_changes.change import Event, Terms
from plugins.desk.price_changes.record import record
from serving.limits.orders import Kind
from warehouse.lake import Lake

DAY = dt.date(2026, 1, 6)


@pytest.fixture
def sold(sell_two_days: Callable[[Path], Settings], tmp_path: Path) -> Settings:
    return sell_two_days(tmp_path)


@pytest.fixture
def monitor(sold: Settings) -> Monitor:
    return Monitor(sold, live_control(sold), CLASSIC)


def at(hour: int, date: dt.date = DAY) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(hour), dt.UTC)


def act(settings: Settings, number: int, kind: Kind, hour: int, by: str = "ana", **terms: Any) -> None:
    asked = {"sku": "MILK", "store": "S01", "old_price": None, "new_price": None, "valid_until": at(23)} | terms
    wanted = Terms(kind=kind, valid_from=at(hour), reason="because", **asked)
    event = Event(number, f"h{number}", "approved", at(hour), at(hour), by, wanted)
    record(Lake(settings), load(CLASSIC), number, [event])


def labels(monitor: Monitor, sku: str | None) -> list[tuple[int, str]]:
    clock = monitor.catalog.current().store.clock_of("S01")
    return [(mark.at.hour, mark.label) for mark in marks_of(monitor.reader, clock, "S01", sku, DAY, DAY)]


def test_each_thing_that_people_did_to_a_price_is_marked_when_it_counts(sold: Settings, monitor: Monitor) -> None:
    assert labels(monitor, "MILK") == []
    act(sold, 1, "override", 9, new_price=1.19)
    act(sold, 2, "kill_switch", 10, sku=None, store=None)
    act(sold, 3, "override", 11, new_price=0.99, announced=True)
    act(sold, 4, "freeze", 12, sku="BREAD")
    act(sold, 5, "price", 13, by="the rule", new_price=1.30)
    act(sold, 6, "freeze", 14, store="S02")
    assert labels(monitor, "MILK") == [(11, "promotion €0.99"), (10, "kill switch"), (9, "override €1.19")]
    assert (12, "frozen") in labels(monitor, None)
    yesterday = DAY - dt.timedelta(days=1)
    clock = monitor.catalog.current().store.clock_of("S01")
    assert marks_of(monitor.reader, clock, "S01", "MILK", yesterday, yesterday) == []


def test_the_page_begins_with_the_price_that_stands_and_marks_the_chart(
    sold: Settings, monitor: Monitor, words: Callable[[Any], str]
) -> None:
    act(sold, 1, "override", 9, new_price=1.19)
    decisions = trail(monitor, "MILK", "S01", DAY)
    told, figure = price_now(monitor, decisions, "MILK", "S01", DAY, "light")
    newest = decisions.iloc[0]
    assert f"€{newest['new_price']:.2f}" in words(told)
    assert newest["reason"] in words(told)
    assert "Milk in S01 since Tue 6 Jan 2026" in words(told)
    assert "override €1.19" in [one.text for one in figure.layout.annotations]
    assert [one.xanchor for one in figure.layout.annotations if one.text == "override €1.19"] == ["left"]
    assert list(figure.data[0].y)[-1] == newest["new_price"]


def test_the_chart_of_a_store_marks_what_people_did_by_the_moment_that_is_shown(
    sold: Settings, monitor: Monitor
) -> None:
    act(sold, 1, "kill_switch", 10, sku=None, store=None)
    day = store_day(monitor, "S01", DAY)

    def told(through: int) -> list[str]:
        return [one.text for one in moment(monitor, day, through, "light")["figure"].layout.annotations]

    assert told(7) == []  # 09:45 to 10:00
    assert told(8) == ["kill switch"]
