import numpy as np
import pytest

from catalog.metrics import half_width, wilson


def test_the_interval_of_a_share_is_wilsons() -> None:
    low, high = wilson(np.array([8.0]), np.array([10.0]))
    assert (low[0], high[0]) == pytest.approx((0.4902, 0.9433), abs=5e-5)


def test_the_interval_of_a_mean_is_students_and_one_value_has_none() -> None:
    half = half_width(np.array([2.0, 2.0, np.nan]), np.array([4.0, 16.0, 1.0]))
    assert half[:2] == pytest.approx([3.18245, 2.13145 * 0.5], abs=1e-4)
    assert np.isnan(half[2])
