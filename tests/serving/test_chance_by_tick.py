"""Where the chance of a sale differs over the day, each tick is priced by its own; elsewhere nothing changes."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from catalog.decisions.pricing import Shelf
from catalog.decisions.store_day import tick_profile
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from plugins.evaluation.truth import chance_of_sale
from serving.book.make import tabulate
from serving.limits.limits import limits_of
from serving.optimise.curves import DemandCurves, chance_at
from serving.optimise.policies import GreedyPolicy, StockAwarePolicy
from serving.optimise.recursion import value_of_prices
from serving.store.storefront import Storefront

CATALOG = load(CLASSIC)
RATIOS = price_ladder(CATALOG) / CATALOG.base_prices[:, None]
USUAL, POOR = chance_of_sale(CATALOG, RATIOS), chance_of_sale(CATALOG, RATIOS, -0.3)
N_TICKS = CATALOG.store.opening.ticks
LEFT = range(1, N_TICKS + 1)
ALL_DAY = DemandCurves(CATALOG.skus, price_ladder(CATALOG), USUAL, "truth")
POOR_EVENING = replace(ALL_DAY, by_tick=np.stack([USUAL] * (N_TICKS - 16) + [POOR] * 16))
VISITS = CATALOG.store.visits_per_day * CATALOG.popularity[:, None] * tick_profile(CATALOG.store)
AT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)


def stock_aware(curves: DemandCurves, visits: np.ndarray = VISITS) -> StockAwarePolicy:
    return StockAwarePolicy(curves, visits, int(CATALOG.par_stock.max()) + 1)


def greedy(curves: DemandCurves) -> GreedyPolicy:
    return GreedyPolicy(curves)


def shelf(ticks_left: int, units: int = 5) -> Shelf:
    shape = (1, len(CATALOG.skus))
    return Shelf(np.full(shape, units), np.full(shape, np.nan), ticks_left, np.ones(shape))


def frozen_at_base() -> Catalog:
    frozen = {sku: float(base) for sku, base in zip(CATALOG.skus, CATALOG.base_prices, strict=True)}
    guardrails = CATALOG.store.guardrails.model_copy(update={"frozen": frozen})
    return Catalog(CATALOG.products, CATALOG.store.model_copy(update={"guardrails": guardrails}))


def test_a_poor_evening_lowers_its_own_prices_and_those_of_scarce_stock_before_it() -> None:
    usual, poor = stock_aware(ALL_DAY), stock_aware(POOR_EVENING)
    assert (poor.ask(shelf(8)).prices < usual.ask(shelf(8)).prices).all()
    assert (poor.ask(shelf(8)).p_sale != usual.ask(shelf(8)).p_sale).all()
    assert (poor.ask(shelf(20, 60)).unit_value < usual.ask(shelf(20, 60)).unit_value).all()
    assert (greedy(POOR_EVENING).ask(shelf(16)).prices < greedy(ALL_DAY).ask(shelf(16)).prices).all()
    assert np.array_equal(greedy(POOR_EVENING).ask(shelf(17)).prices, greedy(ALL_DAY).ask(shelf(17)).prices)


def test_the_recursion_earns_what_its_prices_are_worth_under_the_chance_of_each_tick() -> None:
    policy = stock_aware(POOR_EVENING)
    book, par = tabulate(policy, CATALOG, AT, POOR_EVENING), CATALOG.par_stock[0]
    ladder, prices, visits = POOR_EVENING.prices[0], book.of().prices[0], VISITS[0, ::-1]
    by_tick = [np.interp(prices[:, left - 1], ladder, POOR_EVENING.at(left).p_sale[0]) for left in LEFT]
    worth = value_of_prices(prices, np.stack(by_tick, axis=1) * visits, np.zeros(len(prices)))[par, -2]
    all_day = value_of_prices(prices, np.interp(prices, ladder, USUAL[0]) * visits, np.zeros(len(prices)))[par, -2]
    assert worth == pytest.approx(policy._solved[1][-1, 0, : par + 1].sum(), rel=1e-12)
    assert worth < 0.98 * all_day


def test_a_limited_price_has_the_chance_of_its_own_tick_in_the_store_and_in_the_book() -> None:
    catalog, base = frozen_at_base(), CATALOG.base_prices[None]
    book = tabulate(stock_aware(POOR_EVENING), catalog, AT, POOR_EVENING)
    front = Storefront(stock_aware(POOR_EVENING), POOR_EVENING, limits=limits_of(catalog))
    for left in (17, 16):
        curves = POOR_EVENING.at(left)
        expected = chance_at(curves.prices, curves.p_sale, base)[0]
        shown = front.decide(shelf(left))
        assert np.array_equal(shown.prices[0], base[0])
        assert shown.p_sale[0] == pytest.approx(expected)
        assert book.of().p_sale[:, 5, left - 1] == pytest.approx(expected)
