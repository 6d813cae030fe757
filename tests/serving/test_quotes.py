"""What `shelfprice quote` answers: the price the store would show, and why."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from free_prices import freely, freely_in
from price_shop import Shop, open_in_the_morning
from wild_prices import shelf_with

from catalog.decisions.pricing import Shelf
from catalog.decisions.store_day import tick_profile
from catalog.errors import DataError
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from catalog.settings import Settings
from etl.calendar import stores_now
from flows.cli.quote import show_explanation, show_quote
from plugins.desk.standing import standings
from plugins.evaluation.truth import chance_of_sale
from serving.book.book import PriceBook
from serving.book.make import tabulate
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import StockAwarePolicy
from serving.quote import PriceQuestion, QuotedBook, QuoteDesk
from serving.store.in_force import pricing_on
from warehouse.lake import Lake

MIDNIGHT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
SHELF = freely(load(CLASSIC))
LADDER = price_ladder(SHELF)
CURVES = DemandCurves(SHELF.skus, LADDER, chance_of_sale(SHELF, LADDER / SHELF.base_prices[:, None]), "7")


def book_of(catalog: Catalog) -> PriceBook:
    visits = 2_000 * catalog.popularity[:, None] * tick_profile(catalog.store)
    return tabulate(StockAwarePolicy(CURVES, visits, 101), catalog, MIDNIGHT, CURVES)


BOOK = book_of(SHELF)


def test_without_a_limit_in_the_way_the_answer_is_the_books_and_says_why() -> None:
    answer = QuotedBook(SHELF, BOOK, CURVES).answer(PriceQuestion("MILK", 8, 12, 1.35))
    quote = BOOK.at(0, 8, 12)
    assert (answer.price, answer.p_sale, answer.unit_value) == (quote.prices, quote.p_sale, quote.unit_value)
    assert (answer.unconstrained_price, answer.clamps, answer.clamp_cost) == (quote.prices, [], 0.0)
    assert answer.reason == (
        f"Raised Milk 1.35 -> {quote.prices:.2f}: 8 left with 3 h to go, "
        f"a unit kept is worth {quote.unit_value:.2f}, chance of sale {100 * quote.p_sale:.0f} %"
    )


def test_a_stock_above_a_full_shelf_is_priced_as_a_full_one_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    par = int(SHELF.par_stock[SHELF.skus.index("MILK")])
    above, full = (QuotedBook(SHELF, BOOK, CURVES).answer(PriceQuestion("MILK", stock)) for stock in (800_000, par))
    assert (above.price, above.stock, above.priced_as_stock) == (full.price, 800_000, par)
    assert full.priced_as_stock == par
    for show in (lambda: show_quote("Milk", above, [None] * 20), lambda: show_explanation(above)):
        show()
        assert f"800000 left, priced as {par}" in " ".join(capsys.readouterr().out.split())
    show_quote("Milk", full, [None] * 20)
    assert "priced as" not in capsys.readouterr().out


@pytest.mark.parametrize(("stock", "ticks_left"), [(-1, None), (8, 0), (8, 100_000), (8, -3)])
def test_a_stock_or_a_time_that_cannot_be_is_refused(stock: int, ticks_left: int | None) -> None:
    with pytest.raises(DataError, match=f"found {stock if stock < 0 else ticks_left}; nothing was priced"):
        QuotedBook(SHELF, BOOK, CURVES).answer(PriceQuestion("MILK", stock, ticks_left))


def test_each_limit_stands_in_the_answer_with_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    catalog = shelf_with(largest_step=0.1, largest_daily_move=0.15, price_ending=9)
    answer = QuotedBook(catalog, book_of(catalog), CURVES).answer(PriceQuestion("MILK", 8, 12, 1.45, 1.35))
    policys_own = BOOK.at(0, 8, 12)
    assert answer.unconstrained_price == policys_own.prices
    assert [clamp["rule"] for clamp in answer.clamps] == ["largest_step", "largest_daily_move", "price_ending"]
    assert [clamp["after"] for clamp in answer.clamps] == [1.59, 1.55, 1.49]
    assert answer.binding_rule == "price_ending"
    kept, chance = policys_own.unit_value, np.interp([policys_own.prices, 1.49], LADDER[0], CURVES.p_sale[0])
    cost = (policys_own.prices - kept) * chance[0] - (1.49 - kept) * chance[1]
    assert answer.clamp_cost == pytest.approx(cost)
    show_explanation(answer)
    printed = " ".join(capsys.readouterr().out.split())
    assert answer.reason in printed
    assert "Raised Milk 1.45 -> 1.49: the nearest price with the set ending, the policy asked for" in answer.reason
    for part in ("largest_step", "1.59", "largest_daily_move", "1.55", "price_ending", "EUR per visit in expectation"):
        assert part in printed


def test_a_price_frozen_after_the_book_was_made_is_the_price_at_once() -> None:
    answer = QuotedBook(shelf_with(frozen={"MILK": 1.4}), BOOK, CURVES).answer(PriceQuestion("MILK", 8, 12))
    assert (answer.price, answer.binding_rule) == (1.4, "frozen")


def test_a_limit_lifted_after_the_book_was_made_binds_no_more() -> None:
    frozen = book_of(shelf_with(frozen={"MILK": 1.4}))
    assert frozen.at(0, 8, 12).prices == 1.4
    answer = QuotedBook(SHELF, frozen, CURVES).answer(PriceQuestion("MILK", 8, 12))
    assert answer.price == BOOK.at(0, 8, 12).prices
    assert answer.p_sale == pytest.approx(BOOK.at(0, 8, 12).p_sale)
    assert answer.binding_rule == "stock_value"
    assert ": 8 left with 3 h to go, a unit kept" in answer.reason


def test_a_store_that_is_being_sold_is_quoted_from_what_it_shows(tmp_path: Path) -> None:
    shop = Shop(tmp_path, changed=open_in_the_morning)
    shop.publish()
    player = shop.sell(5)
    desk = QuoteDesk(shop.lake, shop.catalog)
    stock = standings(shop.lake, shop.catalog, stores_now(shop.lake, shop.catalog, ["S01"]))["S01"].stock
    quoted = {sku: desk.answer(PriceQuestion(sku, int(stock[place])), "S01") for place, sku in enumerate(SHELF.skus)}
    shown = {sku: shop.price_in(4, sku) for sku in SHELF.skus}
    assert all(0.9 * shown[sku] <= answer.price < 1.1 * shown[sku] for sku, answer in quoted.items())
    assert any("calm" in [clamp["rule"] for clamp in answer.clamps] for answer in quoted.values())
    shop.sell(6, player)
    usual = set(SHELF.skus) - {row["sku"] for row in shop.rows().repricings.to_pylist() if row["explored"]}
    assert len(usual) > 2
    assert {sku: quoted[sku].price for sku in usual} == {sku: shop.price_in(5, sku) for sku in usual}


def test_the_marked_price_is_the_best_of_the_column_that_the_policy_maximises(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def free_in_the_morning(folder: Path) -> None:
        open_in_the_morning(folder)
        freely_in(folder)

    shop = Shop(tmp_path, changed=free_in_the_morning)
    shop.publish()
    player = shop.sell(5)
    for stores in (("S01", "S02"), ("S01",)):  # S01 has learned from five ticks, S02 opens next
        desk = QuoteDesk(shop.lake, shop.catalog)
        for store, sku, stock in (
            (store, sku, stock) for store in stores for sku in ("MILK", "MEAT") for stock in (3, 40)
        ):
            answer = desk.answer(PriceQuestion(sku, stock), store)
            worths = desk.worths(answer, store)
            best = max(range(len(worths)), key=lambda own: worths[own] or -np.inf)
            assert answer.candidates[best]["price"] == answer.price
        shop.sell(9, player)
    show_quote("Meat", answer, worths)
    (marked,) = (line for line in capsys.readouterr().out.splitlines() if "->" in line)
    assert f"{100 * worths[best]:.4g}"[:4] in marked


def test_under_the_kill_switch_a_date_is_priced_at_base_prices_whatever_books_there_are(settings: Settings) -> None:
    policy = pricing_on(Lake(settings), shelf_with(kill_switch=True), MIDNIGHT.date(), None).policy
    shape = (2, 5)
    answer = policy.decide(Shelf(np.ones(shape, int), np.full(shape, 9.0), 5, np.zeros(shape), np.full(shape, 9.0)))
    assert (answer.prices == SHELF.base_prices).all()
    assert {policy.rules[rule] for rule in answer.rule.ravel()} == {"kill_switch"}
