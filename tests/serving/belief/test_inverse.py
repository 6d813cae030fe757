"""Inverses of many triangular matrices: as LAPACK has them, and to its last bit on a short shelf."""

import numpy as np
import pytest

from catalog.arrays import Floats
from serving.belief.inverse import inverse_of_lower


def _factors(n: int) -> Floats:
    drawn = np.random.default_rng(5).normal(size=(n, 7, 7))
    return np.asarray(np.linalg.cholesky(drawn @ drawn.swapaxes(1, 2) + np.eye(7)))


def test_each_matrix_of_a_long_shelf_times_its_inverse_is_one() -> None:
    factors = _factors(201)
    inverses = inverse_of_lower(factors)
    assert factors @ inverses == pytest.approx(np.broadcast_to(np.eye(7), factors.shape), abs=1e-12)
    assert not np.triu(inverses, 1).any()


def test_a_short_shelf_keeps_the_bits_of_lapack() -> None:
    factors = _factors(200)
    np.testing.assert_array_equal(inverse_of_lower(factors), np.linalg.inv(factors))
