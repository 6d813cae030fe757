import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.arrays import Floats
from catalog.decisions.pricing import PriceDecision, Shelf
from catalog.decisions.store_day import BOUGHT, OUT_OF_STOCK, TOO_EXPENSIVE, StoreDay
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from etl.twin.selling import Choice, sell_tick
from etl.twin.store_day import play
from serving.learning.exploration import ExplorationPlan
from serving.optimise.policies import StaticPolicy, policy_without_model
from serving.store.storefront import Storefront

NOBODY_WAITS = np.empty(0, dtype=np.int64)
NOBODY_SWITCHES = Choice.of(load(CLASSIC), np.empty(0, dtype=np.float32), None)


@st.composite
def products(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    number = draw(st.integers(1, 6))
    cents = st.lists(st.integers(10, 100_000), min_size=number, max_size=number)
    stock = st.lists(st.integers(1, 60), min_size=number, max_size=number)
    return draw(cents), draw(stock)


PERSONAS = st.lists(st.tuples(st.floats(0.2, 3), st.floats(0.05, 1)), min_size=1, max_size=3).map(tuple)


@settings(deadline=None, max_examples=40)
@given(shelf_of=products(), visits=st.floats(1, 400), personas=PERSONAS, seed=st.integers(0, 2**32))
def test_on_any_shelf_stock_falls_by_one_with_each_purchase_and_nobody_overpays(
    small_catalog: Callable[..., Catalog],
    day: dt.date,
    shelf_of: tuple[list[int], list[int]],
    visits: float,
    personas: tuple[tuple[float, float], ...],
    seed: int,
) -> None:
    catalog = small_catalog(*shelf_of, visits, personas)
    ladder = price_ladder(catalog)
    policy = Storefront(policy_without_model(catalog, "rule"), exploration=ExplorationPlan(0.4, ladder))
    played = play(catalog, policy, ("S01", "S02"), day, seed)

    for store in range(2):
        for product in range(len(catalog.products)):
            rows = (played.store == store) & (played.product == product)
            bought = (played.outcome[rows] == BOUGHT).astype(int)
            sold_before = np.cumsum(bought) - bought
            assert np.array_equal(played.inventory[rows], catalog.par_stock[product] - sold_before)
    assert (played.stock >= 0).all()
    assert (played.inventory >= 0).all()
    assert np.array_equal(played.outcome == OUT_OF_STOCK, played.inventory == 0)
    willing = catalog.base_prices[played.product] * played.multiplier
    assert (played.price[played.outcome == BOUGHT] <= willing[played.outcome == BOUGHT] * (1 + 1e-6)).all()
    refused = played.outcome == TOO_EXPENSIVE
    assert (played.price[refused] >= (willing - np.abs(willing) * 1e-6)[refused]).all()


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32), n_stores=st.integers(1, 4), n_products=st.integers(1, 5), n_visits=st.integers(0, 40)
)
def test_the_compiled_loop_does_what_a_plain_one_does(seed: int, n_stores: int, n_products: int, n_visits: int) -> None:
    dice = np.random.default_rng(seed)
    edges = np.sort(dice.integers(0, n_visits + 1, 2 * n_stores))
    first, last = edges[::2].copy(), edges[1::2].copy()
    product = dice.integers(0, n_products, n_visits).astype(np.int16)
    willing = (dice.integers(1, 9, n_visits) / 4).astype(np.float32)
    prices = dice.integers(1, 9, (n_stores, n_products)) / 4
    stock = dice.integers(0, 4, (n_stores, n_products))
    inventory, outcome = np.full(n_visits, -7, dtype=np.int32), np.full(n_visits, -7, dtype=np.int8)

    left, seen, happened = stock.tolist(), [-7] * n_visits, [-7] * n_visits
    for store in range(n_stores):
        for row in range(first[store], last[store]):
            seen[row] = left[store][product[row]]
            if seen[row] == 0:
                happened[row] = OUT_OF_STOCK
            elif willing[row] >= prices[store, product[row]]:
                happened[row] = BOUGHT
                left[store][product[row]] -= 1
            else:
                happened[row] = TOO_EXPENSIVE

    visits = (product, willing, NOBODY_WAITS)
    sell_tick(np.stack([first, last], axis=1), visits, prices, stock, inventory, outcome, NOBODY_SWITCHES)
    assert stock.tolist() == left
    assert inventory.tolist() == seen
    assert outcome.tolist() == happened


def test_each_visit_is_shown_the_price_and_the_chance_of_its_tick_store_and_product(
    shelf: Catalog, day: dt.date
) -> None:
    ladder = price_ladder(shelf)
    policy = Storefront(policy_without_model(shelf), exploration=ExplorationPlan(0.5, ladder))
    played: StoreDay = play(shelf, policy, shelf.store.stores, day, 7)
    where = (played.tick, played.store, played.product)
    assert np.array_equal(played.price, played.decisions.prices[where])
    assert np.array_equal(played.propensity, played.decisions.propensity[where])
    assert (played.inventory <= played.stock[where]).all()


class Recorded:
    """A policy whose answers are kept; all else is as it was."""

    def __init__(self, policy: Storefront) -> None:
        self._policy, self.answers = policy, list[PriceDecision]()
        self.name, self.model_version, self.rules = policy.name, policy.model_version, policy.rules

    def decide(self, shelf: Shelf) -> PriceDecision:
        self.answers.append(self._policy.decide(shelf))
        return self.answers[-1]


def test_how_a_price_came_about_is_kept_wherever_it_is_another_one_than_in_the_tick_before(
    shelf: Catalog, day: dt.date
) -> None:
    policy = Recorded(Storefront(policy_without_model(shelf), exploration=ExplorationPlan(0.5, price_ladder(shelf))))
    decisions = play(shelf, policy, ("S01", "S02"), day, 7).decisions
    answers, told = policy.answers, decisions.told
    before = np.concatenate([np.full_like(decisions.prices[:1], np.nan), decisions.prices[:-1]])
    assert told.changed.tolist() == np.flatnonzero(decisions.prices != before).tolist()
    assert decisions.prices[0].size < len(told.changed) < decisions.prices.size
    for name in ("p_sale", "unit_value", "unconstrained", "clamp_cost"):
        of_all = np.stack([getattr(answer, name) for answer in answers]).ravel()
        assert np.array_equal(getattr(told, name), of_all[told.changed], equal_nan=True), name
    for name in ("prices", "propensity", "explored", "rule"):
        assert np.array_equal(getattr(decisions, name), np.stack([getattr(answer, name) for answer in answers])), name


def test_a_price_no_one_can_pay_sells_nothing_and_a_gift_empties_the_shelf(shelf: Catalog, day: dt.date) -> None:
    def sold_at(prices: Floats) -> int:
        return int((play(shelf, Storefront(StaticPolicy(prices)), ("S01",), day, 7).outcome == BOUGHT).sum())

    visits = len(play(shelf, Storefront(StaticPolicy(shelf.base_prices)), ("S01",), day, 7).product)
    assert sold_at(shelf.base_prices * 10) == 0
    assert sold_at(shelf.base_prices / 1_000) > 0.8 * visits
    assert sold_at(shelf.base_prices) == pytest.approx(visits / 2, rel=0.2)
