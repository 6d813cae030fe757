"""No price leaves the guardrails, whatever a policy asks for, and the trail says what each limit did."""

from itertools import product

import numpy as np
import pytest
from free_prices import freely
from hypothesis import given, settings
from hypothesis import strategies as st
from wild_prices import Wild, shelf_with

from catalog.decisions.pricing import Shelf
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from plugins.evaluation.truth import chance_of_sale
from serving.learning.exploration import ExplorationPlan
from serving.limits.limits import ShelfLimits, limits_of
from serving.optimise.curves import DemandCurves, chance_at
from serving.optimise.policies import GreedyPolicy, StaticPolicy
from serving.store.storefront import Storefront

SHELF = freely(load(CLASSIC))
LADDER = price_ladder(SHELF)
CURVES = DemandCurves(SHELF.skus, LADDER, chance_of_sale(SHELF, LADDER / SHELF.base_prices[:, None]), "7")
N_PRODUCTS = len(SHELF.skus)
HOSTILE = [np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-9, 1e308, -1e308, 1.2345, 0.01]
N_STORES = 400

SETTINGS = {
    "minimum_margin": [0.0, 0.4],
    "largest_step": [None, 0.15],
    "largest_daily_move": [None, 0.3],
    "moving_share": [1.0, 0.4],
    "price_ending": [None, 9],
    "frozen": [{}, {"MILK": 1.5, "MEAT": 7.99}],
    "kill_switch": [False, True],
}
COMBINATIONS = [dict(zip(SETTINGS, values, strict=True)) for values in product(*SETTINGS.values())]


