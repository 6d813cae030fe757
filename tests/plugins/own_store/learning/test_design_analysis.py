"""What a coin tells: its intervals hold, and it tells nothing where there is nothing."""

from collections.abc import Callable

import numpy as np
import pytest

from plugins.own_store.learning.design_analysis import CoinRows, coin_slopes

DAYS = 84


def coin_rows(
    slope: float,
    seed: int,
    choose: Callable[[np.random.Generator, np.ndarray, int], bool] | None = None,
    chance: float = 0.5,
    step: float = 0.07,
    shape: float = 56.0,
    days: int = DAYS,
) -> CoinRows:
    """Return twelve weeks of one store under a coin; `choose` takes dice, units so far and the day, and cheats."""
    dice = np.random.default_rng((seed, 3))
    weekdays, low, high = np.arange(days) % 7, np.log1p(-step), np.log1p(step)
    usual = (
        20
        * np.exp(dice.normal(0, 0.2, 7))[weekdays]
        * np.exp(dice.normal(0, 0.08, days // 7 + 1))[np.arange(days) // 7]
    )
    is_high, units = np.zeros(days, dtype=bool), np.zeros(days)
    for day in range(days):
        is_high[day] = dice.random() < chance if choose is None else choose(dice, units[:day], day)
        mean = usual[day] * np.exp(slope * (high if is_high[day] else low))
        units[day] = dice.negative_binomial(shape, shape / (shape + mean))
    every = np.arange(days)
    return CoinRows(
        units,
        np.full(days, low),
        np.full(days, high),
        is_high,
        np.full(days, chance),
        every,
        0 * every,
        every,
        weekdays,
    )


def test_a_steep_slope_is_told_and_lies_in_its_interval() -> None:
    (found,) = coin_slopes([coin_rows(-2.0, 1)])
    assert found.is_told
    assert found.low < -2.0 < found.high < 0
    assert found.low < found.slope < found.high
    assert found.n_blocks == DAYS


def test_the_p_value_of_no_response_is_uniform_where_there_is_none() -> None:
    p_values = np.sort([coin_slopes([coin_rows(0.0, seed, days=28)], seed)[0].p_value for seed in range(40)])
    assert np.abs(p_values - (np.arange(40) + 0.5) / 40).max() < 0.22


def test_two_coins_of_many_are_corrected_in_holm_s_order() -> None:
    found = coin_slopes([coin_rows(slope, 3) for slope in (0.0, -2.5, -1.5)])
    p_values = np.array([own.p_value for own in found])
    expected = np.maximum.accumulate(np.sort(p_values) * [3, 2, 1])
    assert np.sort([own.adjusted for own in found]) == pytest.approx(np.minimum(expected, 1.0))


def test_a_dearer_product_that_sells_more_is_not_a_told_response() -> None:
    (found,) = coin_slopes([coin_rows(2.5, 1)])
    assert found.adjusted < 0.05
    assert not found.is_told


def test_a_coin_that_knew_of_busy_days_is_weighed_by_its_chance_on_them() -> None:
    found = []
    for seed in range(8):
        dice, rows = np.random.default_rng(seed), coin_rows(0.0, seed)
        is_busy = dice.random(DAYS) < 0.5
        chance = np.where(is_busy, 0.8, 0.2)
        is_high = dice.random(DAYS) < chance
        units = dice.poisson(np.where(is_busy, 40, 20) * np.exp(-2.0 * np.where(is_high, rows.high, rows.low)))
        parts = {"units": units.astype(float), "propensity": chance, "is_high": is_high}
        found.append(coin_slopes([CoinRows(**{**vars(rows), **parts})], seed)[0])
    assert np.mean([own.slope for own in found]) == pytest.approx(-2.0, abs=1.2)  # 6 apart if it counted as fair
    assert sum(own.low < -2.0 < own.high for own in found) >= 7


def test_rows_of_one_throw_count_as_one() -> None:
    rows = coin_rows(0.0, 5)
    weekly = np.repeat(rows.is_high[::7], 7)
    parts = {**vars(rows), "is_high": weekly, "blocks": np.arange(DAYS) // 7}
    (found,) = coin_slopes([CoinRows(**parts)])
    assert found.n_blocks == 12
    assert found.high - found.low > coin_slopes([rows])[0].high - coin_slopes([rows])[0].low


def test_nothing_sold_or_one_price_tells_nothing() -> None:
    rows = coin_rows(-2.0, 1)
    unsold = CoinRows(**{**vars(rows), "units": np.zeros(DAYS)})
    sure = CoinRows(**{**vars(rows), "propensity": np.ones(DAYS), "is_high": np.ones(DAYS, dtype=bool)})
    for own in coin_slopes([unsold, sure]):
        assert not own.is_told
        assert (own.low, own.high, own.p_value) == (-np.inf, np.inf, 1.0)
