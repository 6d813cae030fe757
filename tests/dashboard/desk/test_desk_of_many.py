"""The desk over many prices at once: what an edit brings, what one Undo takes back, what rivals ask."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from price_shop import DATE, Shop

from catalog.errors import Declined
from dashboard.data.desk import acts
from dashboard.data.desk.people import standing
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.table import DeskQuestion, as_sent
from dashboard.desk.changes import people_list
from dashboard.desk.needs import needs_card
from plugins.connect.intake.inbox import take_file
from plugins.connect.intake.intake import Intake

LEAFLET = (
    f"rival,sku,price,seen_at\nCorner,MILK,1.19,{DATE}T07:00:00Z\nSquare,MILK,1.09,{DATE}T08:00:00Z\n"
    f"Corner,EGGS,9.00,{DATE}T07:00:00Z\n"
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path).opened()


@pytest.fixture
def desk(shop: Shop) -> PriceDesk:
    return shop.desk()


def set_all(desk: PriceDesk) -> list[str]:
    """Set twelve prices in one action, and return their ids at the desk."""
    ids = [row_id for row_id in desk.sheet().rows.ids if "CHEESE" not in row_id]
    acts.override_all(desk, ids, "-1 %", "slow week")
    return ids


def test_what_was_set_in_one_action_is_one_item_with_one_undo(desk: PriceDesk, words: Callable[[Any], str]) -> None:
    set_all(desk)
    listed = people_list(standing(desk.sheet()))
    assert len(listed.children) == 1
    assert words(listed).startswith("12 prices in 3 stores set in force h1,")
    assert acts.undo(desk, "h1.3").startswith("h1.3 is undone.")
    assert len(standing(desk.sheet())) == 11
    assert acts.undo(desk, "h1").startswith("11 prices of h1 are undone.")
    assert standing(desk.sheet()) == []
    with pytest.raises(Declined, match=r"h1\.3"):
        acts.undo(desk, "h1.3")


def test_an_action_that_waits_for_somebody_else_is_one_item_of_what_needs_a_person(
    tmp_path: Path, words: Callable[[Any], str]
) -> None:
    shop = Shop(tmp_path, "{by_another: true}").opened(0)
    desk = shop.desk()
    acts.override_all(desk, desk.sheet().rows.ids, "-1 %", "slow week")
    sheet = desk.sheet()
    told = words(needs_card(sheet.rows, standing(sheet)))
    assert (told.count("15 prices in 3 stores set"), told.count("Undo…")) == (1, 1)
    with pytest.raises(Declined, match="expected somebody else"):
        acts.allow(desk, "h1")


def test_a_price_above_a_rivals_is_found_with_what_rivals_ask(shop: Shop, desk: PriceDesk, tmp_path: Path) -> None:
    rows = desk.sheet().rows
    assert not len(DeskQuestion(dearer=True).found_in(rows))
    leaflet = tmp_path / "leaflet.csv"
    leaflet.write_text(LEAFLET, encoding="utf-8")
    intake = Intake(shop.workspace.lake, lambda _: dt.datetime.combine(DATE, dt.time(20), dt.UTC))
    assert take_file(shop.workspace, intake, leaflet).taken == 3
    tomorrow = DATE + dt.timedelta(days=1)
    shop.publish(tomorrow)
    shop.sell(1, date=tomorrow)
    sheet = desk.sheet()
    (milk,) = sheet.chosen(["S01|MILK"])
    assert [(one.rival, one.price) for one in milk.rivals] == [("Square", 1.09), ("Corner", 1.19)]
    found = DeskQuestion(dearer=True).found_in(sheet.rows)
    assert "S01|MILK" in found.ids
    assert not any("EGGS" in name or "BREAD" in name for name in found.ids)
    sent = as_sent(milk, [])
    assert (sent["rival"], sent["rivals"]) == (1.09, "Square €1.09, Corner €1.19")
