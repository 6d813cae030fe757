"""The Store page at one moment, without a browser."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from dashboard.data.store_day import day_at
from dashboard.data.versions import Version
from dashboard.monitor import Monitor
from dashboard.pages.store_cards import LIVE_MS, QUIET_MS, moment, stats, store_day, version_behind, what_decides
from dashboard.prefect.control import live_control
from warehouse.lake import Lake, Partition

DAY = dt.date(2026, 1, 6)


@pytest.fixture
def sold_monitor(sold: Settings) -> Monitor:
    return Monitor(sold, live_control(sold))


def test_the_last_moment_shows_the_day_against_the_day_before(
    sold_monitor: Monitor, words: Callable[[Any], str]
) -> None:
    day = store_day(sold_monitor, "S01", DAY)
    shown = moment(sold_monitor, day, day.last, "light")
    assert shown["moment"] == "19:45 to 20:00"
    assert shown["pulse"] == QUIET_MS
    assert [mark["label"] for mark in shown["marks"]] == ["08:00", "11:00", "14:00", "17:00"]
    assert "vs the day before, same time" in words(shown["stats"])
    assert "these prices come from no model" in words(shown["stats"])  # version 7 was never judged
    assert "No model yet" in words(shown["notices"])


def test_the_model_behind_a_day_is_the_version_that_priced_it(
    sold_monitor: Monitor, three: tuple[Version, ...], words: Callable[[Any], str]
) -> None:
    day = store_day(sold_monitor, "S01", DAY)
    now = day_at(day.events, sold_monitor.reader.ask("shelf", ("products",)), day.last, 10)
    assert version_behind(three, now) is None
    assert version_behind(three, None) is None
    model = next(version for version in three if version.number == "2")
    said = words(stats(now, None, model, None, model.trained_through + dt.timedelta(days=1)))
    assert "Version 2 1 day old, calibration error 2.0 points" in said
    assert " off" not in said  # which would read as a discount


def test_a_day_that_is_being_sold_is_asked_for_more_often(
    sell_two_days: Callable[[Path], Settings], tmp_path: Path
) -> None:
    settings = sell_two_days(tmp_path)
    monitor, lake = Monitor(settings, live_control(settings)), Lake(settings)
    before = what_decides(monitor, DAY)
    rows = lake.read(Partition("interactions", DAY, "all")).slice(0, 0)
    lake.publish(Partition("live_interactions", DAY, "live-S01"), rows, inputs="a tick", seed=7)
    assert what_decides(monitor, DAY) != before
    assert moment(monitor, store_day(monitor, "S01", DAY), 5, "light")["pulse"] == LIVE_MS
    assert moment(monitor, store_day(monitor, "S02", DAY), 5, "light")["pulse"] == QUIET_MS


def test_a_card_says_what_is_thrown_away_tonight_if_nobody_buys_it(
    sold_monitor: Monitor, words: Callable[[Any], str]
) -> None:
    day = store_day(sold_monitor, "S01", DAY)
    sold = day_at(day.events, sold_monitor.reader.ask("shelf", ("products",)), day.last, 10).products[0]
    ending = sold.units + 3  # so many may be sold for the last time: all that are sold, and three more
    row = {"store_id": "S01", "sku": sold.sku, "expires_on": DAY, "units_carried": ending, "units_delivered": 0}
    row |= {"units_sold": sold.units, "units_spoiled": 3, "units_adjusted": 0, "units_kept": 0, "units_on_order": 0}
    row |= {"unit_cost": 0.9, "waste_eur": 3.0, "holding_eur": 0.0}
    younger = {"units_delivered": 0, "units_sold": 0, "units_spoiled": 0, "waste_eur": 0.0}
    tomorrow = row | younger | {"expires_on": DAY + dt.timedelta(days=1), "units_carried": 40, "units_kept": 40}
    kept = row | younger | {"expires_on": None, "units_carried": 7, "units_kept": 7}
    table = pa.Table.from_pylist([row, tomorrow, kept], schema=TABLES["stock_movements"].schema)
    sold_monitor.reader.lake.publish(Partition("stock_movements", DAY, "all"), table, inputs="one product", seed=7)
    early, late = (words(moment(sold_monitor, day, tick, "light")["shelf"]) for tick in (0, day.last))
    assert " left 3 thrown away tonight if unsold" in late
    assert f"opened with {ending} for today, 40 for 2 days, 7 that keep" in late
    assert f" left {ending} thrown away tonight if unsold" in early
    other = store_day(sold_monitor, "S02", DAY)
    assert "thrown away" not in words(moment(sold_monitor, other, other.last, "light")["shelf"])
