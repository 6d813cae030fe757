"""Uniform numbers are turned into parts the same way, whether the ends are few or many."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from etl.twin.draws import parts_of

numbers = st.floats(0.0, 1.0, exclude_max=True, width=32)


@given(
    ends=st.lists(st.floats(0.0, 1.0), max_size=40).map(sorted), uniform=st.lists(numbers, max_size=20)
)  # fmt: skip
def test_a_number_lies_in_the_part_that_a_search_finds(ends: list[float], uniform: list[float]) -> None:
    at, drawn = np.array(ends, dtype=float), np.array(uniform, dtype=np.float32)
    assert parts_of(at, drawn).tolist() == [sum(number >= end for end in ends) for number in drawn.tolist()]
