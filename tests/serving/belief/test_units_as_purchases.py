"""Units are negative binomial by the binomial of the one posterior."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import nbinom, poisson

from serving.belief.posterior import POISSON, binomial, negative_binomial

RATES, UNITS, SHAPES = (
    np.array([-4.0, 0.3, 2.0, 6.0]),
    np.array([0.0, 2.0, 9.0, 300.0]),
    np.array([0.5, 3.0, 30.0, 8.0]),
)


def test_the_likelihood_of_units_is_that_of_a_negative_binomial_up_to_a_constant() -> None:
    def log_of(rates: np.ndarray) -> float:
        return float(nbinom.logpmf(UNITS, SHAPES, SHAPES / (SHAPES + np.exp(rates))).sum())

    found = negative_binomial(RATES + 0.7, UNITS, SHAPES)[0] - negative_binomial(RATES, UNITS, SHAPES)[0]
    assert found == pytest.approx(log_of(RATES + 0.7) - log_of(RATES), abs=1e-9)


def test_gradient_and_expected_curvature_of_units_are_those_of_the_mean() -> None:
    mean = np.exp(RATES)
    _, gradient, curvature = negative_binomial(RATES, UNITS, SHAPES)
    assert gradient == pytest.approx((UNITS - mean) / (1 + mean / SHAPES))
    assert curvature == pytest.approx(mean / (1 + mean / SHAPES))


def test_a_very_large_shape_is_a_poisson() -> None:
    found = negative_binomial(RATES + 0.7, UNITS, POISSON)[0] - negative_binomial(RATES, UNITS, POISSON)[0]
    wanted = poisson.logpmf(UNITS, np.exp(RATES + 0.7)).sum() - poisson.logpmf(UNITS, np.exp(RATES)).sum()
    assert found == pytest.approx(wanted, rel=1e-5)


def test_far_log_odds_of_a_purchase_neither_overflow_nor_lose_their_likelihood() -> None:
    odds, met, bought = np.array([-800.0, -2.0, 0.0, 3.0, 800.0]), np.full(5, 4.0), np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    log, gradient, curvature = binomial(odds, met, bought)
    assert log == pytest.approx(float((bought * odds - met * np.logaddexp(0.0, odds)).sum()))
    assert gradient == pytest.approx(bought - met * expit(odds))
    assert curvature == pytest.approx(met * expit(odds) * expit(-odds))
