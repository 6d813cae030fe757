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


class Grown:
    """An array that others are added to, in place.

    It has room for twice as many whenever it is full.
    """

    def __init__(self) -> None:
        """Begin with nothing, of any kind."""
        self._room: NDArray[Any] = np.empty(0)
        self._length = 0

    def add(self, values: NDArray[Any]) -> None:
        """Add values, shape (n,); all are of one kind, or of the widest of whole numbers."""
        end = self._length + len(values)
        kind = np.result_type(self._room, values) if self._length else values.dtype
        if end > len(self._room) or kind != self._room.dtype:
            room = np.empty(2 * end, kind)
            room[: self._length] = self._room[: self._length]
            self._room = room
        self._room[self._length : end] = values
        self._length = end

    def add_begins(self, begins: NDArray[Any]) -> None:
        """Add places at which pieces begin, from 0 on, and the last one ends: they follow those that are there."""
        self.add(begins[1:] + self._room[self._length - 1] if self._length else begins)

    def cut(self) -> NDArray[Any]:
        """Return all that was added, and give the room back that was not used; no more can be added."""
        whole, self._room = self._room, np.empty(0)
        whole.resize(self._length, refcheck=False)  # nobody else has it
        return whole
