"""Who is expected tomorrow: weekdays, lasting changes of one product or of all, and no less precision without any."""

import datetime as dt

import numpy as np
import pytest
from believing import MONDAY

from catalog.arrays import Floats
from features.footfall import CountedVisits
from serving.belief.footfall import expected_footfall
from serving.belief.today import PRIOR_VISITS, Footfall

N_TICKS, SEEDS = 4, range(12)


def expected_after(visits: Floats, prior: float = 200.0, first: dt.date = MONDAY) -> Footfall:
    """Return who is expected after days of some visits, shape (n_products, n_days)."""
    n_products, n_days = visits.shape
    before = Footfall(np.full(n_products, prior), np.full(N_TICKS, 1 / N_TICKS), 0.0, 0.2)
    dates = tuple(first + dt.timedelta(days=day) for day in range(n_days))
    counted = CountedVisits(dates, np.ones(n_days), visits, np.ones((n_products, N_TICKS)))
    return expected_footfall(before, counted, first + dt.timedelta(days=n_days))


def days(seed: int, usual: Floats) -> Floats:
    return np.random.default_rng(seed).poisson(usual).astype(float)


def error(expected: Floats, true: Floats | float) -> float:
    return float(np.sqrt(np.mean(np.log(expected / true) ** 2)))


@pytest.mark.parametrize(("usual", "n_days"), [(200.0, 5), (200.0, 28), (3.0, 10), (3.0, 28)])
def test_where_nothing_changes_the_next_day_is_expected_as_well_as_by_the_mean_of_days(
    usual: float, n_days: int
) -> None:
    errors = []
    for seed in SEEDS:
        visits = days(seed, np.full((5, n_days), usual))
        mean = (PRIOR_VISITS + visits.sum(axis=1)) / (PRIOR_VISITS / usual + n_days)
        errors.append([error(expected_after(visits, usual).daily, usual), error(mean, usual)])
    of_footfall, of_means = np.array(errors).mean(axis=0)
    assert of_footfall < 1.15 * of_means


@pytest.mark.parametrize("factor", [1 / 8, 8.0])
def test_a_counted_day_tells_more_than_what_was_expected_before(factor: float) -> None:
    usual = np.full((5, 1), 200.0)
    usual[0] *= factor
    tomorrow = np.mean([expected_after(days(seed, usual)).daily for seed in SEEDS], axis=0)
    assert tomorrow == pytest.approx(usual[:, 0], rel=0.15)


def test_a_product_that_draws_twice_as_many_is_followed_in_two_days_and_the_others_stay() -> None:
    usual = np.full((5, 16), 200.0)
    usual[0, 14:] = 400.0
    tomorrow = np.mean([expected_after(days(seed, usual)).daily for seed in SEEDS], axis=0)
    assert tomorrow[0] == pytest.approx(400, rel=0.06)
    assert tomorrow[1:] == pytest.approx(200, rel=0.06)


def test_twice_as_many_of_few_visits_are_followed_for_the_most_part_within_a_week() -> None:
    usual = np.full((5, 21), 8.0)
    usual[0, 14:] = 16.0
    tomorrow = np.mean([expected_after(days(seed, usual), prior=8.0).daily for seed in SEEDS], axis=0)
    assert tomorrow[0] > 13  # the mean of these days is 10.7


@pytest.mark.parametrize("n_products", [1, 5])
def test_a_lasting_fall_of_the_whole_shelf_is_followed_within_a_week(n_products: int) -> None:
    usual = np.full((n_products, 26), 200.0)
    usual[:, 19:] = 150.0
    tomorrow = np.mean([expected_after(days(seed, usual)).daily for seed in SEEDS], axis=0)
    assert tomorrow == pytest.approx(150, rel=0.06)


def test_a_busy_weekday_comes_back_and_the_days_beside_it_are_usual() -> None:
    usual = np.where(np.arange(24) % 7 >= 5, 260.0, 200.0)
    usual[np.arange(24) % 7 == 2] = 280.0
    for n_days, expected in ((21, 200.0), (23, 280.0)):
        tomorrow = [expected_after(days(seed, np.tile(usual[:n_days], (5, 1)))).daily.mean() for seed in SEEDS]
        assert np.mean(tomorrow) == pytest.approx(expected, rel=0.06)


def test_what_was_expected_before_hardly_matters_once_days_speak_against_it() -> None:
    tomorrow = expected_after(days(1, np.full((5, 3), 80.0)), prior=640.0)
    assert tomorrow.daily == pytest.approx(80, rel=0.2)


def test_days_that_vary_are_expected_to_vary() -> None:
    luck = np.random.default_rng(3).normal(0, 0.3, 20)
    tomorrow = expected_after(days(1, np.full((5, 20), 200.0) * np.exp(luck))).day_spread
    assert tomorrow == pytest.approx(luck.std(), abs=0.1)
    assert expected_after(days(1, np.full((5, 20), 200.0))).day_spread < 0.05


def test_days_on_which_no_product_of_the_shelf_was_visited_leave_a_finite_expectation() -> None:
    tomorrow = expected_after(np.zeros((3, 6)))
    assert (tomorrow.daily >= 0).all()
    assert (tomorrow.daily < 40).all()
    assert np.isfinite(tomorrow.day_spread)
