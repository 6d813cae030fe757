"""Rows by their group, all groups at the cost of one sort; and arrays that grow."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalog.arrays import Grown, rows_of_each


@given(st.lists(st.integers(0, 6)), st.integers(0, 3))
def test_each_group_gets_its_own_rows_in_their_order_also_one_that_has_none(group: list[int], unseen: int) -> None:
    numbers = np.array(group, dtype=np.int64)
    found = rows_of_each(numbers, 7 + unseen)
    assert [own.tolist() for own in found] == [np.flatnonzero(numbers == own).tolist() for own in range(7 + unseen)]


def test_what_was_added_stands_in_order_and_in_its_own_kind() -> None:
    lengths = ((0, 3), (3, 0), (3, 50), (53, 9))
    grown, parts = Grown(), [np.arange(first, first + n, dtype=np.int16) for first, n in lengths]
    for part in parts:
        grown.add(part)
    whole = grown.cut()
    np.testing.assert_array_equal(whole, np.arange(62))
    assert whole.dtype == np.int16


def test_whole_numbers_of_two_kinds_become_those_of_the_wider_one() -> None:
    grown = Grown()
    for part in (np.full(9, 255, np.uint8), np.full(2, -300, np.int16), np.full(3, 7, np.uint8)):
        grown.add(part)
    whole = grown.cut()
    assert whole.tolist() == [255] * 9 + [-300] * 2 + [7] * 3
    assert whole.dtype == np.int16


def test_room_that_was_not_used_is_given_back() -> None:
    grown = Grown()
    for _ in range(3):
        grown.add(np.ones(1_000))
    whole = grown.cut()
    assert whole.base is None
    assert whole.nbytes == 24_000


def test_pieces_begin_after_those_that_were_there() -> None:
    grown = Grown()
    for begins in ([0, 2, 5], [0, 0, 4], [0, 1]):
        grown.add_begins(np.array(begins, dtype=np.int32))
    whole = grown.cut()
    assert whole.tolist() == [0, 2, 5, 5, 9, 10]
    assert whole.dtype == np.int32
