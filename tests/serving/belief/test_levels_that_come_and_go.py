"""Levels that come and go around the curves: what a weekend, an hour, an odd day and a lasting change are taken for."""

import datetime as dt

import numpy as np
import pytest
from believing import HOURS, MONDAY, days_sold
from scipy.special import expit

from catalog.arrays import Floats
from catalog.load import CLASSIC, Catalog, load
from serving.belief.gaussian import Knots
from serving.belief.sales import SoldAtPrices, sales_at_knots
from serving.belief.states import Fit, fit_days

CATALOG = load(CLASSIC)
KNOTS = Knots.of(CATALOG)


def taught(levels: Floats, catalog: Catalog = CATALOG, hours: Floats | None = None) -> tuple[Knots, Fit]:
    knots, sales = days_sold(catalog, levels, hours=hours)
    return knots, fit_days(catalog.store.belief, knots, sales)


def level_on(knots: Knots, found: Fit, date: dt.date) -> float:
    """Return the log odds at the base price that are expected on a date, the shelf's mean."""
    demand = found.states_on(knots, date)[0].demand
    return float(np.mean([np.interp(1.0, own, mean) for own, mean in zip(knots.ratios, demand.mean, strict=True)]))


def test_a_weekend_comes_back_as_it_was_and_monday_is_a_monday_again() -> None:
    days = np.where(np.arange(7) >= 5, 1.5, 0.0)
    knots, found = taught(days)
    assert found.state_of_day.tolist() == [0] * 7
    assert level_on(knots, found, MONDAY + dt.timedelta(days=7)) == pytest.approx(0.0, abs=0.25)
    assert level_on(knots, found, MONDAY + dt.timedelta(days=12)) == pytest.approx(1.5, abs=0.4)


def test_one_odd_day_is_no_change_and_days_that_stay_odd_are() -> None:
    odd, lasting = np.zeros(16), np.zeros(16)
    odd[9], lasting[9:] = -1.5, -1.5
    for levels, expected in ((odd, 0.0), (lasting, -1.5)):
        knots, found = taught(levels)
        assert level_on(knots, found, MONDAY + dt.timedelta(days=16)) == pytest.approx(expected, abs=0.3)


def test_a_demand_that_was_seen_before_may_come_back() -> None:
    levels = np.where((np.arange(24) >= 9) & (np.arange(24) < 16), -1.5, 0.0)
    knots, found = taught(levels)
    assert found.state_of_day[0] == found.state_of_day[-1] != found.state_of_day[12]
    assert level_on(knots, found, MONDAY + dt.timedelta(days=24)) == pytest.approx(0.0, abs=0.3)


def test_days_that_differ_are_learned_to_differ_and_equal_days_to_be_equal() -> None:
    levels = np.random.default_rng(1).normal(0.0, 0.8, 12)
    assert taught(levels)[1].effects.spreads.day >= 0.3
    assert taught(np.zeros(12))[1].effects.spreads.day <= 0.1


def test_the_evenings_demand_is_told_from_the_mornings() -> None:
    hours = np.where(np.arange(HOURS) < 6, 0.8, -0.8)
    _, found = taught(np.zeros(5), hours=hours)
    effects = found.effects.hours.mean(axis=0)
    assert effects[:6].mean() - effects[6:].mean() == pytest.approx(1.6, abs=0.3)


def level_of_a_new_product(visits_to_the_first: int) -> float:
    """Return the level that is expected of a product that nobody saw, beside five others.

    The level of the first is 1.5, that of the other four 0 on average, at 30 visits an hour to each.
    """
    dice, ratios = np.random.default_rng(2), np.resize(KNOTS.ratios, (6, KNOTS.shape[1]))
    levels, visits = np.array([1.5, 0.3, -0.3, 0.2, -0.2]), np.array([visits_to_the_first, 30, 30, 30, 30])
    product, day, hour = (own.ravel() for own in np.indices((5, 4, HOURS)))
    ratio, met = ratios[product, dice.integers(KNOTS.shape[1], size=len(product))], visits[product].astype(float)
    bought = dice.binomial(visits[product], expit(levels[product] - 6 * (ratio - 1))).astype(float)
    dates, knots = tuple(MONDAY + dt.timedelta(days=own) for own in range(4)), Knots(ratios, np.ones(6))
    sales = sales_at_knots(knots, dates, HOURS, SoldAtPrices(product, day, hour, ratio, met, bought))
    demand = fit_days(CATALOG.store.belief, knots, sales).states_on(knots, dates[-1])[0].demand
    return float(np.interp(1.0, ratios[5], demand.mean[5]))


def test_a_product_that_most_visit_says_no_more_of_the_others_than_one_product_may() -> None:
    few, many = level_of_a_new_product(30), level_of_a_new_product(3_000)
    assert few == pytest.approx(0.3, abs=0.3)
    assert many == pytest.approx(few, abs=0.15)
