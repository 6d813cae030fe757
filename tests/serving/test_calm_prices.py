"""Calm prices: a change has to earn its share, a rise is small, and a price that is tried stands for hours."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pytest

from catalog.decisions.pricing import PriceDecision, Shelf, Sold
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, Catalog, load
from etl.twin.store_day import meet, play
from etl.twin.visits import draw_visits
from plugins.evaluation.truth import chance_of_sale
from serving.learning.exploration import ExplorationPlan
from serving.limits.limits import limits_of
from serving.optimise.curves import DemandCurves
from serving.optimise.policies import GreedyPolicy, StaticPolicy
from serving.store.storefront import LearningStorefront, Storefront, storefront_before_champion

PLAIN = load(CLASSIC)
DATE = dt.date(2026, 1, 19)
TICKS, HOUR, QUARTER = 48, 4, 12
LADDER = price_ladder(PLAIN)
CURVES = DemandCurves(PLAIN.skus, LADDER, chance_of_sale(PLAIN, LADDER / PLAIN.base_prices[:, None]), "7")
BEST = LADDER[np.arange(5), (LADDER * CURVES.p_sale).argmax(axis=1)]


def calm_shelf(share: float, **rails: object) -> Catalog:
    policies = PLAIN.store.policies.model_copy(update={"calm": share})
    rules = PLAIN.store.guardrails.model_copy(update=rails)
    return Catalog(PLAIN.products, PLAIN.store.model_copy(update={"policies": policies, "guardrails": rules}))


def decided(
    share: float, shown: np.ndarray, tick: int = HOUR, dice: np.ndarray | float = 0.999, budget: float | None = None
) -> PriceDecision:
    """Decide for shelves that show some prices in the tick before, one row for each store."""
    plan = None if budget is None else ExplorationPlan(0.5, LADDER, np.full(5, budget))
    front = Storefront(GreedyPolicy(CURVES), CURVES, plan, limits_of(calm_shelf(share)))
    thrown = np.broadcast_to(dice, shown.shape)
    return front.decide(Shelf(np.full(shown.shape, 9), shown, TICKS - tick, thrown, shown))


def revenue(prices: np.ndarray) -> np.ndarray:
    return prices * np.array([np.interp(*of) for of in zip(prices, LADDER, CURVES.p_sale, strict=True)])


@pytest.mark.parametrize(("away", "times"), [(1.06, 1.0), (0.94, 2.0)])
def test_a_price_changes_only_where_that_earns_its_share_and_a_rise_twice_as_much(away: float, times: float) -> None:
    shown = np.round(BEST * away, 2)
    gain = (revenue(BEST) / revenue(shown) - 1) / times
    assert gain.min() > 0
    for product in range(5):
        for share, changes in ((gain[product] * 0.99, True), (gain[product] * 1.01, False)):
            answer = decided(share, shown[None])
            assert answer.prices[0, product] == (BEST if changes else shown)[product]


def test_shortly_before_closing_a_change_has_to_earn_more() -> None:
    shown = np.round(BEST * 1.06, 2)
    share = (revenue(BEST) / revenue(shown) - 1)[0] * 0.6
    assert decided(share, shown[None], TICKS - QUARTER).prices[0, 0] == BEST[0]
    assert decided(share, shown[None], TICKS - QUARTER // 2).prices[0, 0] == shown[0]


def test_the_trail_says_that_a_price_stays_because_prices_are_calm() -> None:
    answer = decided(1.0, np.round(BEST * 1.06, 2)[None])
    rules = ("greedy", "exploration", *limits_of(calm_shelf(1.0)).rules)
    assert {rules[rule] for rule in answer.rule[0]} == {"calm"}
    assert (answer.clamp_cost > 0).all()


@pytest.mark.parametrize("low", [0.7, 0.8])
def test_a_price_rises_by_less_than_a_tenth_of_its_lowest_in_the_last_hour(low: float) -> None:
    front = Storefront(StaticPolicy(PLAIN.base_prices), limits=limits_of(calm_shelf(0.003)))
    shown, lowest = (np.round(times * PLAIN.base_prices, 2)[None] for times in (0.8, low))
    shelf = Shelf(np.full((1, 5), 9), shown, TICKS - HOUR, np.zeros((1, 5)), shown, lately=(lowest, shown, shown))
    prices = front.decide(shelf).prices
    assert (prices < 1.1 * lowest).all() or (prices == shown).all()
    assert (prices > 1.08 * shown).all() == (low == 0.8)
    assert (prices >= shown).all()


def test_openings_are_free() -> None:
    assert (decided(0.01, np.full((1, 5), np.nan), 0).prices == BEST).all()


def test_a_price_falls_by_a_tenth_at_once_and_farther_in_the_last_quarter_of_the_day() -> None:
    shown = np.round(1.4 * BEST, 2)[None]
    prices = decided(0.001, shown, TICKS - QUARTER - 1).prices
    assert (prices < shown).all()
    assert (prices > 0.9 * shown).all()
    assert (decided(0.001, shown, TICKS - QUARTER).prices == BEST).all()


@pytest.mark.parametrize("share", [0.0, 0.003])
def test_calm_prices_are_explored_near_the_usual_one_before_anything_is_known(share: float) -> None:
    dice = np.random.default_rng(2).random((2_000, 5))
    store, none = storefront_before_champion(calm_shelf(share)), np.zeros((1, 5), dtype=np.int64)
    assert isinstance(store, LearningStorefront)
    quiet = [Sold(tick, PLAIN.base_prices[None], none, none, none) for tick in range(QUARTER)]
    store = store.learned_all(quiet)  # a new store opens at the owner's prices, and tries none
    shown = np.broadcast_to(PLAIN.base_prices, dice.shape)
    answer = store.decide(Shelf(np.full(dice.shape, 90), shown, TICKS - QUARTER, dice, shown))
    usual = answer.prices[~answer.explored[:, 0], 0][0]
    away = np.abs(answer.prices[answer.explored[:, 0], 0] / usual - 1)
    assert len(away) > 20
    assert (away.max() < 0.1) == (share > 0)


def test_prices_move_freely_without_calm() -> None:
    assert (decided(0.0, np.round(0.5 * BEST, 2)[None], 7).prices == BEST).all()


@pytest.mark.parametrize("tick", [0, QUARTER, QUARTER + 1, QUARTER + HOUR, TICKS - QUARTER])
@pytest.mark.parametrize("away", [1.0, 0.93, 1.08])
def test_the_logged_chance_is_that_of_the_price_over_all_dice(tick: int, away: float) -> None:
    n_throws = 20_000
    nearest = np.abs(LADDER - (away * BEST)[:, None]).argmin(axis=1)
    shown = np.full((n_throws, 5), np.nan) if tick == 0 else np.tile(LADDER[np.arange(5), nearest], (n_throws, 1))
    throws = np.tile((np.arange(n_throws) + 0.5)[:, None] / n_throws, 5)
    answer = decided(0.003, shown, tick, throws, budget=0.02)
    for product in range(5):
        prices, first, counts = np.unique(answer.prices[:, product], return_index=True, return_counts=True)
        assert answer.propensity[first, product] == pytest.approx(counts / n_throws, abs=40 / n_throws)
        assert len(prices) > 1 or tick % QUARTER


def test_within_a_quarter_of_the_day_no_other_price_begins_to_be_tried() -> None:
    dice = np.random.default_rng(5).random((400, 5))
    shown = np.tile(BEST, (400, 1))
    assert (decided(0.003, shown, QUARTER, dice, budget=0.02).prices != shown).any()
    assert (decided(0.003, shown, QUARTER + 1, dice, budget=0.02).prices == shown).all()


def test_a_tried_price_from_which_no_single_rise_leads_back_is_tried_before_closing_alone() -> None:
    dice, shown = np.random.default_rng(5).random((4_000, 5)), np.tile(BEST, (4_000, 1))
    far = BEST / 1.1
    assert (decided(0.003, shown, QUARTER, dice, budget=0.05).prices > far).all()
    assert (decided(0.003, shown, TICKS - QUARTER, dice, budget=0.05).prices < far).any()


def test_the_dice_of_calm_prices_stand_for_a_quarter_of_the_day_and_the_same_shoppers_come() -> None:
    calm, free = (draw_visits(calm_shelf(share), ("S01",), DATE, 7) for share in (0.003, 0.0))
    assert (calm.since_opening_us == free.since_opening_us).all()
    assert all((one == other).all() for one, other in zip(calm.dice, free.dice, strict=True))
    assert PLAIN.store.trial_ticks == QUARTER
    thrown = list[np.ndarray]()

    @dataclass(frozen=True)
    class Watched(Storefront):
        def decide(self, shelf: Shelf) -> PriceDecision:
            thrown.append(shelf.dice)
            return super().decide(shelf)

    for share, stands in ((0.003, QUARTER), (0.0, PLAIN.store.exploration.hold_ticks)):
        thrown.clear()
        limits = limits_of(calm_shelf(share))
        meet(PLAIN, Watched(GreedyPolicy(CURVES), CURVES, None, limits), ("S01",), DATE, free)
        assert all((thrown[tick] == free.dice[tick - tick % stands]).all() for tick in range(TICKS))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_store_that_learns_on_its_first_day_shows_calm_prices(seed: int) -> None:
    catalog = calm_shelf(0.003)
    stores = ("S01", "S02", "S03")
    prices = play(catalog, storefront_before_champion(catalog), stores, DATE, seed).decisions.prices
    plain = calm_shelf(0.0)
    free = play(plain, storefront_before_champion(plain), stores, DATE, seed).decisions.prices
    for ticks in range(1, HOUR + 1):
        assert (prices[ticks:] < 1.1 * prices[:-ticks]).all()
    changes, of_free = ((np.diff(shown, axis=0) != 0).sum() for shown in (prices, free))
    assert changes < 0.5 * of_free
    rises = (np.diff(prices, axis=0) > 0).sum()
    assert rises < changes - rises
