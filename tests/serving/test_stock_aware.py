"""The value of stock: the recursion against arithmetic, and the money it earns on the twin."""

import datetime as dt
import math

import numpy as np
import pytest

from catalog.decisions.store_day import BOUGHT, tick_profile
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from etl.twin.store_day import meet
from etl.twin.visits import draw_visits
from plugins.evaluation.truth import chance_of_sale
from serving.book.make import tabulate
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import GreedyPolicy, PricingPolicy, StaticPolicy, StockAwarePolicy, policy_with_model
from serving.optimise.recursion import NO_STICKER, solve_day
from serving.store.storefront import Storefront

PRICES = np.array([1.0, 1.5, 2.0])
CHANCES = np.array([0.8, 0.5, 0.2])


def shelf_with(visits_per_day: float) -> Catalog:
    catalog = load(CLASSIC)
    store = catalog.store.model_copy(update={"visits_per_day": visits_per_day, "popularity": {}})
    return Catalog(catalog.products, store)


def true_curves(catalog: Catalog) -> DemandCurves:
    ladder = price_ladder(catalog)
    return DemandCurves(catalog.skus, ladder, chance_of_sale(catalog, ladder / catalog.base_prices[:, None]), "truth")


def true_visits(catalog: Catalog) -> np.ndarray:
    return catalog.store.visits_per_day * catalog.popularity[:, None] * tick_profile(catalog.store)


def stock_aware(catalog: Catalog) -> StockAwarePolicy:
    return StockAwarePolicy(true_curves(catalog), true_visits(catalog), 101)


def by_hand(stock: int, left: int, visits: list[float]) -> float:
    """The same recursion, written as slowly and plainly as can be."""
    if stock == 0 or left == 0:
        return 0.0
    mean_visits = visits[len(visits) - left]
    worths = []
    for price, chance in zip(PRICES, CHANCES, strict=True):
        mean, worth = mean_visits * chance, 0.0
        for demand in range(60):
            probability = math.exp(-mean) * mean**demand / math.factorial(demand)
            sold = min(demand, stock)
            worth += probability * (sold * price + by_hand(stock - sold, left - 1, visits))
        worths.append(worth)
    return max(worths)


@pytest.mark.parametrize(("stock", "left"), [(1, 1), (2, 1), (1, 2), (3, 2), (2, 3)])
def test_the_compiled_recursion_agrees_with_the_plain_one(stock: int, left: int) -> None:
    visits = [3.0, 1.0, 2.0]
    _, worth = solve_day(PRICES, np.outer(CHANCES, visits), np.zeros((1, 5)), NO_STICKER, 0.0)
    assert worth[left, 0, stock] == pytest.approx(by_hand(stock, left, visits), rel=1e-6)


def test_scarcity_raises_prices_and_plenty_lowers_them_to_what_greedy_asks() -> None:
    catalog = shelf_with(2_000)
    book = tabulate(stock_aware(catalog), catalog, dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    assert (np.diff(book.of().prices[:, 1:, :], axis=1) <= 1e-9).all()
    assert (np.diff(book.of().unit_value[:, 1:, :], axis=1) <= 1e-6).all()
    greedy = tabulate(GreedyPolicy(true_curves(catalog)), catalog, book.published_at)
    np.testing.assert_array_equal(book.of().prices[:, 100, 0], greedy.of().prices[:, 100, 0])
    assert (book.of().prices[:, 5, 47] > greedy.of().prices[:, 5, 47]).all()


def revenue(catalog: Catalog, policy: PricingPolicy) -> float:
    return takings(catalog, policy)[0]


def takings(catalog: Catalog, policy: PricingPolicy, days: int = 40) -> tuple[float, float]:
    """Revenue and margin of some days, EUR."""
    total, cost = 0.0, 0.0
    for day in range(days):
        date = dt.date(2026, 3, 2) + dt.timedelta(days=day)
        visits = draw_visits(catalog, catalog.store.stores, date, seed=11)
        played = meet(catalog, Storefront(policy), catalog.store.stores, date, visits)
        sold = played.outcome == BOUGHT
        total += float(played.price[sold].sum())
        cost += float(catalog.unit_costs[played.product[sold]].sum())
    return total, total - cost


@pytest.mark.parametrize("visits_per_product", [200, 400, 1_000])
def test_where_stock_is_scarce_it_earns_more_than_greedy_and_than_a_fixed_price(visits_per_product: int) -> None:
    catalog = shelf_with(visits_per_product * 5)
    aware = revenue(catalog, stock_aware(catalog))
    assert aware > 1.15 * revenue(catalog, GreedyPolicy(true_curves(catalog)))
    assert aware > 1.005 * revenue(catalog, StaticPolicy(catalog.base_prices))


@pytest.mark.parametrize("policy", ["greedy", "stock_aware"])
def test_margin_as_the_objective_earns_more_margin_and_less_revenue(policy: str) -> None:
    earned = {}
    for objective in ("revenue", "margin"):
        catalog = shelf_with(400)
        policies = catalog.store.policies.model_copy(update={"with_champion": policy, "objective": objective})
        shelf = Catalog(catalog.products, catalog.store.model_copy(update={"policies": policies}))
        played = policy_with_model(shelf, true_curves(shelf), true_visits(shelf))
        earned[objective] = takings(shelf, played)
    assert earned["margin"][0] < earned["revenue"][0]
    assert earned["margin"][1] > 1.02 * earned["revenue"][1]
