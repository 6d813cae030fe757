"""Prices that a shop once showed although nobody had ordered them: each stays mended."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from price_shop import DATE, SEED, SHORT_DAY, Shop, open_in_the_morning

from catalog.decisions.pricing import Shelf
from catalog.load import WatchedCatalog, load
from dashboard.data.desk.price_desk import PriceDesk
from dashboard.data.reader import Reader
from dashboard.desk.tags import tag_of
from etl.calendar import DEFAULT_START, ONE_DAY, stores_now
from etl.open_days import LiveDay, sold_so_far
from features.cells import ALL_VIEWS
from plugins.desk.alerts.rules import found_now
from plugins.desk.live_shelf import discard
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.propose import propose
from plugins.desk.price_changes.record import all_changes
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.standing import Standing, standings
from plugins.live.player import Player
from plugins.live.prices import LivePrices
from plugins.operations.replay.day import replay
from serving.quote import PriceQuestion, QuoteDesk, StoresDifferError
from serving.store.in_force import pricing_on
from serving.store.storefront import Storefront
from warehouse.query.connection import build_file

STOP = PriceRequest("kill_switch", "prices look wrong")


def sold(shop: Shop, store: str, date: dt.date, ticks: int = SHORT_DAY) -> Player:
    """Sell some ticks of a store's day; close it after the last."""
    day = LiveDay(store, date)
    player = Player(shop.lake, LivePrices(shop.lake, WatchedCatalog(shop.folder).current, day, SEED), day, SEED)
    while player.next_tick < ticks:
        player.sell_tick()
    if player.is_over:
        player.close()
    return player


def shown(shop: Shop, store: str, date: dt.date) -> dict[str, float]:
    found = sold_so_far(shop.lake, LiveDay(store, date))
    assert found is not None
    rows = found.rows.repricings
    return dict(zip(rows["sku"].to_pylist(), rows["new_price"].to_pylist(), strict=True))


def held(shop: Shop, store: str = "S01", sku: str = "MILK") -> Standing:
    catalog = load(shop.folder)
    found = standings(shop.lake, catalog, stores_now(shop.lake, catalog, [store]))[store].of(sku)
    assert found is not None
    return found


