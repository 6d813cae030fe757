"""What prices brought is told from held store weeks, and as sure as their number allows."""

import numpy as np
import pytest

from catalog.arrays import Flags
from plugins.own_store.learning.earned_profit import StoreWeeks, earned_profit


def quarter(n_stores: int, seed: int, effect: float = 0.0, held_share: float = 0.1, weeks: int = 13) -> StoreWeeks:
    """Return a quarter of a chain with 20 products; treated store weeks sell by a share more at the same prices."""
    dice = np.random.default_rng((seed, 11))
    is_held = dice.random((n_stores, weeks)) < held_share
    levels = np.log(70) + dice.normal(0, 0.3, (20, n_stores, 1)) + dice.normal(0, 0.4, (n_stores, 1))
    mean = np.exp(levels + dice.normal(0, 0.08, weeks)) * np.where(is_held, 1.0, 1 + effect)
    units = dice.negative_binomial(56, 56 / (56 + mean)).astype(float)
    owner = dice.uniform(1, 6, (20, 1, 1))
    stores, week = np.indices(is_held.shape)
    profits = (0.35 * owner * units).sum(axis=0)
    return StoreWeeks(stores.ravel(), week.ravel(), profits.ravel(), is_held.ravel())


def in_stretches(n_stores: int, seed: int, effect: float = 0.0, weeks: int = 26) -> tuple[StoreWeeks, Flags]:
    """Return half a year in which stretches of six weeks are held, whose first two are cut, as weeks alike."""
    rows, dice = quarter(n_stores, seed, 0.0, 0.0, weeks), np.random.default_rng((seed, 12))
    blocks = 10 * rows.stores + (rows.weeks + rows.stores) // 6
    is_held = dice.random(blocks.max() + 1)[blocks] < 0.15
    alike = np.exp(dice.normal(0, 0.1, blocks.max() + 1))[blocks]
    profits = rows.profits * alike * np.where(is_held, 1.0, 1 + effect)
    is_cut = (rows.weeks + rows.stores) % 6 < 2
    keep = ~is_held | ~is_cut
    parts = (rows.stores, rows.weeks, profits, is_held, blocks)
    return StoreWeeks(*(part[keep] for part in parts)), is_cut[keep]


def test_a_tenth_more_is_found_in_share_and_euros() -> None:
    rows = quarter(10, 1, effect=0.1)
    earned = earned_profit(rows)
    assert earned.share_low < 0.1 < earned.share_high
    assert earned.share_low > 0
    assert earned.p_value < 0.05
    treated = rows.profits[~rows.is_held].sum()
    assert earned.euros == pytest.approx(treated * earned.share / (1 + earned.share))
    assert earned.euros_low < earned.euros < earned.euros_high
    assert earned.n_held + earned.n_treated == 130


def test_one_held_week_of_one_store_leaves_the_interval_open() -> None:
    rows = quarter(1, 3)
    held = rows.weeks == 4
    earned = earned_profit(StoreWeeks(**{**vars(rows), "is_held": held}))
    assert np.isfinite(earned.share)
    assert (earned.share_low, earned.share_high) == (-np.inf, np.inf)
    assert earned.p_value > 0.05


def test_without_a_held_week_nothing_is_told() -> None:
    rows = quarter(2, 3)
    earned = earned_profit(StoreWeeks(**{**vars(rows), "is_held": np.zeros(len(rows.stores), dtype=bool)}))
    assert np.isnan(earned.share)
    assert (earned.euros_low, earned.euros_high, earned.p_value) == (-np.inf, np.inf, 1.0)


