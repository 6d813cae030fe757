"""The desk without a browser: rows, states in words, filters, acts, drafts and price tags."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from monitors import Orchestrator
from price_shop import DATE, Shop

from catalog.errors import DataError, Declined
from catalog.load import load
from catalog.records.product import Measure
from catalog.settings import Settings, read_settings
from dashboard.app import create_app
from dashboard.data.desk import acts
from dashboard.data.desk.drafts import PriceDraft, preview
from dashboard.data.desk.people import standing, waiting_by_store
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.desk.rows import Row
from dashboard.data.notices import health_of
from dashboard.data.reader import Reader
from dashboard.desk.edit import preview_of
from dashboard.desk.prices import note_of
from dashboard.desk.tags import tag_of
from dashboard.monitor import Monitor
from dashboard.pages.overview_cards import found_on
from plugins.desk.price_changes.consequence import outlook_of
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.record import all_changes

ROW = Row("S01", "MILK", "Milk", "dairy", DATE, False, 1.5, 1.6, 1.6, 0.4, "book", "", "passes", "passes", "", None)


def opened(folder: Path, approval: str = "") -> tuple[Shop, PriceDesk]:
    shop = Shop(folder, approval).opened()
    return shop, shop.desk()


def row_of(desk: PriceDesk, name: str) -> Row:
    (row,) = desk.sheet().chosen([name])
    return row


def test_without_approval_every_price_passes_and_the_desk_says_how_to_change_that(tmp_path: Path) -> None:
    _, desk = opened(tmp_path)
    rows = desk.sheet().rows
    assert len(rows) == 15
    assert {row.state for row in rows} == {"passes"}
    assert {row.is_live for row in rows if row.store == "S01"} == {True}
    with pytest.raises(Declined, match=r"within_of_yesterday"):
        acts.approve(desk, ["S01|MILK"], {})


def test_a_price_that_was_made_anew_since_it_was_looked_at_is_not_approved(tmp_path: Path) -> None:
    shop, desk = opened(tmp_path, "{within_of_base: 0.0}")
    proposed = row_of(desk, "S02|MILK").proposed
    with pytest.raises(Declined, match=r"and was at €9\.99 when you looked; nothing was approved"):
        acts.approve(desk, ["S02|MILK"], {"S02|MILK": 9.99})
    assert not any(change.last == "approved" for change in all_changes(shop.lake))
    assert acts.approve(desk, ["S02|MILK"], {"S02|MILK": proposed}).startswith("1 price approved.")


def test_what_waits_is_counted_by_store_with_what_a_person_asked_for(tmp_path: Path) -> None:
    _, desk = opened(tmp_path, "{within_of_base: 0.0, by_another: true}")
    before = waiting_by_store(desk.sheet())
    assert before["S02"] == sum(row.decision == "waits" for row in desk.sheet().rows if row.store == "S02") > 0
    acts.override(desk, row_of(desk, "S02|MILK"), PriceDraft(1.29), "a competitor", ignore_conflicts=True)
    assert waiting_by_store(desk.sheet()) == before + Counter({"S02": 1})


def test_what_waits_is_recorded_by_whoever_decides_first(tmp_path: Path) -> None:
    shop, desk = opened(tmp_path, "{within_of_base: 0.0}")
    assert all_changes(shop.lake) == []
    assert (row_of(desk, "S02|MILK").state, row_of(desk, "S02|MILK").stands) == ("waits", 1.5)
    assert acts.approve(desk, ["S02|MILK", "S02|EGGS"], {}).startswith("2 prices approved.")
    assert row_of(desk, "S02|MILK").state == "approved"
    assert row_of(desk, "S02|BREAD").state == "waits"
    assert acts.approve(desk, ["S02|MILK", "S02|BREAD"], {}).startswith(
        "1 price approved; 1 price chosen needed nothing"
    )
    with pytest.raises(Declined, match="none of the 1 price chosen waits"):
        acts.approve(desk, ["S02|BREAD"], {})


def test_an_approval_that_was_taken_back_can_be_given_again(tmp_path: Path) -> None:
    shop, desk = opened(tmp_path, "{within_of_base: 0.0}")
    acts.approve(desk, ["S02|MILK"], {})
    first = row_of(desk, "S02|MILK").change
    acts.turn_down(desk, ["S02|MILK"], "too dear")
    assert row_of(desk, "S02|MILK").stands == 1.5
    assert acts.approve(desk, ["S02|MILK"], {}).startswith("1 price approved.")
    row = row_of(desk, "S02|MILK")
    assert (row.state, row.stands) == ("approved", row.proposed)
    assert first is not None
    assert row.change is not None
    assert row.change.terms == first.terms
    with pytest.raises(Declined, match="give a new one"):
        decide(shop.workspace, [first.id], "approved", "anna")
    acts.turn_down(desk, ["S02|MILK"], "too dear after all")
    assert row_of(desk, "S02|MILK").state == "rejected"


def test_nothing_chosen_is_an_answer_in_a_sentence(tmp_path: Path) -> None:
    _, desk = opened(tmp_path)
    with pytest.raises(DataError, match="choose some in the table"):
        acts.approve(desk, [], {})
    with pytest.raises(DataError, match="nothing was changed"):
        acts.freeze(desk, ["S01|NOTHING"], "why")


def test_a_persons_price_covers_the_policys_until_it_is_undone(tmp_path: Path) -> None:
    _, desk = opened(tmp_path)
    row = row_of(desk, "S01|MILK")
    acts.override(desk, row, PriceDraft(1.29, end="18:00"), "a competitor is cheaper", ignore_conflicts=False)
    assert row_of(desk, "S01|MILK").told.startswith("set to €1.29 by ")
    assert row_of(desk, "S01|MILK").told.endswith("until 18:00")
    assert row_of(desk, "S02|MILK").state == "passes"
    (change,) = standing(desk.sheet())
    assert (change.state, change.price, change.product) == ("in_force", 1.29, "Milk")
    acts.stop(desk, None, "prices look wrong")
    assert {row.state for row in desk.sheet().rows} == {"overridden"}
    assert row_of(desk, "S01|MILK").stands == 1.5
    for one in standing(desk.sheet()):
        acts.undo(desk, one.change)
    assert {row.state for row in desk.sheet().rows} == {"passes"}
    assert standing(desk.sheet()) == []


def test_a_price_for_the_afternoon_stands_from_then_on_and_not_when_the_store_opens(tmp_path: Path) -> None:
    _, desk = opened(tmp_path)
    row = row_of(desk, "S01|MILK")
    said = acts.override(
        desk, row, PriceDraft(1.29, "13:00", "18:00"), "a competitor is cheaper", ignore_conflicts=False
    )
    assert said.endswith("The shelf follows at 13:00.")
    assert (row_of(desk, "S01|MILK").state, row_of(desk, "S01|MILK").stands) == ("overridden", row.stands)
    assert "from 13:00 until 18:00" in row_of(desk, "S01|MILK").told
    (change,) = standing(desk.sheet())
    assert (change.state, change.is_for_hours) == ("scheduled", True)


def test_what_nobody_recorded_yet_is_shown_as_near_to_its_proposal_as_the_rules_let_pass(tmp_path: Path) -> None:
    shop, desk = opened(tmp_path, "{within_of_base: 0.01}")
    row = row_of(desk, "S02|MILK")
    base = shop.catalog.product("MILK").base_price
    assert (row.state, row.change) == ("waits", None)
    assert abs(row.stands - base) <= 0.01 * base < abs(row.proposed - base)
    (note,) = note_of(desk.sheet())
    assert "until somebody decides, the nearest that the rules let pass stands" in str(note)


def test_the_kill_switch_of_the_desk_is_told_as_stopped_by_a_person_until_it_is_undone(tmp_path: Path) -> None:
    shop, desk = opened(tmp_path)
    monitor = Monitor(shop.settings, Orchestrator(), shop.folder)
    assert "The kill switch is on" not in [one.title for one in found_on(monitor, DATE)]
    acts.stop(desk, "S01", "prices look wrong")
    told = next(one for one in found_on(monitor, DATE) if one.title == "The kill switch is on")
    assert (told.mood, health_of(None, [told], 0).word) == ("stopped", "Stopped by a person")
    assert "turned it on in S01: prices look wrong" in told.text
    (change,) = standing(desk.sheet())
    assert told.command == f"shelfprice decide withdraw {change.change}"
    acts.undo(desk, change.change)
    assert "The kill switch is on" not in [one.title for one in found_on(monitor, DATE)]


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (PriceDraft(None), "Type a price"),
        (PriceDraft(1.234), "whole cents"),
        (PriceDraft(1.3, "noon"), "such as 13:00"),
        (PriceDraft(1.3, "18:00", "13:00"), "expected an end after"),
        (PriceDraft(1.3, "21:00", "22:00"), "No tick"),
    ],
)
def test_a_draft_that_can_never_hold_says_why_while_it_is_typed(tmp_path: Path, draft: PriceDraft, words: str) -> None:
    _, desk = opened(tmp_path)
    assert words in str(preview(desk.sheet(), row_of(desk, "S01|MILK"), draft).problem)


def test_a_draft_tells_what_it_brings_and_what_speaks_against_it(tmp_path: Path) -> None:
    _, desk = opened(tmp_path)
    row = row_of(desk, "S02|MILK")
    same, cheaper, low = (preview(desk.sheet(), row, PriceDraft(price)) for price in (row.proposed, 1.1, 0.5))
    assert same.conflicts == ()
    assert same.consequence.cost >= 0
    assert cheaper.consequence.p_sale > same.consequence.p_sale
    brings = low.consequence
    assert (brings.p_sale, brings.cost, brings.known_from, brings.known_to) == (None, None, 1.05, 2.4)
    assert "Demand is known from €1.05 to €2.40" in str(preview_of(low))
    assert any("below its cost" in found for found in low.conflicts)


def test_the_gain_of_a_row_is_what_the_price_now_would_cost_if_it_were_kept_until_closing(tmp_path: Path) -> None:
    shop, desk = opened(tmp_path)
    outlook = outlook_of(shop.lake, shop.catalog, shop.publish())
    sold = [row for row in desk.sheet().rows if row.now is not None]
    assert {row.store for row in sold} == {"S01"}
    costs = [outlook.of(row.sku, row.now or 0, 1, None, row.shelf).cost for row in sold]
    assert [row.gain for row in sold] == pytest.approx(costs)
    assert {row.gain for row in desk.sheet().rows if row.now is None} == {None}


def test_a_tag_shows_what_stands_with_its_price_per_unit(tmp_path: Path) -> None:
    shop, _ = opened(tmp_path)
    product = shop.catalog.products[0].model_copy(
        update={"measure": Measure(amount=500.0, unit="ml"), "ean": "96385074"}
    )
    tag = tag_of(replace(ROW, stands=1.25), product)
    assert (tag["price"], tag["unit"], tag["ean"]) == ("€1.25", "500 ml: €2.50 per l", "EAN 96385074")
    assert tag_of(ROW, shop.catalog.products[0])["unit"] == ""


def test_before_anything_was_sold_or_priced_the_desk_is_empty_and_the_kill_switch_can_be_turned_on(
    settings: Settings,
) -> None:
    desk = PriceDesk(settings, Reader(settings), load)
    assert list(desk.sheet().rows) == []
    acts.stop(desk, "S01", "prices look wrong")
    (change,) = standing(desk.sheet())
    assert (change.kind, change.store) == ("kill_switch", "S01")


def test_the_kill_switch_of_every_store_is_turned_off_by_who_may_turn_it_on(tmp_path: Path) -> None:
    people = {"SHELFPRICE_USER_HEADER": "X-User", "SHELFPRICE_ROLES": "anna=manager,ben=admin"}
    settings = read_settings({"SHELFPRICE_HOME": str(tmp_path), **people})
    desk = PriceDesk(settings, Reader(settings), load)
    app = create_app(settings).server

    def by(name: str, act: Callable[[], str]) -> str:
        with app.test_request_context(headers={"X-User": name}):
            return act()

    by("ben", lambda: acts.stop(desk, None, "prices look wrong"))
    by("anna", lambda: acts.stop(desk, "S01", "prices look wrong"))
    everywhere, one_store = (change.change for change in sorted(standing(desk.sheet()), key=lambda own: own.change))
    with pytest.raises(Declined, match="expected a person who is admin, found anna"):
        by("anna", lambda: acts.undo(desk, everywhere))
    assert len(standing(desk.sheet())) == 2
    by("anna", lambda: acts.undo(desk, one_store))
    by("ben", lambda: acts.undo(desk, everywhere))
    assert standing(desk.sheet()) == []


def test_a_decision_from_another_site_is_refused(settings: Settings) -> None:
    client = create_app(settings).server.test_client()
    answer = client.post("/_dash-update-component", json={}, headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 403
    assert client.get("/desk/tags?store=<script>").status_code == 200
    assert "<script>alert" not in client.get("/desk/tags?price=<script>alert(1)</script>").text
