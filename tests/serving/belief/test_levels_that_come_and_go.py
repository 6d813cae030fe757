"""Levels that come and go around the curves: what a weekend, an hour, an odd day and a lasting change are taken for."""

import datetime as dt

import numpy as np
import pytest
from scipy.special import expit

from catalog.arrays import Floats
from catalog.load import Catalog, load
from serving.belief.gaussian import Knots
from serving.belief.sales import Sales, SoldAtPrices, sales_at_knots
from serving.belief.states import Learned, learned

CATALOG = load()
KNOTS = Knots.of(CATALOG)
MONDAY = dt.date(2026, 1, 5)
HOURS = 12
VISITS = 40  # to each product in an hour


def sold(levels: Floats, n_products: int = 5, seed: int = 3, hours: Floats | None = None) -> tuple[Knots, Sales]:
    """Return days of a known demand: 0 at the base price plus the day's level and the hour's, falling by 6 a ratio."""
    dice, n_days = np.random.default_rng(seed), len(levels)
    knots = Knots(np.resize(KNOTS.ratios, (n_products, KNOTS.shape[1])), np.ones(n_products))
    product, day, hour = (own.ravel() for own in np.indices((n_products, n_days, HOURS)))
    ratio = knots.ratios[product, dice.integers(knots.shape[1], size=len(product))]
    added = np.zeros(HOURS) if hours is None else hours
    bought = dice.binomial(VISITS, expit(levels[day] + added[hour] - 6 * (ratio - 1)))
    met = np.full(len(product), float(VISITS))
    dates = tuple(MONDAY + dt.timedelta(days=own) for own in range(n_days))
    return knots, sales_at_knots(
        knots, dates, HOURS, SoldAtPrices(product, day, hour, ratio, met, bought.astype(float))
    )


def taught(levels: Floats, catalog: Catalog = CATALOG, hours: Floats | None = None) -> tuple[Knots, Learned]:
    knots, sales = sold(levels, hours=hours)
    return knots, learned(catalog.store.belief, knots, sales)


def level_on(knots: Knots, found: Learned, date: dt.date) -> float:
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
    assert taught(levels)[1].posterior.spreads.day >= 0.3
    assert taught(np.zeros(12))[1].posterior.spreads.day <= 0.1


def test_the_evenings_demand_is_told_from_the_mornings() -> None:
    hours = np.where(np.arange(HOURS) < 6, 0.8, -0.8)
    _, found = taught(np.zeros(5), hours=hours)
    effects = found.posterior.hours.mean(axis=1)
    assert effects[:6].mean() - effects[6:].mean() == pytest.approx(1.6, abs=0.3)


def test_a_large_shelf_is_learned_whole_with_spreads_of_some_of_its_products() -> None:
    knots, sales = sold(np.zeros(3), n_products=150)
    found = learned(CATALOG.store.belief, knots, sales)
    assert found.posterior.mean.shape[0] == 150
    chance = found.states_on(knots, MONDAY + dt.timedelta(days=3))[0].demand.chance(0.0)
    assert np.abs(chance - expit(-6 * (knots.ratios - 1))).mean() < 0.03
