"""What was predicted of a price is kept with it, and stands beside what came of it."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from outside_grocer import SLOPE, UNITS, Grocer
from price_shop import DATE, SHORT_DAY, Shop, open_in_the_morning

from features.cells import ALL_VIEWS
from plugins.desk.price_changes.decision import decide
from plugins.desk.price_changes.propose import propose
from plugins.desk.price_changes.record import all_changes
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.own_store.draws.experiments import new_experiment, plan
from warehouse.lake import Partition
from warehouse.query.connection import build_file, read_only

OVERRIDE = PriceRequest("override", "a competitor is cheaper", sku="MILK", store="S01", price=1.29)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, "{within_of_base: 0.0}", changed=open_in_the_morning)


def effects(shop: Shop) -> dict[str, dict[str, Any]]:
    build_file(shop.settings, ALL_VIEWS)
    with read_only(shop.settings) as warehouse:
        return {row["change"]: row for row in warehouse.sql("from price_effects").to_arrow_table().to_pylist()}


def test_an_override_tells_what_the_visits_of_its_ticks_brought_beside_what_was_predicted(shop: Shop) -> None:
    shop.publish()
    player = shop.sell(4)
    answer = ask(shop.workspace, OVERRIDE, "anna")
    shop.sell(6, player)
    switch = ask(shop.workspace, PriceRequest("kill_switch", "prices look wrong", store="S01"), "ben")
    shop.sell(7, player)
    decide(shop.workspace, [switch.changes[0].id], "withdrawn", "ben")
    shop.sell(8, player)
    decide(shop.workspace, [answer.changes[0].id], "withdrawn", "anna")
    shop.sell(10, player)
    again = ask(shop.workspace, OVERRIDE, "anna").changes[0]
    shop.sell(SHORT_DAY, player)
    player.close()
    rows = shop.lake.read(Partition("interactions", DATE, "live-S01")).to_pylist()
    milk = [row for row in rows if row["sku"] == "MILK" and row["inventory_level"] > 0]
    met = [row for row in milk if row["tick"] in {4, 5, 7}]
    bought = sum(row["purchased"] for row in met)
    found, told = effects(shop), answer.consequence
    effect = found[answer.changes[0].id]
    assert found[again.id]["count_visits"] == sum(row["tick"] >= 10 for row in milk)
    assert told is not None
    assert told.p_sale is not None
    assert told.cost is not None
    assert (effect["count_visits"], effect["count_units"], effect["count_store_days"]) == (len(met), bought, 1)
    assert effect["profit_eur"] == pytest.approx(bought * (1.29 - shop.catalog.product("MILK").unit_cost))
    assert effect["expected_units_a_store_day"] == pytest.approx(told.units)
    assert effect["expected_gain_a_store_day_eur"] == pytest.approx(-told.cost)
    assert effect["expected_units"] == pytest.approx(len(met) * told.p_sale)
    assert effect["otherwise_price_eur"] == told.policy_price
    assert 0 < effect["standard_error_eur"] < effect["revenue_eur"]


def test_an_approval_is_held_against_the_old_price_and_what_waits_has_no_effect(shop: Shop) -> None:
    player = shop.sell(SHORT_DAY)
    player.close()
    following = DATE.replace(day=DATE.day + 1)
    propose(shop.workspace, shop.publish(following), following)
    waiting = [own for own in all_changes(shop.lake) if own.terms.store == "S01" and own.last == "proposed"]
    first, *_others = [own for own in waiting if own.terms.old_price not in {None, own.terms.new_price}]
    decide(shop.workspace, [first.id], "approved", "ben")
    shop.sell(4, shop.player(following), following)
    [effect] = effects(shop).values()
    terms = first.terms
    assert (effect["change"], effect["approved_by"], effect["state"]) == (first.id, "ben", "in_force")
    assert effect["otherwise_price_eur"] == terms.old_price
    assert effect["count_visits"] > 0
    assert terms.expected_gain is not None
    assert effect["expected_gain_a_store_day_eur"] == pytest.approx(terms.expected_gain)


def test_each_side_of_an_experiment_tells_what_it_sold_beside_what_was_predicted(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    first = shop.weeks(1)
    planned = new_experiment(shop.workspace, 0.1, 3, ["P001"], "to know")
    plan(shop.workspace, planned)
    for week in range(3):
        shop.night(first + dt.timedelta(days=7 * week - 1))
        shop.week(first + dt.timedelta(days=7 * week))
    found = effects(shop)
    low, high = (found[f"experiment 1 P001 {side}"] for side in ("low", "high"))
    assert set(found) == {low["change"], high["change"]}
    draws = [row for part in shop.lake.partitions("price_draws") for row in shop.lake.read(part).to_pylist()]
    tossed = [row for row in draws if row["low_price"] and not row["is_held"] and not row["is_on_the_way"]]
    assert low["count_store_days"] + high["count_store_days"] == 7 * len(tossed)
    assert low["price_eur"] < low["otherwise_price_eur"] < high["price_eur"]
    for side in (low, high):
        ratio = side["price_eur"] / side["otherwise_price_eur"]
        true_units = side["count_store_days"] * UNITS * ratio**SLOPE
        assert side["count_units"] == pytest.approx(true_units, rel=0.1)
        assert abs(side["profit_eur"] - side["expected_profit_eur"]) < 6 * side["standard_error_eur"]
        cost = side["count_units"] * shop.catalog.product("P001").unit_cost
        assert side["profit_eur"] == pytest.approx(side["revenue_eur"] - cost)
        assert side["gained_eur"] == pytest.approx(side["profit_eur"] - side["otherwise_profit_eur"])
    assert (low["kind"], low["state"], low["asked_by"]) == ("experiment", "expired", planned.asked_by)
