"""Short names for the arrays that cross folders; every use states its shape and unit beside it."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


def rows_of_each(group: NDArray[np.integer[Any]], n_groups: int) -> list[Ints]:
    """Return the positions of the rows of each group, ascending: all groups at the cost of one sort.

    Parameters
    ----------
    group
        Number of each row's group, from 0, shape (n_rows,).
    """
    return np.split(np.argsort(group, kind="stable"), np.bincount(group, minlength=n_groups).cumsum()[:-1])
