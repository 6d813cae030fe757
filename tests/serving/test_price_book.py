"""Policies and the price book."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.decisions.pricing import Shelf
from catalog.errors import ModelError
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.records.guardrails import Guardrails
from catalog.settings import read_settings
from plugins.evaluation.truth import chance_of_sale
from serving.book.book import BookCells, BookPolicy, PriceBook, book_from_table, book_to_table, joined
from serving.book.make import publish_book, tabulate
from serving.book.store import book_in_force
from serving.limits.limits import ShelfLimits, limits_of
from serving.optimise.curves import DemandCurves, curves_from_table, curves_to_table
from serving.optimise.policies import (
    Asked,
    GreedyPolicy,
    StaticPolicy,
    asked_without_model,
    policy_with_model,
    policy_without_model,
)
from tests.support.believing import first_belief
from warehouse.lake import Lake, Partition

CATALOG = load(CLASSIC)
LADDER = price_ladder(CATALOG)
VISITS = np.full((len(CATALOG.skus), 48), 2.0)
MIDNIGHT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
CURVES = DemandCurves(CATALOG.skus, LADDER, chance_of_sale(CATALOG, LADDER / CATALOG.base_prices[:, None]), "7")


def shelf(stock: int = 50) -> Shelf:
    shape = (1, len(CATALOG.skus))
    return Shelf(np.full(shape, stock), np.full(shape, np.nan), 48, np.full(shape, 0.999))


def book() -> PriceBook:
    return tabulate(GreedyPolicy(CURVES), CATALOG, MIDNIGHT)


def test_greedy_takes_the_candidate_with_the_highest_expected_revenue() -> None:
    prices = GreedyPolicy(CURVES).ask(shelf()).prices[0]
    revenue = CURVES.expected_revenue
    for product, price in enumerate(prices):
        assert revenue[product][LADDER[product] == price].max() == revenue[product].max()


def test_the_rule_raises_the_price_only_when_stock_is_low_and_never_above_the_ceiling() -> None:
    rule = policy_without_model(CATALOG, "rule")
    plenty, scarce = rule.ask(shelf(10)).prices, rule.ask(shelf(9)).prices
    assert (plenty == CATALOG.base_prices).all()
    assert (scarce > plenty).all()
    assert (scarce[0] <= [product.ceiling for product in CATALOG.products]).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 40), st.sampled_from([{}, {"price_ending": 9}, {"frozen": {"MEAT": 8.0}, "minimum_margin": 0.2}]))
def test_a_book_and_its_table_hold_what_the_policy_asks_under_the_limits_up_to_each_par(par: int, rails: Any) -> None:
    products = (CATALOG.products[0].model_copy(update={"par_stock": par}), *CATALOG.products[1:])
    limited = Catalog(products, CATALOG.store.model_copy(update={"guardrails": Guardrails(**rails)}))
    whole = tabulate(policy_with_model(limited, CURVES, VISITS), limited, MIDNIGHT, CURVES)
    read, policy = book_from_table(book_to_table(whole)), policy_with_model(limited, CURVES, VISITS)
    assert (read.skus, read.published_at, read.model_version) == (CATALOG.skus, MIDNIGHT, "7")
    for name in ("prices", "unconstrained", "p_sale", "p_unconstrained"):
        np.testing.assert_array_equal(getattr(read.of(), name), getattr(whole.of(), name))
    np.testing.assert_array_equal(read.of().unit_value, whole.of().unit_value.astype(np.float32))
    for name in ("rule", "policy_rule"):
        words = [np.array(book.rules)[getattr(book.of(), name)] for book in (read, whole)]
        np.testing.assert_array_equal(*words)
    for own, left, stock in ((0, 1, 1), (0, 30, par), (3, 48, 100), (3, 7, 5)):
        asked = policy.ask(replace(shelf(stock), ticks_left=left))
        wanted = ShelfLimits(limits_of(limited), replace(shelf(stock), ticks_left=left)).apply(asked.prices)[0, own]
        found = read.at(own, stock, left)
        assert (found.prices, found.unconstrained) == (wanted, asked.prices[0, own])
        chance = np.interp(wanted, CURVES.prices[own], CURVES.p_sale[own])
        assert found.p_sale == pytest.approx(chance)


def test_products_of_several_books_are_one_book_up_to_the_highest_par() -> None:
    one, other = BOOK.take(np.array([0])), BOOK.take(np.array([3]))
    low = replace(one, cells=BookCells._make(values[:, :, :9] for values in one.cells))
    both = joined([low, other])
    assert both.skus == (BOOK.skus[0], BOOK.skus[3])
    assert both.at(0, 50, 9).prices == one.at(0, 8, 9).prices
    assert both.at(1, 50, 9).prices == BOOK.at(3, 50, 9).prices


def test_curves_survive_their_table_whole_and_an_end_that_has_gaps_is_none() -> None:
    low, high = CURVES.p_sale * 0.9, np.where(LADDER[2, -1] == LADDER, np.nan, CURVES.p_sale)
    read = curves_from_table(curves_to_table(replace(CURVES, low=low, high=high)))
    for name, expected in (("prices", LADDER), ("p_sale", CURVES.p_sale), ("low", low), ("observed", LADDER > 0)):
        np.testing.assert_array_equal(getattr(read, name), expected)
    assert (read.skus, read.high, read.model_version) == (CATALOG.skus, None, "7")


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 4), st.integers(0, 300), st.integers(1, 48))
def test_every_quote_is_within_floor_and_ceiling(product: int, stock: int, left: int) -> None:
    own = CATALOG.products[product]
    assert own.floor <= BOOK.at(product, stock, left).prices <= own.ceiling


BOOK = book()


def test_an_empty_shelf_sells_nothing_and_says_so() -> None:
    found = BOOK.at(0, 0, 48)
    assert (found.p_sale, BOOK.rules[found.rule]) == (0.0, "sold_out")


class Wild(StaticPolicy):
    """A policy that fails on purpose."""

    def ask(self, shelf: Shelf) -> Asked:
        prices = np.full(shelf.stock.shape, self.base_prices[0])
        return asked_without_model(prices, np.zeros(prices.shape, dtype=np.int64))


@pytest.mark.parametrize("price", [np.nan, np.inf, -1.0, 0.0, 1e9])
def test_a_book_with_one_impossible_price_is_refused_whole(price: float) -> None:
    with pytest.raises(ModelError, match="whole price book is refused"):
        tabulate(Wild(np.full(len(CATALOG.skus), price)), CATALOG, MIDNIGHT)


def test_selling_from_the_book_is_selling_by_its_policy() -> None:
    direct, looked_up = GreedyPolicy(CURVES).ask(shelf(20)), BookPolicy(BOOK).ask(shelf(20))
    np.testing.assert_array_equal(direct.prices, looked_up.prices)
    np.testing.assert_array_equal(direct.p_sale, looked_up.p_sale)


def test_the_last_known_good_book_stands_when_a_newer_one_is_damaged(tmp_path: Path) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    assert book_in_force(lake) is None
    for day in (2, 3):
        publish_book(lake, CATALOG, CURVES, VISITS, dt.date(2026, 3, day), first_belief(CATALOG))
    newest = lake.path(Partition("booked_prices", dt.date(2026, 3, 3), "all"))
    found = book_in_force(lake)
    assert found is not None
    assert found[0].published_at.day == 3
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(bytes(data))
    found = book_in_force(lake)
    assert found is not None
    assert found[0].published_at.day == 2


def test_a_day_is_priced_by_its_own_book_and_not_by_a_later_one(tmp_path: Path) -> None:
    lake = Lake(read_settings({"SHELFPRICE_HOME": str(tmp_path)}))
    for day in (2, 5):
        publish_book(lake, CATALOG, CURVES, VISITS, dt.date(2026, 3, day), first_belief(CATALOG))
    found = book_in_force(lake, dt.date(2026, 3, 4))
    assert found is not None
    assert found[0].published_at.day == 2
    assert book_in_force(lake, dt.date(2026, 3, 1)) is None