def edited(shop: Shop, name: str, edit: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
    """Edit a file of the catalog."""
    file = shop.folder / name
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    edit(content)
    file.write_text(yaml.safe_dump(content), encoding="utf-8")


def bases(shop: Shop) -> dict[str, float]:
    return {product.sku: product.base_price for product in shop.catalog.products}


@pytest.mark.parametrize("zones", ["", "timezones: {S02: Asia/Tokyo}\n"])
def test_a_kill_switch_of_every_store_binds_one_that_opens_an_earlier_date(tmp_path: Path, zones: str) -> None:
    shop = Shop(tmp_path, more=zones, changed=open_in_the_morning)
    shop.publish(DATE - ONE_DAY)
    for store in shop.catalog.store.stores:
        sold(shop, store, DATE - ONE_DAY)
    shop.publish(DATE)
    sold(shop, "S01", DATE)  # to the end of its day: it opens the next one
    ask(shop.workspace, STOP, "anna")
    sold(shop, "S02", DATE, 3)
    assert shown(shop, "S02", DATE) == bases(shop)
    assert held(shop, "S03").rule == "kill_switch"


def test_an_override_that_was_withdrawn_in_every_store_does_not_come_back_in_one_that_is_behind(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(DATE)
    for store in shop.catalog.store.stores:
        sold(shop, store, DATE)
    [change] = ask(shop.workspace, PriceRequest("override", "a rival", "MILK", None, 1.29), "anna").changes
    sold(shop, "S01", DATE + ONE_DAY)
    decide(shop.workspace, [change.id], "withdrawn", "anna")
    sold(shop, "S02", DATE + ONE_DAY, 2)
    assert shown(shop, "S02", DATE + ONE_DAY)["MILK"] != 1.29


def test_a_date_that_a_store_left_out_is_bound_by_what_holds_now_and_is_replayed_to_the_same_bytes(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(DATE)
    sold(shop, "S01", DATE + ONE_DAY)
    ask(shop.workspace, STOP, "anna")
    sold(shop, "S01", DATE)
    rows = [row for row in shop.lake.read(LiveDay("S01", DATE).part("repricings")).to_pylist() if row["tick"] == 0]
    assert {row["sku"]: row["new_price"] for row in rows} == bases(shop)
    assert all(part.is_same for part in replay(shop.settings, DATE) if part.part == "decisions")


def test_a_live_day_goes_on_with_its_shelf_when_a_product_is_added_and_follows_the_kill_switch_all_the_same(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(DATE)
    player = sold(shop, "S01", DATE, 2)
    tea = {"sku": "TEA", "name": "Tea", "category": "drinks", "base_price": 3.0, "unit_cost": 1.2}
    edited(shop, "products.yaml", lambda content: content["products"].append(tea))
    edited(shop, "store.yaml", lambda content: content.pop("popularity"))
    ask(replace(shop.workspace, catalog=load(shop.folder)), STOP, "anna")
    player.sell_tick()
    assert shown(shop, "S01", DATE) == bases(shop)


def test_a_question_without_a_store_is_not_answered_with_a_price_that_no_store_shows(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{within_of_base: 0.0}")
    shop.publish(DEFAULT_START)
    desk, question = QuoteDesk(shop.lake, shop.catalog), PriceQuestion("MILK", 12)
    assert desk.answer(question, "S01").price == 1.5
    assert (desk.answer(question).price, desk.answer(question).holds_in) == (1.5, "every store")
    ask(shop.workspace, PriceRequest("override", "a rival", "MILK", "S02", 1.29), "anna")
    with pytest.raises(StoresDifferError, match=r"1\.50 EUR in S01, S03; 1\.29 EUR in S02"):
        QuoteDesk(shop.lake, shop.catalog).answer(question)


def test_an_old_price_that_waits_for_no_approval_is_lifted_to_the_cost(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{within_of_yesterday: 0.0}", changed=open_in_the_morning)
    shop.publish(DATE)
    ask(shop.workspace, PriceRequest("override", "a rival", "MILK", None, 1.20), "anna")
    for store in shop.catalog.store.stores:
        sold(shop, store, DATE)
    decide(shop.workspace, [change.id for change in all_changes(shop.lake)], "withdrawn", "anna")
    edited(shop, "products.yaml", lambda content: content["products"][0].update(unit_cost=1.3, floor_price=1.3))
    assert (held(shop).price, held(shop).limits[-1]) == (1.3, "floor")


def test_a_price_that_is_frozen_in_the_file_stands_whatever_waits(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{within_of_base: 0.0}")
    shop.publish()
    edited(shop, "store.yaml", lambda content: content["guardrails"].update(frozen={"MILK": 1.8}))
    assert (held(shop).price, held(shop).rule) == (1.8, "frozen")


def test_no_price_is_tried_that_approval_would_cut_to_another(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{within_of_base: 0.1}")
    shop.publish(visits=3.0)
    policy = pricing_on(shop.lake, shop.catalog, DATE).policy
    assert isinstance(policy, Storefront)
    rng, n_stores = np.random.default_rng(3), 3
    ladder = np.round(policy.exploration.ladder, 2)  # type: ignore[union-attr]
    tried = 0
    for _ in range(200):
        stock = np.broadcast_to(shop.catalog.par_stock, (n_stores, 5)).astype(np.int64)
        shelf = Shelf(stock, np.full(stock.shape, np.nan), 48, rng.random(stock.shape), None, shop.catalog.store.stores)
        decision = policy.decide(shelf)
        assert ((decision.propensity > 0) & (decision.propensity <= 1)).all()
        for store, own in np.argwhere(decision.explored):
            tried += 1
            assert np.isclose(ladder[own], decision.prices[store, own]).any(), "a tried price is one of the ladder"
    assert tried


@pytest.mark.parametrize(
    ("edit", "price"),
    [
        (lambda rails: rails["guardrails"].update(kill_switch=True), 1.5),
        (lambda rails: rails["guardrails"].update(frozen={"MILK": 1.49}), 1.49),
    ],
)
def test_the_desk_and_its_tags_follow_a_catalog_that_was_edited_after_the_night(
    tmp_path: Path,
    edit: Callable[[dict], object],
    price: float,  # type: ignore[type-arg]
) -> None:
    shop = Shop(tmp_path)
    shop.publish()
    build_file(shop.settings, ALL_VIEWS)
    edited(shop, "store.yaml", edit)
    catalog = load(shop.folder)
    desk = PriceDesk(shop.settings, Reader(shop.settings), lambda: catalog)
    row = next(row for row in desk.sheet().rows if row.id == "S01|MILK")
    assert (row.stands, tag_of(row, catalog.product("MILK"))["price"]) == (price, f"€{price:.2f}")


def test_a_quote_follows_a_shelf_that_was_solved_anew_for_another_catalog(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(DEFAULT_START)
    tea = {"sku": "TEA", "name": "Tea", "category": "drinks", "base_price": 3.0, "unit_cost": 1.2, "par_stock": 40}
    edited(shop, "products.yaml", lambda content: content["products"].append(tea))
    edited(shop, "products.yaml", lambda content: content["products"][0].update(ceiling_price=1.55, par_stock=60))
    edited(shop, "store.yaml", lambda content: content.pop("popularity"))
    catalog = load(shop.folder)
    desk = QuoteDesk(shop.lake, catalog)
    for product in catalog.products:
        answer = desk.answer(PriceQuestion(product.sku, product.par_stock), "S01")
        assert answer.price == held(shop, "S01", product.sku).price, product.sku


def test_the_desk_says_what_stands_where_a_price_was_rejected_and_no_older_one_is_known(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "{within_of_base: 0.05}")
    build_file(shop.settings, ALL_VIEWS)
    propose(shop.workspace, shop.publish(), DATE)
    names = [change.id for change in all_changes(shop.lake) if change.last == "proposed"]
    decide(shop.workspace, names, "rejected", "anna", "too dear")
    edited(shop, "store.yaml", lambda content: content.pop("approval"))
    catalog = load(shop.folder)
    for row in PriceDesk(shop.settings, Reader(shop.settings), lambda: catalog).sheet().rows:
        assert row.stands == held(shop, row.store, row.sku).price
        if row.change is not None and row.change.id in names:
            assert row.told == "rejected by anna; no other price is known, so it stands"


def test_an_order_that_a_ceiling_cut_is_gone_everywhere_when_it_is_withdrawn(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(DATE)
    player = sold(shop, "S01", DATE, 2)
    [change] = ask(
        shop.workspace, PriceRequest("override", "a slip", "MILK", "S01", 3.90, ignore_conflicts=True), "anna"
    ).changes
    player.sell_tick()
    ceiling = shop.catalog.product("MILK").ceiling
    assert shown(shop, "S01", DATE)["MILK"] == held(shop).price == ceiling
    decide(shop.workspace, [change.id], "withdrawn", "anna")
    stands = held(shop).price
    assert stands != ceiling
    player.sell_tick()
    tried = {row["sku"] for row in shop.rows().repricings.to_pylist() if row["tick"] == 3 and row["explored"]}
    assert "MILK" in tried or shown(shop, "S01", DATE)["MILK"] == stands


def test_an_order_holds_from_the_next_tick_also_when_the_store_opens_earlier_since(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(DATE)
    for store in shop.catalog.store.stores:
        sold(shop, store, DATE)
    ask(shop.workspace, STOP, "anna")
    edited(shop, "store.yaml", lambda content: content["opening"].update(opens="07:00"))
    edited(shop, "store.yaml", lambda content: content.update(hourly_profile=[0.5, *content["hourly_profile"]]))
    assert (held(shop).price, held(shop).rule) == (1.5, "kill_switch")
    sold(shop, "S01", DATE + ONE_DAY, 2)
    assert shown(shop, "S01", DATE + ONE_DAY) == bases(shop)


def test_a_day_that_is_sold_again_from_its_opening_follows_an_order_that_was_given_in_its_middle(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(DATE)
    sold(shop, "S01", DATE, 4)
    ask(shop.workspace, STOP, "anna")
    discard(shop.lake, LiveDay("S01", DATE))
    sold(shop, "S01", DATE, 1)
    assert shown(shop, "S01", DATE) == bases(shop)


def test_a_live_day_keeps_its_hours_and_base_prices_wherever_anybody_asks(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(DATE)
    player = sold(shop, "S01", DATE, 4)
    edited(shop, "store.yaml", lambda content: content.update(visits_per_day=400))
    edited(shop, "store.yaml", lambda content: content["opening"].update(tick_minutes=30))
    edited(shop, "products.yaml", lambda content: content["products"][0].update(base_price=1.6))
    now = stores_now(shop.lake, load(shop.folder), ["S01"])["S01"]
    assert (now.date, now.tick) == (DATE, 4)
    assert now.moment == shop.catalog.store.clock_of("S01").moment_of(DATE, 4)
    ask(replace(shop.workspace, catalog=load(shop.folder)), STOP, "anna")
    quoted = QuoteDesk(shop.lake, load(shop.folder)).answer(PriceQuestion("MILK", 50), "S01").price
    assert held(shop).price == quoted == 1.5
    player.sell_tick()
    assert shown(shop, "S01", DATE) == bases(shop)


def test_who_looks_while_a_store_sells_on_sees_it_as_it_stood_when_the_look_began(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish(DATE)
    ask(shop.workspace, PriceRequest("override", "a competitor is cheaper", "MILK", "S01", 1.49), "anna")
    player = sold(shop, "S01", DATE, 3)
    began, desk = stores_now(shop.lake, shop.catalog, ["S01"]), QuoteDesk(shop.lake, shop.catalog)
    before = standings(shop.lake, shop.catalog, began)["S01"]
    terms = [(own.sku, own.moment, own.by, own.until) for own in before]
    quoted_before = QuoteDesk(shop.lake, shop.catalog).answer(PriceQuestion("EGGS", 20), "S01")
    for later in (8, SHORT_DAY):
        shop.sell(later, player)
        again = standings(shop.lake, shop.catalog, began)["S01"]
        np.testing.assert_array_equal(again.stock, before.stock)
        np.testing.assert_array_equal(again.details.without, before.details.without)
        assert [(own.sku, own.moment, own.by, own.until) for own in again] == terms
    assert desk.answer(PriceQuestion("EGGS", 20), "S01") == quoted_before


def test_an_order_that_a_cost_keeps_from_standing_is_told_to_a_person(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.publish(DEFAULT_START)
    ask(shop.workspace, PriceRequest("override", "it spoils", "MILK", "S01", 0.80, below_cost=True), "anna")
    assert held(shop).price == 0.80
    edited(shop, "products.yaml", lambda content: content["products"][0].update(unit_cost=1.0))
    catalog = load(shop.folder)
    assert (held(shop).price, held(shop).unmet) == (1.05, 0.80)
    found = found_now(replace(shop.workspace, catalog=catalog), shop.catalog.store.clock_of("S01").opening_of(DATE))
    assert any("asks for MILK at 0.80 EUR in S01" in alert.sentence for alert in found)
