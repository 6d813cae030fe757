"""The estimators on logs small enough to reckon by hand, and what must hold on any log."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.currency import EUR
from plugins.evaluation.off_policy import Interval, LoggedEvidence, OffPolicyEstimate, Shown, estimate_gain

CANDIDATES = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]])


def evidence(price: list[float], propensity: list[float], purchased: list[int], p_sale: list[float]) -> LoggedEvidence:
    n_visits = len(price)
    return LoggedEvidence(
        product=np.zeros(n_visits, dtype=np.int64),
        price=np.array(price),
        propensity=np.array(propensity),
        purchased=np.array(purchased, dtype=float),
        unit_value=np.full(n_visits, 0.5),
        p_sale=np.array(p_sale),
        dice=np.arange(n_visits),
        n_store_days=2,
        candidates=CANDIDATES,
    )


def shown(price: float, p_sale: float, n_visits: int) -> Shown:
    return Shown(np.full(n_visits, price), np.full(n_visits, p_sale))


def test_the_estimates_are_those_reckoned_by_hand() -> None:
    log = evidence([4.0, 4.0, 7.5, 1.0], [0.5, 0.25, 0.8, 0.1], [1, 0, 1, 1], [0.5, 0.5, 0.25, 0.9])
    estimate = estimate_gain(log, shown(4.0, 0.6, 4), shown(7.5, 0.2, 4))
    assert estimate.ips.estimate == pytest.approx((3.5 / 0.5 - 7.0 / 0.8) / 2)
    assert estimate.snips.estimate == pytest.approx((4 * 3.5 * 2 / 6 - 4 * 7.0) / 2)
    modelled = 4 * (3.5 * 0.6 - 7.0 * 0.2)
    corrected = 0.2 / 0.5 * 3.5 * 0.5 - 0.2 / 0.25 * 3.5 * 0.5 - 7.0 * 0.75 / 0.8
    assert estimate.dr.estimate == pytest.approx((modelled + corrected) / 2)
    weights = np.array([0.2 / 0.5, 0.2 / 0.25])
    assert estimate.effective_sample_size == pytest.approx(weights.sum() ** 2 / (weights**2).sum())


def test_only_candidates_within_reach_speak_for_a_price_and_at_the_edge_they_are_fewer() -> None:
    for price, counted in [(1.0, 1 / 3), (2.0, 1 / 3), (3.0, 1 / 3), (4.0, 0.0), (2.5, 0.0)]:
        log = evidence([price, 6.0], [1.0, 1.0], [1, 0], [0.0, 0.0])
        estimate = estimate_gain(log, shown(1.0, 0.0, 2), shown(7.5, 0.0, 2))
        assert estimate.dr.estimate == pytest.approx(counted * (price - 0.5) / 2)


def test_visits_of_one_throw_are_one_piece_of_evidence() -> None:
    draw = np.random.default_rng(0)
    price = draw.choice([4.0, 7.5], 200)
    log = evidence(price.tolist(), [0.5] * 200, draw.integers(0, 2, 200).tolist(), [0.5] * 200)
    apart = estimate_gain(log, shown(4.0, 0.5, 200), shown(7.5, 0.5, 200)).dr
    doubled = LoggedEvidence(
        **{
            name: np.repeat(value, 2) if name not in {"n_store_days", "candidates", "smallest"} else value
            for name, value in vars(log).items()
        }
    )
    twice = estimate_gain(doubled, shown(4.0, 0.5, 400), shown(7.5, 0.5, 400)).dr
    assert twice.upper - twice.lower == pytest.approx(2 * (apart.upper - apart.lower))


def test_without_a_visit_that_was_shown_the_price_the_classic_estimators_say_nothing() -> None:
    log = evidence([7.5, 7.5, 6.0], [0.9, 0.9, 0.1], [1, 0, 1], [0.3, 0.3, 0.4])
    estimate = estimate_gain(log, shown(4.0, 0.5, 3), shown(7.5, 0.3, 3))
    assert math.isnan(estimate.ips.estimate)
    assert estimate.snips.upper == math.inf
    assert estimate.as_record()["snips"] == {"estimate": None, "lower": None, "upper": None}
    assert estimate.warning is not None


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), n_visits=st.integers(3, 60))
def test_a_model_without_error_needs_no_log_and_order_does_not_matter(seed: int, n_visits: int) -> None:
    draw = np.random.default_rng(seed)
    price = draw.choice(CANDIDATES[0], n_visits)
    sure = (price < 4).astype(int)
    log = evidence(price.tolist(), draw.uniform(0.05, 1, n_visits).tolist(), sure.tolist(), sure.astype(float).tolist())
    challenger, incumbent = shown(3.0, 1.0, n_visits), shown(6.0, 0.0, n_visits)
    estimate = estimate_gain(log, challenger, incumbent)
    assert estimate.dr.estimate == pytest.approx(n_visits * 2.5 / 2)
    assert estimate.dr.upper - estimate.dr.lower == pytest.approx(0, abs=1e-9)
    order = draw.permutation(n_visits)
    shuffled = replace(
        log, **{name: getattr(log, name)[order] for name in ("price", "propensity", "purchased", "p_sale", "dice")}
    )
    again = estimate_gain(shuffled, challenger, incumbent)
    assert again.ips.estimate == pytest.approx(estimate.ips.estimate, nan_ok=True)
    assert again.ips.upper == pytest.approx(estimate.ips.upper, nan_ok=True)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_equal_prices_gain_nothing_whatever_the_log_says(seed: int) -> None:
    draw = np.random.default_rng(seed)
    price = draw.choice(CANDIDATES[0], 30)
    log = evidence(price.tolist(), [0.2] * 30, draw.integers(0, 2, 30).tolist(), draw.random(30).tolist())
    estimate = estimate_gain(log, shown(4.0, 0.5, 30), shown(4.0, 0.5, 30))
    for one in (estimate.ips, estimate.snips, estimate.dr):
        assert (one.estimate, one.lower, one.upper) == (0, 0, 0)


def test_logged_visits_that_surely_show_a_loss_are_a_veto_and_few_of_them_are_not() -> None:
    many = estimated((-4.0, -6.0, -2.0), 5_000.0)
    assert many.shows_a_loss
    assert many.in_words(EUR).startswith("By logged visits 4.00 EUR less per store day, 95 % from 6.00 EUR less")
    few = estimated((-4.0, -6.0, -2.0), 10.0)
    assert not few.shows_a_loss
    assert few.in_words(EUR).endswith("poor overlap with the log: 10 effective visits of at least 100; try more prices")
    assert not estimated((1.0, -3.0, 5.0), 5_000.0).shows_a_loss


def estimated(gain: tuple[float, float, float], sample: float) -> OffPolicyEstimate:
    """Return an estimate with so many effective visits."""
    own = Interval(*gain)
    return OffPolicyEstimate(own, own, own, None, 10_000, 5_000, sample, 1.0)