def any_prices(dice: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Prices of every kind: sensible ones of the shelf, cents around it, and hostile ones."""
    sensible = SHELF.base_prices * dice.uniform(0.5, 2.0, shape)
    kind = dice.integers(0, 4, shape)
    return np.select(
        [kind == 0, kind == 1, kind == 2],
        [np.round(sensible, 2), dice.choice(LADDER[:, 3], shape), sensible],
        dice.choice(HOSTILE, shape),
    )


def whole_cents(prices: np.ndarray) -> np.ndarray:
    return np.rint(prices * 100) / 100 == prices


def usable(prices: np.ndarray) -> np.ndarray:
    sane = np.isfinite(prices) & (prices >= 0.005)
    return np.where(sane, np.rint(np.minimum(prices, 1e6, where=sane, out=np.ones_like(prices)) * 100) / 100, np.nan)


def check(catalog: Catalog, shelf: Shelf, prices: np.ndarray) -> None:
    """Hold the prices against every limit, written anew and plainly."""
    rails = catalog.store.guardrails
    cost = np.array([own.unit_cost for own in catalog.products]) * (
        1 + np.array([max(rails.minimum_margin, rails.margins.get(own.category, 0.0)) for own in catalog.products])
    )
    floor = np.maximum([own.floor for own in catalog.products], cost) - 1e-9
    ceiling = np.array([own.ceiling for own in catalog.products])
    assert whole_cents(prices).all()
    assert (prices >= floor).all()
    assert (prices <= ceiling).all()
    if rails.kill_switch:
        assert (prices == catalog.base_prices).all()
        return
    frozen = np.isin(catalog.skus, list(rails.frozen))
    for position in np.flatnonzero(frozen):
        assert (prices[:, position] == rails.frozen[catalog.skus[position]]).all()
    shown, opened_at = usable(shelf.shown_prices), usable(shelf.opening_prices)
    within = np.isfinite(shown) & (shown >= floor) & (shown <= ceiling) & ~frozen
    if rails.price_ending is not None:
        within &= np.rint(shown * 100) % 10 == rails.price_ending
    if rails.moving_share < 1:
        moved = ((prices != shown) & within).sum(axis=1)
        assert (moved <= int(rails.moving_share * len(catalog.skus) + 1e-9)).all()
    near = within & (np.isnan(opened_at) | (np.abs(shown - opened_at) < 0.02 * opened_at))
    if rails.largest_step is not None:
        assert (np.abs(prices - shown)[near] <= rails.largest_step * shown[near] + 1e-9).all()
    if rails.largest_daily_move is not None:
        known = near & np.isfinite(opened_at)
        assert (np.abs(prices - opened_at)[known] <= rails.largest_daily_move * opened_at[known] + 1e-9).all()
    if rails.price_ending is not None:
        free = np.isnan(shown) & np.isnan(opened_at) & ~frozen
        assert (np.rint(prices * 100) % 10 == rails.price_ending)[free].all()


@pytest.mark.parametrize("rails", COMBINATIONS, ids=range(len(COMBINATIONS)))
def test_a_hundred_thousand_decisions_never_leave_the_guardrails(rails: dict[str, object]) -> None:
    """All combinations together decide 128 x 400 x 5 = 256,000 prices, half of them tried."""
    catalog = shelf_with(**rails)
    dice = np.random.default_rng(COMBINATIONS.index(rails))
    shape = (N_STORES, N_PRODUCTS)
    opened_at = any_prices(dice, shape)
    shown = np.where(dice.random(shape) < 0.5, any_prices(dice, shape), opened_at)
    shelf = Shelf(dice.integers(0, 100, shape), shown, int(dice.integers(1, 49)), dice.random(shape), opened_at)
    asked = any_prices(dice, shape)
    policy = Storefront(Wild(asked), exploration=ExplorationPlan(0.5, LADDER), limits=limits_of(catalog))
    answer = policy.decide(shelf)
    check(catalog, shelf, answer.prices)
    assert (answer.propensity > 0).all()
    assert (answer.propensity <= 1 + 1e-12).all()


@settings(deadline=None, max_examples=200)
@given(
    asked=st.floats(allow_nan=True, allow_infinity=True),
    shown=st.one_of(st.just(np.nan), st.floats(1.05, 2.40)),
    rails=st.sampled_from(COMBINATIONS),
)
def test_any_float_at_all_comes_out_as_a_price_of_the_shelf(
    asked: float, shown: float, rails: dict[str, object]
) -> None:
    catalog = shelf_with(**rails)
    shape = (1, N_PRODUCTS)
    shelf = Shelf(np.ones(shape, int), np.full(shape, shown), 5, np.zeros(shape), np.full(shape, shown))
    policy = Storefront(Wild(np.full(shape, asked)), limits=limits_of(catalog))
    check(catalog, shelf, policy.decide(shelf).prices)


@pytest.mark.parametrize("rails", COMBINATIONS, ids=range(len(COMBINATIONS)))
def test_prices_are_shown_as_often_as_their_logged_chance_says_under_every_guardrail(rails: dict[str, object]) -> None:
    catalog = shelf_with(**rails)
    budget = np.array([0.03, np.nan, 0.03, 0.01, 0.2])
    policy = Storefront(
        GreedyPolicy(CURVES), CURVES, exploration=ExplorationPlan(0.4, LADDER, budget), limits=limits_of(catalog)
    )
    n_throws, dice = 5_000, np.random.default_rng(3)
    shape = (n_throws, N_PRODUCTS)
    opened_at = np.tile([1.49, 1.09, 0.99, 6.49, 7.99], (n_throws, 1))
    shown = np.tile([1.29, 1.09, 1.09, 5.99, 7.99], (n_throws, 1))
    answer = policy.decide(Shelf(np.full(shape, 9), shown, 10, dice.random(shape), opened_at))
    for position in range(N_PRODUCTS):
        _, first, times = np.unique(answer.prices[:, position], return_index=True, return_counts=True)
        chance = answer.propensity[first, position]
        assert chance.sum() == pytest.approx(1)
        error = np.sqrt(chance * (1 - chance) / n_throws)
        assert (np.abs(times / n_throws - chance) <= 4.5 * error + 1e-12).all()


def test_the_defaults_leave_every_price_as_it_is_asked_for() -> None:
    shape = (50, N_PRODUCTS)
    asked = LADDER[np.arange(N_PRODUCTS), np.random.default_rng(1).integers(0, 20, shape)]
    shelf = Shelf(np.ones(shape, int), LADDER[:, 0] + 0 * asked, 5, np.zeros(shape), LADDER[:, 19] + 0 * asked)
    prices, clamps = ShelfLimits(limits_of(SHELF), shelf).trail(asked)
    assert prices is asked
    assert len(clamps) == 0


def test_a_price_between_two_cents_is_rounded_even_where_no_limit_binds() -> None:
    shape = (1, N_PRODUCTS)
    shelf = Shelf(np.ones(shape, int), np.full(shape, np.nan), 5, np.zeros(shape))
    prices = ShelfLimits(limits_of(SHELF), shelf).apply(np.array([[1.5049, 1.1, 1.0, 6.5, 7.67]]))
    assert prices.tolist() == [[1.5, 1.1, 1.0, 6.5, 7.67]]


TRAILS = {
    "step": ({"largest_step": 0.1}, 1.35, 1.62, [("largest_step", 1.62, 1.48)]),
    "step down": ({"largest_step": 0.1}, 1.35, 1.05, [("largest_step", 1.05, 1.22)]),
    "daily": ({"largest_daily_move": 0.1}, 1.60, 2.00, [("largest_daily_move", 2.00, 1.65)]),
    "ending": ({"price_ending": 9}, np.nan, 1.62, [("price_ending", 1.62, 1.59)]),
    "ending, the lower of two": ({"price_ending": 9}, np.nan, 1.54, [("price_ending", 1.54, 1.49)]),
    "ending gives way to the step": (
        {"price_ending": 9, "largest_step": 0.1},
        *(1.65, 1.05, [("largest_step", 1.05, 1.49)]),
    ),
    "ceiling with the ending": (
        {"price_ending": 9},
        *(np.nan, 3.0, [("price_ending", 3.0, 2.99), ("ceiling", 2.99, 2.39)]),
    ),
    "margin above the floor": (
        {"minimum_margin": 0.3},
        *(np.nan, 0.5, [("floor", 0.5, 1.05), ("minimum_margin", 1.05, 1.17)]),
    ),
    "frozen": ({"frozen": {"MILK": 1.45}}, 1.35, 1.62, [("frozen", 1.62, 1.45)]),
    "killed": ({"kill_switch": True}, 1.35, 1.62, [("kill_switch", 1.62, 1.50)]),
    "no price, one shown": ({}, 1.35, np.nan, [("impossible_price", np.nan, 1.35)]),
    "no price, none shown": ({}, np.nan, -3.0, [("impossible_price", -3.0, 1.50)]),
}


@pytest.mark.parametrize("case", TRAILS)
def test_the_trail_names_each_limit_with_the_price_before_and_after(case: str) -> None:
    rails, shown, asked, expected = TRAILS[case]
    shape = (1, N_PRODUCTS)
    quiet = np.tile(SHELF.base_prices, (1, 1))
    ask, see = quiet.copy(), np.full(shape, np.nan)
    ask[0, 0], see[0, 0] = asked, shown
    shelf = Shelf(np.ones(shape, int), see, 5, np.zeros(shape), np.where(np.isnan(see), np.nan, SHELF.base_prices))
    limits = limits_of(shelf_with(**rails))
    prices, clamps = ShelfLimits(limits, shelf).trail(ask)
    own = clamps[clamps["decision"] == 0]
    found = [(limits.rules[one["rule"]], one["before"], one["after"]) for one in own]
    np.testing.assert_equal(found, expected)
    assert prices[0, 0] == expected[-1][2]


def test_those_that_gain_most_may_move_and_the_others_keep_their_price() -> None:
    catalog = shelf_with(moving_share=0.4)
    greedy = GreedyPolicy(CURVES)
    wanted = greedy.ask(Shelf(np.ones((1, 5), int), np.zeros((1, 5)), 5, np.zeros((1, 5)))).prices[0]
    shown = np.array([[1.05, wanted[1], 0.97, 4.55, 12.27]])
    policy = Storefront(greedy, CURVES, limits=limits_of(catalog))
    answer = policy.decide(Shelf(np.full((1, 5), 9), shown, 5, np.zeros((1, 5)), shown))
    gain = wanted * chance_at(LADDER, CURVES.p_sale, wanted) - shown[0] * chance_at(LADDER, CURVES.p_sale, shown)[0]
    best = set(np.argsort(-gain)[:2].tolist())
    assert set(np.flatnonzero(answer.prices[0] != shown[0]).tolist()) == best
    assert [policy.rules[rule] for rule in answer.rule[0]].count("moving_share") == 2


def test_products_that_gain_equally_take_turns_at_moving() -> None:
    one_moves = limits_of(shelf_with(moving_share=0.2))
    policy = Storefront(StaticPolicy(SHELF.base_prices), exploration=ExplorationPlan(1.0, LADDER), limits=one_moves)
    shown = np.tile(SHELF.base_prices, (1, 1))
    moved = [
        np.flatnonzero(policy.decide(Shelf(np.ones((1, 5), int), shown, left, np.full((1, 5), 0.9), shown)).explored[0])
        for left in range(1, 6)
    ]
    assert sorted(int(own[0]) for own in moved) == [0, 1, 2, 3, 4]


def moved_first(wanted: list[float], shown: list[float], gain: list[float], **rails: object) -> list[bool]:
    one_row = [np.array([row]) for row in (wanted, shown, gain)]
    shelf = Shelf(np.ones((1, 5), int), one_row[1], 5, np.zeros((1, 5)), one_row[1])
    moving = ShelfLimits(limits_of(shelf_with(**rails)), shelf).moving(one_row[0], one_row[2])
    assert moving.may_move is not None
    return list(moving.may_move[0])


def test_who_wants_to_move_goes_before_who_does_not_even_at_a_loss() -> None:
    shown = [1.5, 1.1, 1.0, 6.5, 7.67]
    wanted = [1.5, 1.1, 1.0, 6.5, 7.99]
    assert moved_first(wanted, shown, [0, 0, 0, 0, -0.1], moving_share=0.2) == [False, False, False, False, True]


def test_openings_and_frozen_products_take_no_place_among_the_which_may_move() -> None:
    shown = [1.4, np.nan, 1.0, 6.5, 7.67]
    wanted = [1.5, 1.1, 1.0, 6.5, 7.67]
    may_move = moved_first(wanted, shown, [9, 9, 0, 0, 0], moving_share=0.2, frozen={"MILK": 1.5})
    assert may_move[:2] == [True, True]
    assert sum(may_move[2:]) == 1


def test_what_a_limit_costs_is_what_the_asked_price_would_have_earned_more() -> None:
    catalog = shelf_with(frozen={"MILK": 2.0})
    greedy = GreedyPolicy(CURVES)
    policy = Storefront(greedy, CURVES, limits=limits_of(catalog))
    shape = (1, N_PRODUCTS)
    answer = policy.decide(Shelf(np.full(shape, 9), np.full(shape, np.nan), 5, np.zeros(shape)))
    own = CURVES.expected_revenue[0]
    shown = 2.0 * np.interp(2.0, LADDER[0], CURVES.p_sale[0])
    assert answer.clamp_cost[0, 0] == pytest.approx(own.max() - shown)
    assert answer.p_sale[0, 0] == pytest.approx(shown / 2.0)
    assert (answer.clamp_cost[0, 1:] == 0).all()
