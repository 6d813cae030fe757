"""Demand that drifts through the hours of today is followed, and hardly taken for more than today's."""

import datetime as dt

import numpy as np
import pytest
from believing import believed_after
from scipy.special import expit, logit

from catalog.arrays import Floats
from catalog.load import CLASSIC, load
from serving.belief.belief import believed_before_anybody_came, opened
from serving.belief.gaussian import Counts, Knots
from serving.belief.sales import Sales, SoldAtPrices, n_hours_of, sales_at_knots
from serving.belief.states import fit_days
from serving.belief.today import FIRST_DAY, USUAL, hour_drift

CATALOG = load(CLASSIC)
KNOTS = Knots.of(CATALOG)
HOURS = n_hours_of(CATALOG)
NO_HOURS = np.zeros((HOURS, len(CATALOG.skus)))
CURVE = -6 * (KNOTS.ratios - 1)  # log odds
VISITS = 20.0  # to each product and knot in each hour


def sold(drift: Floats, until: int, visits: float = VISITS) -> Counts:
    """Return what is sold until an hour where demand drifts, exactly as expected."""
    met = np.zeros((HOURS, *KNOTS.shape))
    met[:until] = visits
    return Counts(met, met * expit(CURVE + drift[:, None, None]))


def test_where_nothing_was_sold_or_everything_is_as_usual_nothing_drifts() -> None:
    assert (hour_drift(CURVE, sold(np.zeros(HOURS), 0), NO_HOURS, FIRST_DAY) == 0).all()
    assert hour_drift(CURVE, sold(np.zeros(HOURS), 6), NO_HOURS, FIRST_DAY) == pytest.approx(0, abs=1e-9)


def test_an_afternoon_in_which_fewer_buy_is_followed_into_the_next_hour_and_says_little_of_the_evening() -> None:
    afternoon = np.where(np.arange(HOURS) >= HOURS // 2, -1.0, 0.0)
    until = HOURS // 2 + 2
    found = hour_drift(CURVE, sold(afternoon, until), NO_HOURS, FIRST_DAY)
    assert found[: HOURS // 2 - 1] == pytest.approx(0, abs=0.1)
    assert found[until - 1] == pytest.approx(-1, abs=0.1)
    assert found[until] < -0.6
    assert abs(found[-1]) < 0.5 * abs(found[until])


def test_on_later_days_hours_drift_less() -> None:
    drift, few = np.full(HOURS, -0.5), 0.2
    first, later = (hour_drift(CURVE, sold(drift, 4, few), NO_HOURS, spread) for spread in (FIRST_DAY, USUAL))
    assert first[3] < later[3] < 0


def test_the_evening_of_a_first_day_is_priced_from_the_afternoon_and_a_known_shelf_waits_for_more() -> None:
    afternoon = np.where(np.arange(HOURS) >= HOURS // 2, -1.0, 0.0)
    today, until = sold(afternoon, HOURS - 2), HOURS - 2
    nobody = believed_before_anybody_came(CATALOG)
    known = believed_after(CATALOG, Counts(*(np.full(KNOTS.shape, 500.0) * part for part in (1, expit(CURVE)))))
    evenings = []
    for belief in (nobody, known):
        understanding = opened(CATALOG, belief).given(today)
        assert understanding.knows_hours
        evenings.append(logit(understanding.by_hour[until]) - logit(understanding.by_hour[0]))
    base = np.abs(KNOTS.ratios - 1).argmin(axis=1)
    first, later = (own[np.arange(len(base)), base] for own in evenings)
    assert (first < -0.6).all()
    assert (later > first).all()


def days_with_drifts(spread: float, n_days: int = 10, visits: int = 60) -> Sales:
    """Return days on each of which hours drift anew, by turns up and down in blocks of four hours."""
    dice = np.random.default_rng(5)
    day, hour, product = (own.ravel() for own in np.indices((n_days, HOURS, len(CATALOG.skus))))
    turns = dice.normal(size=(n_days, HOURS // 4 + 1)) * spread
    chance = expit(turns[day, hour // 4])
    met, bought = np.full(len(day), float(visits)), dice.binomial(visits, chance).astype(float)
    sold = SoldAtPrices(product, day, hour, KNOTS.base_prices[product], met, bought)
    dates = tuple(dt.date(2026, 1, 5) + dt.timedelta(days=number) for number in range(n_days))
    return sales_at_knots(KNOTS, dates, HOURS, sold)


@pytest.mark.parametrize(("drifts", "expected"), [(0.5, (0.3, 0.6)), (0.0, (0.03, USUAL))])
def test_how_far_hours_drift_is_learned_from_the_days_that_were_seen(drifts: float, expected: list[float]) -> None:
    found = fit_days(CATALOG.store.belief, KNOTS, days_with_drifts(drifts))
    assert found.drift_spread in expected
