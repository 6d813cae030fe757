"""The rules in sentences, with the prices that each holds, what that costs a day, and where two of them disagree."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from free_prices import freely
from price_shop import Shop
from shell import Terminal

from catalog.decisions.rules import LIMITS
from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from catalog.records.pricing import Approval, Policies
from etl.calendar import DEFAULT_START, stores_now
from plugins.desk.price_changes.consequence import outlook_of
from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.desk.records import RivalRules
from plugins.desk.rules.effects import RulesNow, rules_now
from plugins.desk.rules.sentences import rules_of
from plugins.desk.standing import standings
from serving.book.store import book_in_force
from serving.quote import PriceQuestion, QuoteDesk

SHELF = freely(load(CLASSIC))
SECTIONS: dict[str, Any] = {"guardrails": Guardrails, "rivals": RivalRules, "approval": Approval, "policies": Policies}


def with_rules(**sections: Any) -> Catalog:
    records = {name: SECTIONS[name].model_validate(given) for name, given in sections.items()}
    return Catalog(SHELF.products, SHELF.store.model_copy(update=records))


def said_of(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    return {rule.title: rule.sentences for rule in rules_of(catalog)}


def test_every_limit_belongs_to_one_rule_so_that_each_price_is_counted_once() -> None:
    named = [limit for rule in rules_of(SHELF) for limit in rule.limits]
    assert sorted(named) == sorted(LIMITS)


def test_a_rule_that_is_off_comes_with_lines_that_turn_it_on_and_no_other() -> None:
    before = said_of(SHELF)
    for rule in (rule for rule in rules_of(SHELF) if rule.example):
        after = said_of(with_rules(**yaml.safe_load(rule.example)))
        assert [title for title in after if after[title] != before[title]] == [rule.title]
        assert after[rule.title]


def ruled(**rails: Any) -> Callable[[Path], None]:
    """Return what adds guardrails to the store.yaml of a shop."""

    def add(folder: Path) -> None:
        file = folder / "store.yaml"
        given = yaml.safe_load(file.read_text(encoding="utf-8"))
        given["guardrails"] |= rails
        file.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")

    return add


def now_in(shop: Shop) -> RulesNow:
    clocks = stores_now(shop.lake, shop.catalog, shop.catalog.store.stores)
    found = book_in_force(shop.lake, DEFAULT_START)
    assert found is not None
    forecasts = dict.fromkeys({now.date for now in clocks.values()}, outlook_of(shop.lake, shop.catalog, found))
    return rules_now(shop.catalog, standings(shop.lake, shop.catalog, clocks), forecasts)


RULES: tuple[dict[str, Any], ...] = (
    {},
    {"price_ending": 9, "one_price": "zone", "frozen": {"BREAD": 1.3}},
    {
        "margins": {"dairy": 0.66},
        "own_brands": [{"sku": "MILK", "brand": "BREAD", "below": 0.0}],
        "markdown_only": "all",
    },
)


@pytest.mark.parametrize("rails", RULES)
def test_the_rules_hold_in_all_the_prices_of_which_a_quote_says_that_a_limit_binds(
    tmp_path: Path, rails: dict[str, Any]
) -> None:
    shop = Shop(tmp_path, changed=ruled(**rails))
    shop.publish(DEFAULT_START)
    now, desk = now_in(shop), QuoteDesk(shop.lake, shop.catalog)
    asked = [(store, own) for store in shop.catalog.store.stores for own in shop.catalog.products]
    rules = [desk.answer(PriceQuestion(own.sku, own.par_stock), store).binding_rule for store, own in asked]
    assert (now.held, now.n_prices) == (sum(rule in LIMITS for rule in rules), len(rules))
    assert bool(now.held) == bool(rails)
    assert all(effect.unknown == 0 for effect in now.effects)


@pytest.mark.parametrize(
    "rails", [{"margins": {"dairy": 0.5}}, {"margins": {"dairy": 0.66}}, {"frozen": {"MEAT": 6.99}}]
)
def test_what_rules_cost_is_what_the_day_would_be_expected_to_bring_more_without_them(
    tmp_path: Path, rails: dict[str, Any]
) -> None:
    """The margin of 50 % holds no price at opening, and costs something later in the day."""
    shops = Shop(tmp_path / "free"), Shop(tmp_path / "ruled", changed=ruled(**rails))
    days = [outlook_of(shop.lake, shop.catalog, shop.publish(DEFAULT_START)) for shop in shops]
    brought = [
        sum(found.by_plan(100, 0).worth for sku in day.skus if (found := day.day_of(sku, day.full_shelves[0])))
        for day in days
    ]
    now = now_in(shops[1])
    assert now.cost == pytest.approx(3 * (brought[0] - brought[1]))  # of three stores
    assert now.cost > 1
    [dear] = [effect.rule.title for effect in now.effects if effect.cost]
    assert dear == ("Fixed prices" if "frozen" in rails else "Margins")
    assert now_in(shops[0]).cost == 0


def test_where_two_rules_disagree_the_one_that_won_is_named_with_its_prices(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=ruled(**RULES[2]))
    shop.publish(DEFAULT_START)
    conflicts = {(one.won, one.overruled): one.prices for one in now_in(shop).conflicts}
    milk = conflicts["Margins", "Own brands"]
    assert {(price.sku, price.price) for price in milk} == {("MILK", 1.50)}
    assert {price.store for price in milk} == set(shop.catalog.store.stores)


def test_an_order_that_a_limit_keeps_from_standing_and_a_rule_that_an_order_overrules_are_conflicts(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, changed=ruled(own_brands=[{"sku": "MILK", "brand": "BREAD", "below": 0.0}]))
    shop.publish(DEFAULT_START)
    assert now_in(shop).conflicts == ()
    ask(shop.workspace, PriceRequest("override", "dearer", "MILK", "S01", 1.80, ignore_conflicts=True), "anna")
    [conflict] = now_in(shop).conflicts
    assert (conflict.won, conflict.overruled) == ("Orders of people", "Own brands")
    assert [(price.store, price.sku, price.price) for price in conflict.prices] == [("S01", "MILK", 1.80)]


def test_a_store_that_sells_goes_on_to_say_what_its_rules_hold(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=ruled(**RULES[2]))
    shop.publish(DEFAULT_START)
    before = now_in(shop)
    shop.sell(2, date=DEFAULT_START)
    after = now_in(shop)
    [was], [now] = before.conflicts, after.conflicts
    assert (now.won, now.overruled, len(now.prices)) == (was.won, was.overruled, len(was.prices))
    assert after.cost > 0


def test_the_command_lists_the_rules_in_words_and_as_json(
    sell_two_days: Callable[[Path], Any], terminal: Terminal
) -> None:
    terminal.home.mkdir()
    sell_two_days(terminal.home)
    told = terminal("rules")
    assert told.returncode == 0, told.stderr
    assert "No price is below unit cost." in told.stdout
    assert "Off: Rivals (rivals), Pack sizes (guardrails.families)" in told.stdout
    found = json.loads(terminal("rules", "--json").stdout)
    assert found["held"] == sum(rule["held"] or 0 for rule in found["rules"])
    assert found["prices"] == 15
