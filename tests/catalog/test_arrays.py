"""Rows by their group, all groups at the cost of one sort; and arrays that grow."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalog.arrays import rows_of_each


@given(st.lists(st.integers(0, 6)), st.integers(0, 3))
def test_each_group_gets_its_own_rows_in_their_order_also_one_that_has_none(group: list[int], unseen: int) -> None:
    numbers = np.array(group, dtype=np.int64)
    found = rows_of_each(numbers, 7 + unseen)
    assert [own.tolist() for own in found] == [np.flatnonzero(numbers == own).tolist() for own in range(7 + unseen)]
