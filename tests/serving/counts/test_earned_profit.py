"""What prices brought is told from held store weeks, and as sure as their number allows."""

import numpy as np
import pytest

from serving.counts.earned_profit import StoreWeeks, earned_profit


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


def in_stretches(n_stores: int, seed: int, effect: float = 0.0, weeks: int = 26) -> StoreWeeks:
    """Return half a year in which stretches of six weeks are held, whose first two are left out, as weeks alike."""
    rows, dice = quarter(n_stores, seed, 0.0, 0.0, weeks), np.random.default_rng((seed, 12))
    blocks = 10 * rows.stores + (rows.weeks + rows.stores) // 6
    is_held = dice.random(blocks.max() + 1)[blocks] < 0.15
    alike = np.exp(dice.normal(0, 0.1, blocks.max() + 1))[blocks]
    profits = rows.profits * alike * np.where(is_held, 1.0, 1 + effect)
    keep = ~is_held | ((rows.weeks + rows.stores) % 6 > 1)
    parts = (rows.stores, rows.weeks, profits, is_held, blocks)
    return StoreWeeks(*(part[keep] for part in parts))


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


@pytest.mark.slow
def test_stretches_whose_weeks_are_alike_reject_as_often_as_they_should_and_cover_an_effect() -> None:
    nothing = [earned_profit(in_stretches(8, seed), seed) for seed in range(600)]
    assert 0.03 <= np.mean([own.p_value <= 0.05 for own in nothing]) <= 0.07
    more = [earned_profit(in_stretches(8, seed, 0.1), seed) for seed in range(400)]
    assert np.mean([own.share_low <= 0.1 <= own.share_high for own in more]) >= 0.93


def test_stretches_whose_weeks_are_alike_are_not_taken_for_many_weeks() -> None:
    rows = [in_stretches(8, seed) for seed in range(40)]
    apart = [StoreWeeks(**{**vars(own), "blocks": None}) for own in rows]
    as_stretches, as_weeks = (
        np.mean([earned_profit(own, seed).p_value <= 0.1 for seed, own in enumerate(each)]) for each in (rows, apart)
    )
    assert as_stretches < 0.2 < as_weeks


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


def while_prices_leave_the_owner_s(seed: int) -> tuple[StoreWeeks, float]:
    """Return 26 weeks in which prices bring ever more and the way back to the owner's gets longer, and what they bring.

    A quarter of stretches of six weeks is held. Of one, the weeks on the way are missing: none at first, later three.
    """
    rows, dice = quarter(10, seed, 0.0, 0.0, 26), np.random.default_rng((seed, 13))
    brought = 0.2 * np.minimum(rows.weeks / 12, 1.0)
    blocks = 10 * rows.stores + (rows.weeks + rows.stores) // 6
    is_held = dice.random(blocks.max() + 1)[blocks] < 0.25
    counts = ~is_held | ((rows.weeks + rows.stores) % 6 >= np.minimum(3, rows.weeks // 4))
    truth = (rows.profits * brought)[~is_held].sum() / rows.profits[~is_held].sum()
    parts = (rows.stores, rows.weeks, rows.profits * np.where(is_held, 1.0, 1 + brought), is_held, blocks)
    return StoreWeeks(*(part[counts] for part in parts)), float(truth)


def test_held_weeks_that_are_missing_on_the_way_do_not_make_early_weeks_count_for_more() -> None:
    found = map(while_prices_leave_the_owner_s, range(40))
    assert np.mean([earned_profit(rows).share - truth for rows, truth in found]) == pytest.approx(0.0, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("n_stores", [5, 10])
def test_with_weeks_before_the_first_draw_it_rejects_no_more_than_it_claims_and_holds_the_truth(n_stores: int) -> None:
    nothing = [earned_profit(after_four_weeks(n_stores, seed)).p_value <= 0.05 for seed in range(1000)]
    assert 0.025 <= np.mean(nothing) <= 0.065
    found = [earned_profit(after_four_weeks(n_stores, seed, 0.1), seed) for seed in range(1000, 1500)]
    assert np.mean([own.share_low <= 0.1 <= own.share_high for own in found]) >= 0.93
