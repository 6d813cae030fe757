"""A quote of an outside store: what stands, what it was drawn from, and what the prices of the band would sell."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from outside_grocer import BEFORE, DRAWN, MONDAY, SLOPE, UNITS, Grocer
from shell import Terminal

from plugins.desk.price_changes.request import PriceRequest, ask
from plugins.own_store.draws.experiments import new_experiment, plan
from serving.quote import NoBookError, PriceQuestion, QuoteDesk, StoresDifferError, UnknownStoreError


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Grocer:
    """Four stores after three weeks of draws, in which P001 is of an experiment; the fourth week is drawn."""
    shop = Grocer(tmp_path_factory.mktemp("shop"), more=DRAWN.replace("all", "[P000]"), n_stores=4)
    plan(shop.workspace, new_experiment(shop.workspace, 0.08, 10, ["P001"], "why not"))
    shop.night(shop.weeks(3) - dt.timedelta(days=1))
    return shop


def test_a_quote_says_what_stands_what_it_was_drawn_from_and_what_neighbours_would_sell(shop: Grocer) -> None:
    desk, draw = QuoteDesk(shop.lake, shop.catalog), shop.draw(MONDAY + dt.timedelta(days=21))
    for place, store in enumerate(shop.catalog.store.stores):
        found = desk.answer(PriceQuestion("P000", 8), store)
        assert found.price == draw.prices[place, 0]
        origin = found.drawn  # type: ignore[attr-defined]
        assert origin["shelf_price"] == draw.shelf_prices[place, 0]
        assert origin["response_low"] < SLOPE < origin["response_high"]
        assert not origin["is_experiment"]
        prices = np.array([one["price"] for one in found.candidates])
        assert found.price in prices
        assert np.all(np.abs(prices / origin["shelf_price"] - 1) <= 0.25 + 1e-9)
        assert len(prices) > 10
        units = np.array([one["expected_units"] for one in found.candidates])
        assert np.all(np.diff(units) < 0)
        at_own = np.interp(origin["shelf_price"], prices, units)
        assert at_own == pytest.approx(7 * UNITS, rel=0.15)
        assert all(one["units_low"] <= one["expected_units"] <= one["units_high"] for one in found.candidates)
        tried = desk.answer(PriceQuestion("P001", 8), store).drawn  # type: ignore[attr-defined]
        assert tried["is_experiment"] == (tried["low_price"] is not None)
        assert desk.answer(PriceQuestion("P002", 8), store).drawn is None  # type: ignore[attr-defined]


def test_without_a_store_it_answers_where_all_have_one_price_and_else_names_them(shop: Grocer) -> None:
    desk = QuoteDesk(shop.lake, shop.catalog)
    assert desk.answer(PriceQuestion("P002", 8)).holds_in == "every store"
    with pytest.raises(StoresDifferError, match="P001 has several prices"):
        desk.answer(PriceQuestion("P001", 8))
    with pytest.raises(UnknownStoreError, match="nothing was quoted"):
        desk.answer(PriceQuestion("P000", 8), "NOPE")


def test_the_command_prints_the_same_as_the_desk_and_explains_in_words(shop: Grocer) -> None:
    terminal = Terminal(shop.settings.home, {"SHELFPRICE_CATALOG": str(shop.folder), "SHELFPRICE_NOW": BEFORE})
    asked = ("quote", "--sku", "P000", "--stock", "8", "--store", "S01")
    text = terminal(*asked, "--json").stdout
    desk = QuoteDesk(shop.lake, shop.catalog)
    assert text == desk.text(PriceQuestion("P000", 8), "S01")
    assert list(json.loads(text))[-1] == "candidates"
    told = terminal(*asked, "--explain")
    assert told.returncode == 0, told.stderr
    assert "stands at" in told.stdout
    assert "profit, EUR" in told.stdout


def test_of_what_sold_nothing_for_four_weeks_before_the_first_draw_no_units_are_expected(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    late = MONDAY + dt.timedelta(days=28)
    shop.night(late - dt.timedelta(days=1))
    shop.week(late, n_days=1)
    found = QuoteDesk(shop.lake, shop.catalog).answer(PriceQuestion("P000", 8), "S01")
    assert {price["expected_units"] for price in found.candidates} == {None}


def test_another_draw_is_another_tag_and_an_order_of_a_person_stands_above_it(tmp_path: Path) -> None:
    shop = Grocer(tmp_path)
    with pytest.raises(NoBookError):
        QuoteDesk(shop.lake, shop.catalog).answer(PriceQuestion("P000", 8), "S01")
    shop.night(MONDAY - dt.timedelta(days=1))
    one = QuoteDesk(shop.lake, shop.catalog)
    candidates = one.answer(PriceQuestion("P000", 8), "S01").candidates
    prices, units = (np.array([price[name] for price in candidates]) for name in ("price", "expected_units"))
    at_own = np.interp(shop.catalog.base_prices[0], prices, units)
    assert at_own == pytest.approx(7 * UNITS, rel=0.15), "the week at the store's own prices tells it"
    shop.week(MONDAY)
    shop.night(MONDAY + dt.timedelta(days=6))
    assert QuoteDesk(shop.lake, shop.catalog).tag != one.tag
    ask(shop.workspace, PriceRequest("override", "a sale", "P000", "S01", price=1.2), "anna")
    found = QuoteDesk(shop.lake, shop.catalog).answer(PriceQuestion("P000", 8), "S01")
    assert (found.price, found.binding_rule) == (1.2, "override")
