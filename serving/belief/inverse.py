"""Inverses of many lower triangular matrices at once.

LAPACK's inverse takes them for any matrices, and so four times as long or more. On a short shelf that does not matter,
and its last bits stay.
"""

import numba
import numpy as np

from catalog.arrays import Floats
from serving.belief.gaussian import FEW


def inverse_of_lower(factors: Floats) -> Floats:
    """Return the inverses of lower triangular matrices, shape (n, size, size)."""
    return np.asarray(np.linalg.inv(factors)) if len(factors) <= FEW else np.asarray(_substituted(factors))


@numba.njit(cache=True, nogil=True)
def _substituted(factors: Floats) -> Floats:
    inverses = np.zeros(factors.shape)
    for number in range(len(factors)):
        factor, inverse = factors[number], inverses[number]
        for row in range(len(factor)):
            for column in range(row):
                share = factor[row, column] / factor[row, row]
                for place in range(column + 1):
                    inverse[row, place] -= share * inverse[column, place]
            inverse[row, row] = 1 / factor[row, row]
    return inverses
