"""The promotion calendar at the desk: what is planned there, and what is named before it is recorded."""

import datetime as dt
from pathlib import Path

import pytest
from price_shop import DATE, SHORT_DAY, Shop, open_in_the_morning

from catalog.errors import Declined
from dashboard.data.desk import acts
from dashboard.desk.edit import preview_of_all
from dashboard.monitor import Monitor
from dashboard.pages.promotions_card import promotions_list
from features.cells import ALL_VIEWS
from plugins.desk.price_changes.record import all_changes
from plugins.desk.price_changes.request import PriceRequest, ask, examined_all
from warehouse.query.connection import build_file

_WEEK = DATE + dt.timedelta(days=1), DATE + dt.timedelta(days=7)
_MILK = ["S01|MILK"]


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    """The monitor of a shop that showed base prices for a day: 1.50 is the prior price of milk."""
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish()
    ask(shop.workspace, PriceRequest("kill_switch", "base prices", store="S01"), "anna")
    shop.sell(SHORT_DAY).close()
    shop.publish(_WEEK[0])
    build_file(shop.settings, ALL_VIEWS)
    return shop.monitor()


def calendar(monitor: Monitor, steps: int = 0) -> str:
    return str(promotions_list(monitor, monitor.desk.sheet(), steps))


def test_a_promotion_stands_in_the_calendar_with_its_prior_price_until_it_is_withdrawn(monitor: Monitor) -> None:
    desk = monitor.desk
    assert "No promotion is planned" in calendar(monitor)
    said = acts.override_all(desk, _MILK, "to 1.20", "offer", _WEEK, announced=True, ignore_conflicts=True)
    assert said.startswith(
        "1 price set and announced as reductions (to 1.20) from Tue 20 Jan 2026 until Mon 26 Jan 2026."
    )
    shown = calendar(monitor)
    for words in ("Milk in S01", "Tue 20 Jan 2026 to Mon 26 Jan 2026", "€1.20", "€1.50", "20 % less", "Withdraw"):
        assert words in shown
    assert "Milk in S01" not in calendar(monitor, 3)
    assert "1 more in other weeks" in calendar(monitor, 3)
    acts.undo(desk, all_changes(desk.workspace.lake)[-1].id)
    assert "No promotion is planned" in calendar(monitor)


def test_an_overlap_and_a_prior_price_that_is_not_lawful_are_named_before_anything_is_recorded(
    monitor: Monitor,
) -> None:
    desk = monitor.desk
    acts.override_all(desk, _MILK, "to 1.20", "offer", _WEEK, announced=True, ignore_conflicts=True)
    rows, before = desk.sheet().chosen(_MILK), len(all_changes(desk.workspace.lake))
    asked = acts.requests_of(desk.sheet(), rows, "to 1.60", _WEEK, announced=True)
    shown = str(preview_of_all(rows, "to 1.60", examined_all(desk.workspace, asked)))
    assert "1.60 EUR is no reduction: 1.50 EUR is the price that an announcement has to name" in shown
    assert "an override at 1.20 EUR in S01" in shown
    with pytest.raises(Declined, match=r"is no reduction.*an override at 1\.20"):
        acts.override_all(desk, _MILK, "to 1.60", "offer", _WEEK, announced=True)
    assert len(all_changes(desk.workspace.lake)) == before
