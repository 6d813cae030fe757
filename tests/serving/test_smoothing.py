"""Smoothing a forest's staircase: it must pay, and must not invent demand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from catalog.ladder import price_ladder
from catalog.load import load
from serving.curves import smoothed
from simulation.truth import chance_of_sale

CATALOG = load()
LADDER = price_ladder(CATALOG)
TRUTH = chance_of_sale(CATALOG, LADDER / CATALOG.base_prices[:, None])


def excess(chance: np.ndarray) -> float:
    return float((TRUTH * np.log(TRUTH / chance) + (1 - TRUTH) * np.log((1 - TRUTH) / (1 - chance))).mean())


def staircase(width: int) -> np.ndarray:
    """The truth as a forest sees it: one level for every few candidates."""
    steps = np.arange(LADDER.shape[1]) // width
    return np.stack([[own[steps == step].mean() for step in steps] for own in TRUTH])


@pytest.mark.parametrize("width", [2, 3, 4])
def test_smoothing_brings_a_staircase_nearer_to_the_truth(width: int) -> None:
    assert excess(smoothed(staircase(width))) < 0.7 * excess(staircase(width))


def test_a_smooth_curve_is_left_as_it_is() -> None:
    np.testing.assert_allclose(smoothed(TRUTH), TRUTH, atol=0.012)


@settings(deadline=None, max_examples=50)
@given(arrays(float, (2, 20), elements=st.floats(0, 1)))
def test_whatever_comes_in_probabilities_that_never_rise_come_out(chance: np.ndarray) -> None:
    out = smoothed(chance)
    assert ((out > 0) & (out < 1)).all()
    assert (np.diff(out, axis=1) <= 0).all()


def test_two_peaks_stay_two_peaks() -> None:
    ratio = LADDER / CATALOG.base_prices[:, None]
    frugal = 1 / (1 + np.exp((ratio - 0.8) / 0.045))
    wealthy = 1 / (1 + np.exp((ratio - 1.35) / 0.045))
    both = 0.6 * frugal + 0.4 * wealthy
    np.testing.assert_allclose(smoothed(both), both, atol=0.05)
