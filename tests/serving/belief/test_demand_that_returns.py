"""Demands that were left are recognised when they return, and days that differ by weekday or by luck are none."""

import numpy as np
import pytest
from believing import MONDAY, days_sold
from scipy.special import expit

from catalog.arrays import Floats
from catalog.load import CLASSIC, load
from serving.belief.belief import Opened
from serving.belief.changes import CHANCE_OF_A_CHANGE, DayLevels, chances_tomorrow, log_chance
from serving.belief.gaussian import Counts
from serving.belief.states import fit_days

CATALOG = load(CLASSIC)
POOR = -1.2


def states_of(levels: Floats, noise: float = 0.05, seed: int = 1) -> list[int]:
    seen = levels + np.random.default_rng(seed).normal(0, noise, len(levels))
    weekdays = np.arange(len(levels)) % 7
    return DayLevels(seen, np.full(len(levels), noise**2), weekdays).states().tolist()


def poor_weeks(*weeks: int, n_days: int) -> Floats:
    return np.where(np.isin(np.arange(n_days) // 7 + 1, weeks), POOR, 0.0)


@pytest.mark.parametrize("weeks", [(2, 5), (3, 5), (2, 4, 6)])
@pytest.mark.parametrize("seed", range(4))
def test_a_demand_that_comes_back_is_one_demand_from_its_first_day_to_its_last(
    weeks: tuple[int, ...], seed: int
) -> None:
    for n_days in (7 * (weeks[-1] - 1) + 1, 7 * (weeks[-1] - 1) + 3, 7 * weeks[-1], 7 * weeks[-1] + 2):
        levels = poor_weeks(*weeks, n_days=n_days)
        assert states_of(levels, seed=seed) == (levels < 0).astype(int).tolist(), n_days


@pytest.mark.parametrize("seed", range(4))
def test_weekends_single_weekdays_and_days_of_luck_are_no_other_demand(seed: int) -> None:
    day, luck = np.arange(28), np.random.default_rng(seed)
    for levels in (np.where(day % 7 >= 5, 1.5, 0.0), np.where(day % 7 == 2, 1.2, 0.0), luck.uniform(-1.2, 1.2, 28)):
        assert not any(states_of(levels, seed=seed))


def test_poor_weeks_are_found_beside_rich_weekends() -> None:
    poor = poor_weeks(2, 4, n_days=26)
    levels = poor + np.where(np.arange(26) % 7 >= 5, 1.5, 0.0)
    assert states_of(levels) == (poor < 0).astype(int).tolist()


def test_three_levels_are_three_demands() -> None:
    levels = np.repeat([0.0, POOR, 1.0, POOR, 0.0], 6)
    assert states_of(levels) == np.repeat([0, 1, 2, 1, 0], 6).tolist()


def test_more_changes_are_less_likely_beforehand_and_a_return_is_likelier_than_yet_another_demand() -> None:
    one, changed, back, another = (np.repeat(states, 7) for states in ([0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 2]))
    assert log_chance(one) > log_chance(changed) > log_chance(back)
    assert log_chance(np.repeat([0, 1, 0, 1, 0, 1], 7)) > log_chance(np.repeat([0, 1, 0, 1, 0, 2], 7))
    assert log_chance(back) >= log_chance(another)


def test_a_demand_is_expected_back_the_more_often_it_came_back() -> None:
    steady, once, often = (chances_tomorrow(np.repeat(states, 7)) for states in ([0], [0, 1, 0], [0, 1, 0, 1, 0]))
    assert steady.tolist() == [1.0]
    assert CHANCE_OF_A_CHANGE / 2 < once[1] < often[1] < 0.05
    assert once.sum() == often.sum() == pytest.approx(1)


def met_and_bought(n_hours: int, level: float, ratios: Floats) -> Counts:
    """Return an hour's sales at the base price, 10 visits to each product, exactly as expected."""
    met = np.zeros((n_hours, *ratios.shape))
    met[0, np.arange(len(ratios)), np.abs(ratios - 1).argmin(axis=1)] = 10.0
    return Counts(met, met * expit(level))


def test_an_hour_tells_that_a_poor_week_is_back() -> None:
    levels = poor_weeks(2, n_days=21)
    knots, sales = days_sold(CATALOG, levels)
    fit = fit_days(CATALOG.store.belief, knots, sales)
    states = fit.states_on(knots, MONDAY)
    shelf = Opened(knots, states, fit.effects.hours.T, fit.drift_spread, is_first_day=False)
    for level in (0.0, POOR):
        given = shelf.given(met_and_bought(sales.n_hours, level, knots.ratios))
        base = [np.interp(1.0, ratios, chance) for ratios, chance in zip(knots.ratios, given.chance, strict=True)]
        assert np.mean(base) == pytest.approx(expit(level), abs=0.08)


def test_a_single_weekday_that_differs_is_foreseen_once_it_came_twice() -> None:
    knots, sales = days_sold(CATALOG, np.where(np.arange(14) % 7 == 2, 1.2, 0.0))
    fit = fit_days(CATALOG.store.belief, knots, sales)
    weekdays = fit.effects.weekdays.mean(axis=0)
    assert weekdays[2] - np.delete(weekdays, 2).mean() == pytest.approx(1.2, abs=0.25)
    assert np.ptp(np.delete(weekdays, 2)) < 0.2
    assert fit.effects.spreads.day <= 0.1
