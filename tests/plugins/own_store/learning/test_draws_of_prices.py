"""The draw: exact chances, a log that it can be repeated from, and prices that fade to the best."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.own_store.learning.draws_of_prices import drawn_prices
from plugins.own_store.learning.price_room import PriceRoom
from plugins.own_store.learning.slope_draws import SlopeDraws
from plugins.own_store.learning.stocking_up import NOBODY, StockingUp


def room_of(n_products: int = 5, n_stores: int = 3, seed: int = 1) -> PriceRoom:
    dice = np.random.default_rng(seed)
    owner = np.round(dice.uniform(1, 5, n_products), 2)[:, None] * np.ones((1, n_stores))
    ladder = np.round(owner[:, :1] * np.linspace(0.75, 1.25, 26), 2)
    before = np.round(owner * dice.uniform(0.9, 1.15, owner.shape), 2)
    return PriceRoom(ladder, owner, before, owner[:, 0] * dice.uniform(0.5, 0.75, n_products))


def rule_of(n_products: int = 5, spread: float = 0.6, seed: int = 1) -> SlopeDraws:
    dice = np.random.default_rng(seed)
    return SlopeDraws(dice.normal(-2.2, 0.8, n_products), np.full(n_products, spread))


def best_under(room: PriceRoom, slopes: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Return the best prices by trying them all, shape (n_products, n_stores)."""
    prices = np.where(room.is_free, room.prices, np.nan)
    ratio = prices / room.owner[:, :, None]
    gains = (prices - costs[:, None, None]) * ratio ** slopes[:, :, None]
    return np.take_along_axis(prices, np.nanargmax(gains, axis=2)[:, :, None], axis=2)[:, :, 0]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.floats(0.01, 2.0), is_profit=st.booleans())
def test_the_chance_of_a_price_is_how_often_it_is_best_under_a_drawn_slope(
    seed: int, spread: float, is_profit: bool
) -> None:
    room, dice = room_of(2, 1, seed), np.random.default_rng(seed)
    rule = replace(rule_of(2, spread, seed), objective="profit" if is_profit else "revenue")
    chances = rule.chances(room)
    assert chances.sum(axis=2) == pytest.approx(np.ones((2, 1)))
    assert (chances[~room.is_free] == 0).all()
    drawn = rule.slopes[:, None] + spread * dice.standard_normal((2, 4000))
    costs = room.costs if is_profit else np.zeros(2)
    for product in range(2):
        own = PriceRoom(*(part[product : product + 1] for part in (room.ladder, room.owner, room.before, room.costs)))
        at = np.where(own.is_free, own.log_ratios, 0.0)[0, 0]
        gain = np.log(np.where(own.is_free, np.maximum(own.prices - costs[product], 1e-12), 1.0))[0, 0]
        value = gain + drawn[product][:, None] * at
        best = np.where(own.is_free[0, 0], value, -np.inf).argmax(axis=1)
        share = np.bincount(best, minlength=own.is_free.shape[2]) / 4000
        assert share == pytest.approx(chances[product, 0], abs=0.05)


def test_the_logged_propensity_is_how_often_the_price_is_shown() -> None:
    room, rule = room_of(3, 2), rule_of(3)
    shown = [drawn_prices(room, rule, 7, week, held_share=0.2) for week in range(800)]
    for product, store in np.ndindex(3, 2):
        prices = np.array([one.prices[product, store] for one in shown])
        logged = np.array([one.propensity[product, store] for one in shown])
        for price in np.unique(prices):
            is_price = prices == price
            assert logged[is_price].std() < 1e-12
            assert is_price.mean() == pytest.approx(logged[is_price][0], abs=0.07)


def test_a_draw_can_be_repeated_from_its_log_and_another_week_is_another_draw() -> None:
    room, rule = room_of(), rule_of()
    one = drawn_prices(room, rule, 7, 30)
    again = drawn_prices(room, rule, one.seed, one.week, one.stores)
    assert (one.prices == again.prices).all()
    assert (one.propensity == again.propensity).all()
    assert (drawn_prices(room, rule, 7, 31).prices != one.prices).any()
    assert (drawn_prices(room, rule, 8, 30).prices != one.prices).any()


