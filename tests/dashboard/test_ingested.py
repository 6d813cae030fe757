"""A retailer's own log: what nobody recorded is shown as unknown, on every page and in every view."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.settings import Settings, read_settings
from dashboard.monitor import Monitor
from dashboard.pages.prices_cards import no_book
from dashboard.pages.store_cards import moment, store_day
from dashboard.prefect.control import live_control
from etl.twin.draws import shopper_names
from plugins.own_store.history.columns import Reading
from plugins.own_store.history.ingest import ingest
from warehouse.query.connection import read_only
from warehouse.query.questions import past_day

DAY = dt.date(2026, 1, 5)
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
WITHOUT = "time,sku,price,bought\n2026-01-05 10:00,A,1.00,1\n2026-01-05 10:00,A,1.00,1\n2026-01-05 10:20,A,1.20,0\n"
WITH = (
    "time,sku,price,customer,stock,bought\n2026-01-05 10:00,A,1.00,7,9,1\n2026-01-05 10:20,A,1.20,8,8,0\n"
    "2026-01-05 10:40,A,1.20,9,0,0\n"
)
Ingest = Callable[[str], Monitor]


@pytest.fixture
def ingested(tmp_path: Path) -> Ingest:
    """Ingest a log into a home of its own."""

    def take(rows: str) -> Monitor:
        settings = read_settings({"SHELFPRICE_HOME": str(tmp_path / "home")})
        file = tmp_path / "shop.csv"
        file.write_text(rows, encoding="utf-8")
        found = ingest(settings, file, Reading(), None, NOW)
        return Monitor(settings, live_control(settings), found.shelf)

    return take


def shown(monitor: Monitor) -> dict[str, Any]:
    day = store_day(monitor, "S01", DAY)
    return moment(monitor, day, day.last, "light")


@pytest.mark.parametrize("rows", [WITHOUT, WITH], ids=["without shoppers", "with numbers of its own"])
def test_no_shopper_of_a_log_is_given_a_name(rows: str, ingested: Ingest, words: Callable[[Any], str]) -> None:
    monitor = ingested(rows)
    feed = words(shown(monitor)["feed"])
    assert "A shopper bought A for €1.00" in feed
    assert not [name for name in shopper_names(50, 7) if name in feed]
    with read_only(monitor.settings) as warehouse:
        named = warehouse.execute("select count(*) from interactions join shoppers using (shopper_id)").fetchall()
        pool = warehouse.execute("select count(*) from shopper_pool").fetchall()
    assert named == [(0,)]
    assert pool != [(0,)], "the pool is there, so that a join by number would have met it"


def test_why_a_shopper_of_a_log_bought_nothing_is_not_made_up(ingested: Ingest, words: Callable[[Any], str]) -> None:
    feed = words(shown(ingested(WITH))["feed"])
    assert "A shopper left A, which cost €1.20" in feed
    assert "A shopper found A sold out" in feed
    assert "too expensive" not in feed


def test_stock_that_nobody_recorded_is_unknown_and_not_zero(ingested: Ingest, words: Callable[[Any], str]) -> None:
    monitor = ingested(WITHOUT)
    page = shown(monitor)
    assert "Mean stock per product unknown" in words(page["stats"])
    assert "0.0 units" not in words(page["stats"])
    assert "stock unknown" in words(page["shelf"])
    assert [note.text for note in page["figure"].layout.annotations] == ["stock unknown"]
    with read_only(monitor.settings) as warehouse:
        assert warehouse.execute("select count_sold_out_visits from daily_sales").fetchall() == [(None,)]
    assert {row["policy"] for row in past_day(monitor.settings, DAY)} == {None}


def test_the_prices_of_a_log_are_said_to_be_the_retailers_own(
    ingested: Ingest, sold: Settings, words: Callable[[Any], str]
) -> None:
    told = words(no_book(ingested(WITHOUT), DAY))
    assert "the retailer's own" in told
    assert "explored" not in told
    twin = Monitor(sold, live_control(sold))
    assert "sold at base prices" in words(no_book(twin, DAY))
