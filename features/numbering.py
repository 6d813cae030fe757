"""Rows numbered by the positions of their values, and the numbers counted, in compiled code.

NumPy casts each column and goes through all rows twice for each, which is half of grouping a batch.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from catalog.arrays import Ints


@numba.njit(cache=True, nogil=True)
def number_also_by(number: NDArray[Any], codes: NDArray[Any], size: int) -> None:
    """Tell rows that have one number apart by their positions among `size` values, too; both shape (n_rows,)."""
    for row in range(len(number)):
        number[row] = number[row] * size + codes[row]


@numba.njit(cache=True, nogil=True)
def count_of_numbers(number: NDArray[Any], n_numbers: int) -> Ints:
    """Return how many rows have each number, shape (n_numbers,)."""
    counts = np.zeros(n_numbers, dtype=np.int64)
    for own in number:
        counts[own] += 1
    return counts


@numba.njit(cache=True, nogil=True)
def count_of_runs(ascending: NDArray[Any], n_outcomes: int) -> tuple[Ints, Ints]:
    """Return the groups of numbers that stand for a group times `n_outcomes` plus an outcome, and their outcomes.

    Returns
    -------
    tuple
        The groups that have any, ascending, shape (n_groups,); and how many numbers of each group stand for each
        outcome, shape (n_outcomes, n_groups).
    """
    n_groups, low = 0, np.int64(-n_outcomes)
    for own in ascending:
        if own - low >= n_outcomes:
            n_groups, low = n_groups + 1, own - own % n_outcomes
    groups, counts = np.empty(n_groups, dtype=np.int64), np.zeros((n_outcomes, n_groups), dtype=np.int64)
    at, low = -1, np.int64(-n_outcomes)
    for own in ascending:
        if own - low >= n_outcomes:
            at, low = at + 1, own - own % n_outcomes
            groups[at] = low // n_outcomes
        counts[own - low, at] += 1
    return groups, counts
