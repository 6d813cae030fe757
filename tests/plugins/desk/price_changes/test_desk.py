"""What people decide about prices, and the shelf that follows at the next tick."""

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from free_prices import freely_in
from price_shop import DATE, SHORT_DAY, Shop, open_in_the_morning

from catalog.errors import CatalogError, DataError, Declined
from etl.stock import opens_with
from plugins.desk.law.shown import prior_price_of
from plugins.desk.next_ticks import next_tick
from plugins.desk.price_changes.change import Kind, PriceChange
from plugins.desk.price_changes.decision import decide, decide_each
from plugins.desk.price_changes.orders import orders_on
from plugins.desk.price_changes.propose import Proposed, propose
from plugins.desk.price_changes.record import LOCK, all_changes
from plugins.desk.price_changes.request import PriceRequest, ask, ask_all, examined
from plugins.operations.checks.proving import verify
from plugins.operations.replay.day import replay
from warehouse.commits.locks import held

OVERRIDE = PriceRequest("override", "a competitor is cheaper", sku="MILK", store="S01", price=1.29)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.publish()
    return shop


def at(shop: Shop, tick: int) -> dt.datetime:
    return shop.catalog.store.clock_of(None).moment_of(DATE, tick)


def state_of(shop: Shop, change: PriceChange) -> str:
    changes = all_changes(shop.lake)
    now = next_tick(shop.lake, shop.catalog, "S01")
    return next(own.state(now, changes) for own in changes if own.id == change.id)


def test_an_override_is_on_the_shelf_at_the_next_tick_and_gone_at_the_one_after_it_was_withdrawn(shop: Shop) -> None:
    player = shop.sell(4)
    answer = ask(shop.workspace, OVERRIDE, "anna")
    shop.sell(8, player)
    assert [shop.price_in(tick) for tick in (4, 7)] == [1.29, 1.29]
    assert shop.price_in(3) != 1.29
    reasons = [row["reason"] for row in shop.rows().repricings.to_pylist() if row["tick"] == 4 and row["sku"] == "MILK"]
    assert "a person set it" in reasons[0]
    assert state_of(shop, answer.changes[0]) == "in_force"
    decide(shop.workspace, [answer.changes[0].id], "withdrawn", "anna", "they are dearer again")
    shop.sell(9, player)
    assert shop.price_in(8) != 1.29
    assert state_of(shop, answer.changes[0]) == "withdrawn"


def test_an_override_for_some_hours_stands_in_those_hours_alone(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=freely_in)
    shop.publish()
    ask(shop.workspace, replace(OVERRIDE, valid_from=at(shop, 10), valid_until=at(shop, 20)), "anna")
    shop.sell(30)
    prices = [shop.price_in(tick) for tick in range(30)]
    assert set(prices[10:20]) == {1.29}
    assert 1.29 not in {prices[9], prices[20]}


def test_a_day_with_overrides_is_replayed_to_the_same_bytes(shop: Shop) -> None:
    player = shop.sell(4)
    ask(shop.workspace, OVERRIDE, "anna")
    shop.sell(20, player)
    ask(shop.workspace, PriceRequest("kill_switch", "prices look wrong", store="S01"), "anna")
    shop.sell(48, player)
    player.close()
    parts = replay(shop.settings, DATE)
    assert all(part.is_same for part in parts if part.part == "decisions"), parts
    assert not verify(shop.lake).findings


def test_a_store_that_was_killed_goes_on_with_the_override(shop: Shop) -> None:
    shop.sell(4)
    ask(shop.workspace, OVERRIDE, "anna")
    shop.sell(6)  # another process takes over
    assert shop.price_in(5) == 1.29


def test_the_kill_switch_shows_base_prices_from_the_next_tick_and_no_override_stands_against_it(shop: Shop) -> None:
    player = shop.sell(4)
    ask(shop.workspace, OVERRIDE, "anna")
    switch = ask(shop.workspace, PriceRequest("kill_switch", "prices look wrong"), "ben").changes[0]
    shop.sell(8, player)
    assert {product.sku: shop.price_in(7, product.sku) for product in shop.catalog.products} == {
        product.sku: product.base_price for product in shop.catalog.products
    }
    decide(shop.workspace, [switch.id], "withdrawn", "ben")
    shop.sell(9, player)
    assert shop.price_in(8) == 1.29


