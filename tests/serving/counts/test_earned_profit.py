"""What prices brought is told from held store weeks, and as sure as their number allows."""

import numpy as np
import pytest

from serving.counts.earned_profit import SoldRows, earned_profit


def quarter(n_stores: int, seed: int, effect: float = 0.0, held_share: float = 0.1, weeks: int = 13) -> SoldRows:
    """Return a quarter of a chain with 20 products; treated store weeks sell by a share more at the same prices."""
    dice = np.random.default_rng((seed, 11))
    is_held = dice.random((n_stores, weeks)) < held_share
    levels = np.log(70) + dice.normal(0, 0.3, (20, n_stores, 1)) + dice.normal(0, 0.4, (n_stores, 1))
    mean = np.exp(levels + dice.normal(0, 0.08, weeks)) * np.where(is_held, 1.0, 1 + effect)
    units = dice.negative_binomial(56, 56 / (56 + mean)).astype(float)
    _, stores, week = np.indices(units.shape)
    owner = np.broadcast_to(dice.uniform(1, 6, (20, 1, 1)), units.shape)
    held = np.broadcast_to(is_held, units.shape)
    parts = (units, owner, owner, 0.65 * owner, held)
    return SoldRows(stores.ravel(), week.ravel(), *(part.ravel() for part in parts))


def test_a_tenth_more_is_found_in_share_and_euros() -> None:
    rows = quarter(10, 1, effect=0.1)
    earned = earned_profit(rows)
    assert earned.share_low < 0.1 < earned.share_high
    assert earned.share_low > 0
    assert earned.p_value < 0.05
    treated = (rows.units * (rows.prices - rows.costs))[~rows.is_held].sum()
    assert earned.euros == pytest.approx(treated * earned.share / (1 + earned.share))
    assert earned.euros_low < earned.euros < earned.euros_high
    assert earned.n_held + earned.n_treated == 130


def test_one_held_week_of_one_store_leaves_the_interval_open() -> None:
    rows = quarter(1, 3)
    held = rows.weeks == 4
    earned = earned_profit(SoldRows(**{**vars(rows), "is_held": held}))
    assert np.isfinite(earned.share)
    assert (earned.share_low, earned.share_high) == (-np.inf, np.inf)
    assert earned.p_value > 0.05


def test_without_a_held_week_nothing_is_told() -> None:
    rows = quarter(2, 3)
    earned = earned_profit(SoldRows(**{**vars(rows), "is_held": np.zeros(len(rows.units), dtype=bool)}))
    assert np.isnan(earned.share)
    assert (earned.euros_low, earned.euros_high, earned.p_value) == (-np.inf, np.inf, 1.0)


def test_the_same_prices_bring_the_same_whatever_the_euro_s_size() -> None:
    rows = quarter(5, 2, effect=0.05)
    money = {name: 100 * getattr(rows, name) for name in ("prices", "owner", "costs")}
    one, other = earned_profit(rows), earned_profit(SoldRows(**{**vars(rows), **money}))
    assert other.share == pytest.approx(one.share, abs=1e-3)
    assert other.euros == pytest.approx(100 * one.euros, rel=1e-2)


def test_about_one_of_twenty_quarters_without_an_effect_seems_to_have_one() -> None:
    rejected = np.mean([earned_profit(quarter(5, seed), seed).p_value <= 0.05 for seed in range(50)])
    assert rejected < 0.15


@pytest.mark.slow
@pytest.mark.parametrize(("n_stores", "least"), [(1, 0.0), (5, 0.04), (10, 0.04)])
def test_a_thousand_quarters_reject_as_often_as_they_should(n_stores: int, least: float) -> None:
    earned = [earned_profit(quarter(n_stores, seed), seed) for seed in range(1000)]
    assert least <= np.mean([own.p_value <= 0.05 for own in earned]) <= 0.06
    told = [own for own in earned if np.isfinite(own.share)]
    assert np.mean([own.share_low <= 0 <= own.share_high for own in told]) >= 0.93


@pytest.mark.slow
def test_an_effect_lies_in_its_interval() -> None:
    earned = [earned_profit(quarter(5, seed, effect=0.1), seed) for seed in range(400)]
    assert np.mean([own.share_low <= 0.1 <= own.share_high for own in earned]) >= 0.93
    assert np.mean([own.p_value <= 0.05 for own in earned]) > 0.9
