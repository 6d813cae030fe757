"""Inverses of many triangular matrices."""

import numpy as np
import pytest

from catalog.arrays import Floats
from serving.belief.inverse import inverse_of_lower


def _factors(n: int) -> Floats:
    drawn = np.random.default_rng(5).normal(size=(n, 7, 7))
    return np.asarray(np.linalg.cholesky(drawn @ drawn.swapaxes(1, 2) + np.eye(7)))


def test_each_matrix_times_its_inverse_is_one() -> None:
    factors = _factors(20)
    inverses = inverse_of_lower(factors)
    assert factors @ inverses == pytest.approx(np.broadcast_to(np.eye(7), factors.shape), abs=1e-12)
    assert not np.triu(inverses, 1).any()