def test_a_store_s_draw_does_not_depend_on_which_other_stores_there_are() -> None:
    room, rule = room_of(5, 3), rule_of()
    alone = PriceRoom(room.ladder, room.owner[:, 2:], room.before[:, 2:], room.costs)
    together = drawn_prices(room, rule, 7, 30, np.array([4, 9, 11]))
    assert (drawn_prices(alone, rule, 7, 30, np.array([11])).prices == together.prices[:, 2:]).all()


def test_a_held_product_shows_the_owner_s_price_for_a_week_and_the_next_draw_starts_where_the_draw_was() -> None:
    room, rule = room_of(4, 60), rule_of(4, 0.0)
    edges = np.where(np.arange(60) % 2, 1.25, 0.75) * room.owner
    room = replace(room, before=edges, costs=0 * room.costs)
    free = drawn_prices(room, rule, 7, 30, held_share=0.0)
    held = drawn_prices(room, rule, 7, 30, held_share=0.3)
    assert 0.2 < held.is_held.mean() < 0.4
    assert (held.is_held.any(axis=0) & ~held.is_held.all(axis=0)).mean() > 0.5, "a store holds some of its products"
    assert (held.prices[held.is_held] == room.owner[held.is_held]).all()
    assert (held.prices[~held.is_held] == free.prices[~held.is_held]).all()
    assert (held.asked == free.prices).all()
    assert (np.abs(held.asked / edges - 1) <= 0.1 + 1e-9).all()
    assert (held.propensity[held.is_held] >= 0.3).all()
    assert not free.is_held.any()
    assert (drawn_prices(room, rule, 7, 31, held_share=0.3).is_held != held.is_held).any()


def test_products_of_a_family_are_held_together() -> None:
    room, rule = room_of(4, 40), replace(rule_of(4), families=np.array([0, 0, 2, 3]))
    is_held = drawn_prices(room, rule, 7, 30, held_share=0.5).is_held
    assert (is_held[0] == is_held[1]).all()
    assert (is_held[1] != is_held[2]).any()


def test_where_no_allowed_ending_leads_home_the_ending_gives_way_and_the_step_does_not() -> None:
    far = PriceRoom(np.array([[0.99, 1.99]]), np.array([[1.49]]), np.array([[1.99]]), np.array([0.5]))
    assert far.homeward[0, 0] == pytest.approx(1.80)
    near = replace(far, ladder=np.array([[0.99, 1.89, 1.99]]))
    assert near.homeward[0, 0] == 1.89


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.floats(0.0, 3.0))
def test_shown_prices_are_allowed_and_never_below_cost(seed: int, spread: float) -> None:
    room = room_of(6, 2, seed)
    drawn = drawn_prices(room, rule_of(6, spread, seed), seed, 1, held_share=0.0)
    is_shown = np.abs(room.prices - drawn.prices[:, :, None]) < 1e-9
    assert (is_shown & room.is_free).any(axis=2).all()
    assert (drawn.prices >= room.costs[:, None]).all()
    assert ((drawn.propensity > 0) & (drawn.propensity <= 1 + 1e-12)).all()


def test_a_slope_that_is_known_gets_the_best_price_for_sure() -> None:
    room, rule = room_of(), rule_of(spread=0.0)
    drawn = drawn_prices(room, rule, 7, 30, held_share=0.0)
    slopes = np.repeat(rule.slopes[:, None], 3, axis=1)
    assert (drawn.prices == best_under(room, slopes, room.costs)).all()
    assert drawn.propensity == pytest.approx(np.ones((5, 3)))


def test_draws_spread_less_the_more_is_known_and_the_less_a_week_teaches() -> None:
    @dataclass(frozen=True)
    class Believed:
        slopes: np.ndarray
        slopes_deviation: np.ndarray
        information: np.ndarray
        stocking_up: StockingUp = NOBODY

    known, week = np.array([1.0, 0.5, 0.2, 0.1]), np.full(4, 30.0)
    spreads = [SlopeDraws.of(Believed(np.full(4, -2.0), known, times * week)).spreads for times in (1.0, 10.0)]  # type: ignore[arg-type]
    assert (np.diff(spreads[0] / known) <= 0).all()
    assert (spreads[1] >= spreads[0]).all()
    assert (spreads[1] > spreads[0])[:2].all()
    unsold = SlopeDraws.of(Believed(np.full(4, -2.0), known, 0 * week))  # type: ignore[arg-type]
    assert (unsold.spreads == known).all(), "of what never sold, nobody knows that a week teaches little"