def test_the_same_prices_bring_the_same_whatever_the_euro_s_size() -> None:
    rows = quarter(5, 2, effect=0.05)
    one, other = earned_profit(rows), earned_profit(StoreWeeks(**{**vars(rows), "profits": 100 * rows.profits}))
    assert other.share == pytest.approx(one.share, abs=1e-3)
    assert other.euros == pytest.approx(100 * one.euros, rel=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(("n_stores", "least"), [(1, 0.0), (5, 0.04), (10, 0.04)])
def test_a_thousand_quarters_reject_as_often_as_they_should(n_stores: int, least: float) -> None:
    earned = [earned_profit(quarter(n_stores, seed), seed) for seed in range(1000)]
    assert least <= np.mean([own.p_value <= 0.05 for own in earned]) <= 0.06
    told = [own for own in earned if np.isfinite(own.share)]
    assert np.mean([own.share_low <= 0 <= own.share_high for own in told]) >= 0.93


@pytest.mark.slow
def test_stretches_whose_weeks_are_alike_reject_as_often_as_they_should_and_cover_an_effect() -> None:
    nothing = [earned_profit(rows, seed, cut) for seed in range(600) for rows, cut in [in_stretches(8, seed)]]
    assert 0.03 <= np.mean([own.p_value <= 0.05 for own in nothing]) <= 0.07
    more = [earned_profit(rows, seed, cut) for seed in range(400) for rows, cut in [in_stretches(8, seed, 0.1)]]
    assert np.mean([own.share_low <= 0.1 <= own.share_high for own in more]) >= 0.93


def after_four_weeks(n_stores: int, seed: int, effect: float = 0.0, held_share: float = 0.1) -> StoreWeeks:
    """Return a quarter whose first four weeks were before the first draw, at the owner's prices."""
    rows = quarter(n_stores, seed, 0.0, held_share, 17)
    is_before = rows.weeks < 4
    profits = rows.profits * np.where(rows.is_held | is_before, 1.0, 1 + effect)
    return StoreWeeks(rows.stores, rows.weeks, profits, rows.is_held | is_before, None, is_before)


def held_from_the_first_week_on(seed: int) -> StoreWeeks:
    """Return such a quarter of ten stores of which two are held in all drawn weeks; the others bring a tenth more."""
    rows = after_four_weeks(10, seed, effect=0.1, held_share=0.0)
    is_held = rows.is_held | np.isin(rows.stores, (2, 7))
    profits = rows.profits / np.where(is_held & ~rows.is_held, 1.1, 1.0)
    return StoreWeeks(rows.stores, rows.weeks, profits, is_held, rows.stores, rows.is_before)


def test_a_store_that_is_held_from_the_first_week_on_is_compared_with_what_it_brought_before() -> None:
    found = [earned_profit(held_from_the_first_week_on(seed), seed) for seed in range(20)]
    assert {(own.n_held, own.n_treated) for own in found} == {(26, 104)}
    assert np.mean([own.share for own in found]) == pytest.approx(0.1, abs=0.03)
    assert sum(own.share_low < 0.1 < own.share_high for own in found) >= 17
    rows = held_from_the_first_week_on(0)
    drawn = {name: own[~rows.is_before] for name, own in vars(rows).items() if name != "is_before"}
    assert np.isnan(earned_profit(StoreWeeks(**drawn)).share)


def while_prices_leave_the_owner_s(seed: int) -> tuple[StoreWeeks, Flags, float]:
    """Return 26 weeks in which prices leave the owner's by steps, also after each hold, and what they bring.

    A seventh of stretches of six weeks is held. Of one, the weeks on the way are missing: none at first, later two.
    """
    rows, dice = quarter(10, seed, 0.0, 0.0, 30), np.random.default_rng((seed, 13))
    stretch = rows.weeks + rows.stores
    blocks, is_before = 10 * rows.stores + stretch // 6, rows.weeks < 4
    in_hold = (dice.random(blocks.max() + 1)[blocks] < 1 / 7) & ~is_before
    steps = np.zeros((10, 30), dtype=int)
    for week in range(4, 30):
        goes_home = in_hold.reshape(10, 30)[:, week]
        steps[:, week] = np.clip(steps[:, week - 1] + np.where(goes_home, -1, 1), 0, 3)
    away = steps.ravel()
    brought = 0.3 * (1 - (1 - away / 3) ** 2) * np.clip((rows.weeks - 3) / 8, 0, 1)
    is_drawn, is_held = ~in_hold & ~is_before, is_before | (away == 0)
    truth = (rows.profits * brought)[is_drawn].sum() / rows.profits[is_drawn].sum()
    counts, parts = (
        is_held | is_drawn,
        (rows.stores, rows.weeks, rows.profits * (1 + brought), is_held, blocks, is_before),
    )
    return StoreWeeks(*(part[counts] for part in parts)), (stretch % 6 < 3)[counts], float(truth)


def test_what_prices_brought_lies_in_the_interval_although_they_leave_the_owner_s_by_steps_and_walk_back() -> None:
    chains = map(while_prices_leave_the_owner_s, range(120))
    found = [(earned_profit(rows, is_cut=cut), truth) for rows, cut, truth in chains]
    told = [(own, truth) for own, truth in found if np.isfinite(own.share)]
    assert np.mean([own.share - truth for own, truth in told]) == pytest.approx(0.0, abs=0.01)
    assert np.mean([own.share_low <= truth <= own.share_high for own, truth in told]) >= 0.9


def test_weeks_in_which_a_held_store_may_be_on_its_way_are_compared_on_neither_side_and_bring_euros() -> None:
    rows, cut, _ = while_prices_leave_the_owner_s(3)
    assert rows.is_before is not None
    stays = rows.is_before | ~cut
    whole = earned_profit(rows, is_cut=cut)
    part = earned_profit(StoreWeeks(*(own[stays] for own in vars(rows).values())))
    assert (whole.share, whole.share_low, whole.share_high) == (part.share, part.share_low, part.share_high)
    drawn = ~rows.is_held & ~rows.is_before
    assert whole.euros == pytest.approx(rows.profits[drawn].sum() * whole.share / (1 + whole.share))
    assert whole.euros > part.euros