def test_a_freeze_keeps_the_price_that_is_shown(shop: Shop) -> None:
    player = shop.sell(5)
    shown = shop.price_in(4, "EGGS")
    ask(shop.workspace, PriceRequest("freeze", "the label printer is broken", sku="EGGS", store="S01"), "anna")
    shop.sell(40, player)
    assert {shop.price_in(tick, "EGGS") for tick in range(5, 40)} == {shown}


@pytest.mark.parametrize(
    ("price", "words", "bound"),
    [(9.99, "above its ceiling", "ceiling"), (1.00, "below its floor", "floor")],
)
def test_what_speaks_against_a_price_is_named_before_it_is_recorded_and_floor_and_ceiling_bind_it(
    shop: Shop, price: float, words: str, bound: str
) -> None:
    wish = replace(OVERRIDE, price=price)
    with pytest.raises(Declined, match=words):
        ask(shop.workspace, wish, "anna")
    assert all_changes(shop.lake) == []
    assert any(words in found for found in examined(shop.workspace, wish).conflicts)
    answer = ask(shop.workspace, replace(wish, ignore_conflicts=True), "anna")
    shop.sell(1)
    assert shop.price_in(0) == getattr(shop.catalog.product("MILK"), bound)
    assert any(words in found for found in answer.conflicts)


def test_a_price_below_cost_needs_a_word_of_its_own(shop: Shop) -> None:
    wish = replace(OVERRIDE, price=0.80)
    for asked in (wish, replace(wish, ignore_conflicts=True)):
        with pytest.raises(Declined, match=r"below its cost, .*--below-cost"):
            ask(shop.workspace, asked, "anna")
    assert any("below its cost" in found for found in examined(shop.workspace, wish).conflicts)
    ask(shop.workspace, replace(wish, below_cost=True), "anna")
    shop.sell(1)
    assert shop.price_in(0) == 0.80


def test_a_cost_that_rose_since_lifts_a_price_that_was_accepted_below_the_old_one(shop: Shop) -> None:
    ask(shop.workspace, replace(OVERRIDE, price=0.80, below_cost=True), "anna")
    player = shop.sell(1)
    cost = shop.catalog.product("MILK").unit_cost
    file = shop.folder / "products.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f"unit_cost: {cost:.2f}", f"unit_cost: {cost + 0.1:.2f}"), encoding="utf-8")
    assert file.read_text(encoding="utf-8") != text
    shop.sell(2, player)
    assert [shop.price_in(tick) for tick in (0, 1)] == [0.80, shop.catalog.product("MILK").floor]


def test_whoever_decides_while_somebody_else_does_waits_a_moment(shop: Shop) -> None:
    decides = Event()
    with ThreadPoolExecutor(1) as other:
        with held(shop.settings.locks, LOCK):
            asked = other.submit(lambda: (decides.set(), ask(shop.workspace, OVERRIDE, "anna"))[1])
            assert decides.wait(10)
            time.sleep(0.5)  # more than the moment for which any lock is asked for again
        assert asked.result(timeout=30).changes[0].terms.new_price == 1.29


def test_two_overrides_at_once_are_a_conflict_and_the_later_one_holds_where_it_is_wanted_anyway(shop: Shop) -> None:
    first = ask(shop.workspace, OVERRIDE, "anna").changes[0]
    second = replace(OVERRIDE, price=1.39)
    with pytest.raises(Declined, match=f"{first.id}, an override at 1.29 EUR in S01 by anna"):
        ask(shop.workspace, second, "ben")
    ask(shop.workspace, replace(second, ignore_conflicts=True), "ben")
    shop.sell(1)
    assert shop.price_in(0) == 1.39
    assert state_of(shop, first) == "superseded"


