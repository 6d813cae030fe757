"""What prices brought is told from held product weeks, and as sure as their number allows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.own_store.learning.earned_profit import FEWEST_HELD, ProductWeeks, earned_profit

PRODUCTS = 20


def quarter(n_stores: int, seed: int, effect: float = 0.0, held_share: float = 0.1, weeks: int = 13) -> ProductWeeks:
    """Return a quarter of a chain; drawn product weeks bring a share more, and forecasts know a cell by a tenth."""
    dice = np.random.default_rng((seed, 11))
    shape = (n_stores, PRODUCTS, weeks)
    is_held = dice.random(shape) < held_share
    mean = 70 * np.exp(dice.normal(0, 0.4, (n_stores, 1, 1)) + dice.normal(0, 0.4, (1, PRODUCTS, 1)))
    units = dice.negative_binomial(56, 56 / (56 + np.broadcast_to(mean, shape))).astype(float)
    margin = dice.uniform(0.3, 2.0, (1, PRODUCTS, 1))
    forecast = mean * margin * np.exp(dice.normal(0, 0.1, (n_stores, PRODUCTS, 1))) * np.ones(shape)
    away = np.where(is_held, 1.0, 1 + effect)
    parts = (margin * units * away, forecast, forecast * away, 3 * forecast, is_held, np.full(shape, held_share))
    return ProductWeeks(np.arange(is_held.size), *(part.ravel() for part in parts))


def test_a_tenth_more_is_found_in_share_and_euros() -> None:
    rows = quarter(10, 1, effect=0.1)
    earned = earned_profit(rows)
    assert 0 < earned.share_low < 0.1 < earned.share_high
    assert earned.p_value < 0.05
    drawn = rows.brought[~rows.is_held].sum()
    assert earned.euros == pytest.approx(drawn * earned.share / (1 + earned.share))
    assert earned.euros_low < earned.euros < earned.euros_high
    assert earned.n_held + earned.n_treated == 10 * PRODUCTS * 13
    assert (earned.share_high - earned.share_low) / 2 < 0.04


def test_fewer_than_four_held_weeks_leave_the_interval_open() -> None:
    rows = quarter(1, 3)
    held = np.arange(len(rows.units)) < FEWEST_HELD - 1
    earned = earned_profit(replace(rows, is_held=held))
    assert np.isfinite(earned.share)
    assert (earned.share_low, earned.share_high, earned.p_value) == (-np.inf, np.inf, 1.0)
    closed = earned_profit(replace(rows, is_held=np.arange(len(rows.units)) < FEWEST_HELD))
    assert np.isfinite([closed.share_low, closed.share_high]).all()


def test_without_a_held_week_nothing_is_told() -> None:
    rows = quarter(2, 3)
    earned = earned_profit(replace(rows, is_held=np.zeros(len(rows.units), dtype=bool)))
    assert np.isnan(earned.share)
    assert (earned.euros_low, earned.euros_high, earned.p_value) == (-np.inf, np.inf, 1.0)
    assert earned.n_treated == len(rows.units)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.floats(0.01, 1000))
def test_the_same_weeks_bring_the_same_whatever_the_size_of_the_money_and_the_order(seed: int, size: float) -> None:
    rows = quarter(2, seed, effect=0.05)
    one = earned_profit(rows)
    money = {name: size * getattr(rows, name) for name in ("brought", "forecast", "forecast_shown", "size")}
    other = earned_profit(replace(rows, **money))
    assert other.share == pytest.approx(one.share)
    assert other.euros_low == pytest.approx(size * one.euros_low)
    order = np.random.default_rng(seed).permutation(len(rows.units))
    shuffled = earned_profit(ProductWeeks(*(part[order] for part in vars(rows).values())))
    assert shuffled.share_high == pytest.approx(one.share_high)


def test_products_of_a_family_are_one_week_that_is_held_or_not() -> None:
    rows = quarter(4, 5, effect=0.1)
    pairs = replace(rows, units=rows.units // 2, is_held=np.repeat(rows.is_held[::2], 2))
    earned = earned_profit(pairs)
    assert earned.n_held + earned.n_treated == len(rows.units) // 2
    assert earned.share_low < earned.share < earned.share_high


def test_a_forecast_that_is_wrong_for_all_alike_changes_nothing_and_a_good_one_makes_it_sharper() -> None:
    rows = quarter(5, 2, effect=0.08)
    one = earned_profit(rows)
    half = {name: 0.5 * getattr(rows, name) for name in ("forecast", "forecast_shown")}
    assert earned_profit(replace(rows, **half)).share == pytest.approx(one.share, abs=0.02)
    none = earned_profit(replace(rows, forecast=0 * rows.forecast, forecast_shown=0 * rows.forecast))
    assert none.share == pytest.approx(one.share, abs=0.03)


@pytest.mark.parametrize("n_stores", [1, 5])
def test_quarters_without_an_effect_claim_one_as_often_as_they_may_and_those_with_one_hold_it(n_stores: int) -> None:
    nothing = [earned_profit(quarter(n_stores, seed)) for seed in range(400)]
    assert np.mean([own.share_low > 0 or own.share_high < 0 for own in nothing]) <= 0.08
    more = [earned_profit(quarter(n_stores, seed, 0.1)) for seed in range(400)]
    assert np.mean([own.share_low <= 0.1 <= own.share_high for own in more]) >= 0.92
    assert abs(np.mean([own.share for own in more]) - 0.1) < 0.01
