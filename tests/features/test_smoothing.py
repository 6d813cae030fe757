"""Smoothing a forest's staircase: it must pay, and must not invent demand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr

from features.smoothing import Kernel, mixed, smoothed, staircase_of

GRID = np.linspace(0.7, 1.6, 20)
ONE_PEAK = ndtr((1.0 - GRID) / 0.25)[None, :]
WIDE, NARROW = Kernel(1, 0.09), Kernel(2, 0.05)


def excess(chance: np.ndarray, truth: np.ndarray) -> float:
    sure = np.clip(chance, 1e-6, 1 - 1e-6)
    return float((truth * np.log(truth / sure) + (1 - truth) * np.log((1 - truth) / (1 - sure))).mean())


def staircase(truth: np.ndarray, width: int) -> np.ndarray:
    """The truth as a forest sees it: one level for every few candidates."""
    steps = np.arange(truth.shape[1]) // width
    return np.stack([[own[steps == step].mean() for step in steps] for own in truth])


@pytest.mark.parametrize("width", [2, 3, 4])
def test_smoothing_brings_a_staircase_nearer_to_the_truth(width: int) -> None:
    steps = staircase(ONE_PEAK, width)
    assert excess(smoothed(steps, GRID, WIDE), ONE_PEAK) < 0.7 * excess(steps, ONE_PEAK)


@pytest.mark.parametrize("kernel", [WIDE, NARROW])
def test_a_smooth_curve_is_left_nearly_as_it_is(kernel: Kernel) -> None:
    np.testing.assert_allclose(smoothed(ONE_PEAK, GRID, kernel), ONE_PEAK, atol=0.02)


@settings(deadline=None, max_examples=50)
@given(
    arrays(float, (2, 20), elements=st.floats(0, 1)),
    st.lists(st.tuples(st.integers(1, 2), st.floats(0.02, 0.5), st.booleans()), min_size=1, max_size=4),
)
def test_whatever_comes_in_probabilities_that_never_rise_come_out(
    chance: np.ndarray, kernels: list[tuple[int, float, bool]]
) -> None:
    mixture = tuple(Kernel(*kernel, weight=1 / len(kernels)) for kernel in kernels)
    out = mixed(chance, GRID, mixture)
    assert ((out >= 0) & (out <= 1)).all()
    assert (np.diff(out, axis=1) <= 1e-12).all()


def test_each_row_is_answered_from_its_own_products_curve_and_flat_beyond_the_range() -> None:
    rows = pd.DataFrame({"price_ratio": [0.5, 0.7, 1.15, 1.6, 9.0, 1.15], "sku_A": [1, 1, 1, 1, 1, 0], "sku_B": 0})
    rows.loc[5, "sku_B"] = 1

    def model(asked: pd.DataFrame) -> np.ndarray:
        steep = np.where(asked["sku_A"] == 1, 0.25, 0.1)
        return np.asarray(ndtr((1.0 - asked["price_ratio"].to_numpy()) / steep))

    chance = staircase_of(model, rows, list(rows), GRID).smoothed((NARROW,))
    assert chance[0] == chance[1]
    assert chance[3] == chance[4]
    assert chance[2] == pytest.approx(ndtr((1.0 - 1.15) / 0.25), abs=0.02)
    assert chance[5] == pytest.approx(ndtr((1.0 - 1.15) / 0.1), abs=0.04)


def test_a_pooled_kernel_gives_all_products_one_curve_and_a_product_without_a_column_that_curve_too() -> None:
    rows = pd.DataFrame({"price_ratio": [1.0, 1.0, 1.0], "sku_A": [1.0, 0.0, 0.0], "sku_B": [0.0, 1.0, 0.0]})

    def model(asked: pd.DataFrame) -> np.ndarray:
        middle = 1.1 * asked["sku_A"].to_numpy() + 0.9 * asked["sku_B"].to_numpy()
        return np.asarray(ndtr((middle - asked["price_ratio"].to_numpy()) / 0.25))

    own = staircase_of(model, rows, list(rows), GRID).smoothed((NARROW,))
    assert own[0] > own[1] > own[2]
    pooled = staircase_of(model, rows, list(rows), GRID).smoothed((Kernel(2, 0.05, pooled=True),))
    np.testing.assert_allclose(pooled, ndtr(0.0), atol=0.02)