@pytest.mark.parametrize(
    ("wish", "error", "words"),
    [
        (replace(OVERRIDE, sku="MLK"), CatalogError, "no product has the sku"),
        (replace(OVERRIDE, store="S99"), DataError, "expected a store"),
        (replace(OVERRIDE, price=1.2345), DataError, "whole cents"),
        (replace(OVERRIDE, reason="  "), DataError, "expected a reason"),
        (replace(OVERRIDE, valid_until=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), DataError, "expected an end after"),
    ],
)
def test_what_can_never_hold_is_refused(shop: Shop, wish: PriceRequest, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ask(shop.workspace, wish, "anna")
    assert all_changes(shop.lake) == []


def test_a_price_that_differs_from_the_policys_says_what_it_costs_a_day(shop: Shop) -> None:
    wish = replace(OVERRIDE, valid_from=at(shop, 0))
    found = examined(shop.workspace, replace(wish, price=2.3)).consequence
    assert found is not None
    assert found.cost is not None
    same = examined(shop.workspace, replace(wish, price=found.policy_price)).consequence
    assert same is not None
    assert same.cost is not None
    assert 0 <= same.cost < found.cost, (
        "also the price that the plan opens with costs something where it is held all day"
    )


def test_a_slip_of_the_finger_is_no_windfall_since_nothing_is_known_beyond_the_ladder(shop: Shop) -> None:
    wish = replace(OVERRIDE, valid_from=at(shop, 0), price=517.0, ignore_conflicts=True)
    found = examined(shop.workspace, wish).consequence
    assert found is not None
    assert (found.p_sale, found.units, found.revenue, found.profit, found.cost) == (None,) * 5
    assert (found.known_from, found.known_to) == (1.05, 2.4)
    assert ask(shop.workspace, wish, "anna").changes[0].terms.expected_cost is None


@pytest.mark.parametrize("kind", ["kill_switch", "freeze"])
def test_base_prices_and_the_price_that_is_shown_are_no_other_price(shop: Shop, kind: Kind) -> None:
    wish = PriceRequest(
        kind, "a slip", sku=None if kind == "kill_switch" else "MILK", price=0.01, ignore_conflicts=True
    )
    with pytest.raises(DataError, match="of an override alone"):
        ask(shop.workspace, wish, "anna")
    assert all_changes(shop.lake) == []


def test_a_price_that_was_worked_out_in_binary_is_shown_in_whole_cents(shop: Shop) -> None:
    answer = ask(shop.workspace, replace(OVERRIDE, price=1.1 * 1.1), "anna")  # 1.2100000000000002
    assert answer.changes[0].terms.new_price == 1.21
    shop.sell(1)
    assert shop.price_in(0) == 1.21


def test_what_is_wanted_from_an_earlier_moment_on_counts_from_the_next_tick(shop: Shop) -> None:
    shop.sell(8)
    change = ask(shop.workspace, replace(OVERRIDE, valid_from=at(shop, 0)), "anna").changes[0]
    assert change.span("S01") == (at(shop, 8), None)
    assert not change.is_in_force(at(shop, 7))


class TestApproval:
    def test_what_waits_at_opening_keeps_the_old_price_until_somebody_approves(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path, "{within_of_base: 0.0}")
        found = shop.publish()
        wanted = float(found.book.of().prices[shop.catalog.skus.index("MILK")][-1, -1])
        base = shop.catalog.product("MILK").base_price
        assert wanted != base
        proposed = propose(shop.workspace, found, DATE)
        assert proposed.waiting > 0
        player = shop.sell(4)
        assert {shop.price_in(tick) for tick in range(4)} == {base}
        waiting = [
            change for change in all_changes(shop.lake) if change.terms.store == "S01" and change.last == "proposed"
        ]
        decide(shop.workspace, [change.id for change in waiting], "approved", "anna")
        shop.sell(5, player)
        assert shop.price_in(4) != base

    def test_a_product_without_stock_is_proposed_no_other_price(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def without_milk(*asked: Any) -> Any:
            opened = opens_with(*asked)
            has_stock = np.array([sku != "MILK" for sku in shop.catalog.skus])
            return replace(opened, stock=opened.stock * has_stock)

        shop = Shop(tmp_path, "{within_of_base: 0.0}")
        monkeypatch.setattr("plugins.desk.price_changes.propose.opens_with", without_milk)
        propose(shop.workspace, shop.publish(), DATE)
        proposed = {change.terms.sku for change in all_changes(shop.lake)}
        assert proposed
        assert "MILK" not in proposed

    def test_no_price_leaves_what_passes_by_rule(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path, "{within_of_base: 0.05}")
        propose(shop.workspace, shop.publish(), DATE)
        shop.sell(48)
        for row in shop.rows().repricings.to_pylist():
            assert abs(row["new_price"] / shop.catalog.product(row["sku"]).base_price - 1) <= 0.05 + 1e-9

    def test_proposals_are_recorded_once_and_anew_when_the_book_wants_another_price(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path, "{within_of_base: 0.05}")
        first = propose(shop.workspace, shop.publish(), DATE)
        assert first.passed + first.waiting == 15
        assert propose(shop.workspace, shop.publish(), DATE) == first
        assert len(all_changes(shop.lake)) == 15

    def test_without_rules_nothing_is_proposed_and_nothing_is_ordered(self, shop: Shop) -> None:
        assert propose(shop.workspace, shop.publish(), DATE) == Proposed(0, 0)
        assert orders_on(shop.lake, shop.catalog, DATE).orders == ()

    def test_who_asks_may_not_approve_where_somebody_else_has_to(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path, "{by_another: true}")
        shop.publish()
        answer = ask(shop.workspace, OVERRIDE, "anna")
        assert answer.is_waiting
        with pytest.raises(Declined, match="somebody else than anna"):
            decide(shop.workspace, [answer.changes[0].id], "approved", "anna")
        player = shop.sell(1)
        assert shop.price_in(0) != 1.29
        decide(shop.workspace, [answer.changes[0].id], "approved", "ben")
        shop.sell(2, player)
        assert shop.price_in(1) == 1.29

    @pytest.mark.parametrize("name", ["Anna", " anna ", "\uff41nna"])
    def test_who_asks_does_not_approve_by_writing_the_name_otherwise(self, tmp_path: Path, name: str) -> None:
        shop = Shop(tmp_path, "{by_another: true}")
        shop.publish()
        answer = ask(shop.workspace, OVERRIDE, "anna")
        with pytest.raises(Declined, match="somebody else than"):
            decide(shop.workspace, [answer.changes[0].id], "approved", name)

    def test_of_several_decisions_all_count_or_none(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path, "{by_another: true}")
        shop.publish()
        one = ask(shop.workspace, OVERRIDE, "anna").changes[0]
        with pytest.raises(DataError, match="h99"):
            decide(shop.workspace, [one.id, "h99"], "approved", "ben")
        assert state_of(shop, one) == "proposed"


class TestAnnouncedReductions:
    def test_an_announced_reduction_names_the_lowest_price_that_the_store_showed_before(self, shop: Shop) -> None:
        player = shop.sell(20)
        lows = {p.sku: min(shop.price_in(tick, p.sku) for tick in range(20)) for p in shop.catalog.products}
        sku = next(p.sku for p in shop.catalog.products if lows[p.sku] > p.floor + 0.05)
        price = round(lows[sku] - 0.05, 2)
        answer = ask(shop.workspace, replace(OVERRIDE, sku=sku, price=price, announced=True), "anna")
        assert answer.changes[0].terms.prior_price == lows[sku]
        shop.sell(21, player)
        assert shop.price_in(20, sku) == price

    def test_an_announcement_that_is_dated_back_names_the_lowest_price_until_now(self, shop: Shop) -> None:
        opened = shop.sell(1)
        ask(shop.workspace, replace(OVERRIDE, price=1.05, valid_until=at(shop, 4)), "anna")
        shop.sell(8, opened)
        back = replace(
            OVERRIDE, price=1.00, announced=True, valid_from=at(shop, 1), ignore_conflicts=True, below_cost=True
        )
        assert ask(shop.workspace, back, "anna").changes[0].terms.prior_price == 1.05

    def test_what_is_no_reduction_is_not_announced_as_one(self, shop: Shop) -> None:
        shop.sell(20)
        with pytest.raises(Declined, match="is no reduction"):
            ask(shop.workspace, replace(OVERRIDE, price=2.50, announced=True), "anna")

    def test_what_was_never_shown_is_not_announced_as_reduced(self, shop: Shop) -> None:
        with pytest.raises(Declined, match="no price of MILK was shown before"):
            ask(shop.workspace, replace(OVERRIDE, announced=True), "anna")

    def test_an_approval_names_the_lowest_price_until_then(self, tmp_path: Path) -> None:
        shop = Shop(tmp_path, "{by_another: true}")
        shop.publish()
        player = shop.sell(1)
        less, more = (
            ask(shop.workspace, replace(OVERRIDE, price=price, announced=True), "anna").changes[0]
            for price in (1.05, 1.10)
        )
        between = ask(shop.workspace, replace(OVERRIDE, price=1.07, valid_until=at(shop, 4)), "anna").changes[0]
        decide(shop.workspace, [between.id], "approved", "ben")
        shop.sell(8, player)
        with pytest.raises(Declined, match="is no reduction"):
            decide(shop.workspace, [more.id], "approved", "ben")
        assert decide(shop.workspace, [less.id], "approved", "ben")[0].terms.prior_price == 1.07

    @pytest.mark.parametrize("is_new", [False, True])
    def test_goods_are_not_new_because_the_store_was_closed_30_days_ago(self, tmp_path: Path, is_new: bool) -> None:
        shop = Shop(tmp_path, more="price_law: {new_arrival_days: 7}\n", changed=open_in_the_morning)
        clock, start = shop.catalog.store.clock_of("S01"), dt.date(2026, 3, 2)
        friday, monday, saturday = dt.date(2026, 1, 30), dt.date(2026, 2, 2), dt.date(2026, 2, 28)
        shop.publish(friday)
        for date, price in ((monday, 1.06), (saturday, 1.40)):
            span = {"valid_from": clock.opening_of(date), "valid_until": clock.closing_of(date)}
            ask(shop.workspace, replace(OVERRIDE, price=price, **span), "anna")
        for date in (monday, saturday) if is_new else (friday, monday, saturday):
            shop.sell(SHORT_DAY, date=date).close()
        found = prior_price_of(shop.lake, shop.catalog, ("S01", "MILK"), clock.opening_of(start), 0.95, [])
        assert found.rule == ("new_arrival" if is_new else "lowest")
        assert found.price == (1.40 if is_new else 1.06)


def test_several_wishes_are_one_action_under_which_each_has_its_own_answer(shop: Shop) -> None:
    wishes = [
        OVERRIDE,
        PriceRequest("freeze", "the printer is broken", sku="EGGS"),
        replace(OVERRIDE, sku="BREAD", price=1.1),
    ]
    answers = ask_all(shop.workspace, wishes, "anna")
    ids = [[change.id for change in answer.changes] for answer in answers]
    assert ids == [["h1.1"], ["h1.2", "h1.3", "h1.4"], ["h1.5"]]
    assert {change.id: change for change in all_changes(shop.lake)} == {
        change.id: change for answer in answers for change in answer.changes
    }


def test_two_prices_of_one_product_at_one_time_are_no_action_and_of_different_hours_are(shop: Shop) -> None:
    morning = replace(OVERRIDE, valid_from=at(shop, 10), valid_until=at(shop, 20))
    with pytest.raises(Declined, match="Milk in S01: expected one override at a time, found two"):
        ask_all(shop.workspace, [morning, replace(morning, store=None, valid_from=at(shop, 19), price=1.2)], "anna")
    assert all_changes(shop.lake) == []
    ask_all(shop.workspace, [morning, replace(morning, valid_from=at(shop, 20), valid_until=at(shop, 30))], "anna")
    assert len(all_changes(shop.lake)) == 2


def test_each_change_of_one_action_is_decided_in_its_own_way_or_none_is(shop: Shop) -> None:
    first, second = (ask(shop.workspace, replace(OVERRIDE, sku=sku), "anna").changes[0] for sku in ("MILK", "EGGS"))
    with pytest.raises(Declined, match="h2: expected a change that can be rejected"):
        decide_each(shop.workspace, {first.id: "withdrawn", second.id: "rejected"}, "anna")
    assert [change.last for change in all_changes(shop.lake)] == ["approved", "approved"]
