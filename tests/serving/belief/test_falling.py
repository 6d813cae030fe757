"""Curves that never rise, nearest to what was drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import isotonic_regression

from catalog.arrays import Floats
from serving.belief.belief import Understanding
from serving.belief.gaussian import Gaussian, falling
from serving.learning.worth_knowing import drawn_chances

N_PRICES = 6
VALUES = arrays(float, (3, 2, N_PRICES), elements=st.floats(-20, 20, width=32))
WEIGHTS = arrays(float, (2, N_PRICES), elements=st.floats(0.125, 64, width=32))


@given(VALUES, WEIGHTS)
def test_no_curve_rises_and_none_is_nearer(curves: Floats, sure: Floats) -> None:
    found = falling(curves, sure)
    assert (np.diff(found, axis=2) <= 1e-9).all()
    for curve in range(len(curves)):
        for product, weights in enumerate(sure):
            best = isotonic_regression(curves[curve, product], weights=weights, increasing=False).x
            assert found[curve, product] == pytest.approx(best, abs=1e-9)


def test_ignorance_of_a_lower_price_pulls_no_well_known_chance_down() -> None:
    odds, spread = np.array([[1.0, 0.0, 0.0, 0.0, -0.2]]), np.array([[0.1, 1.0, 1.0, 1.0, 0.05]])
    known = Gaussian(odds, spread[:, :, None] ** 2 * np.eye(5), np.zeros((1, 5, 1)))
    drawn = drawn_chances(Understanding((known,), (1.0,), np.zeros((1, 1))), (1, 5), 256)
    assert (np.diff(drawn, axis=2) <= 1e-9).all()
    assert drawn[:, 0, 4].mean() == pytest.approx(1 / (1 + np.exp(0.2)), abs=0.01)
    assert drawn[:, 0, 4].std() < 0.03
