"""Dice are thrown anew after as many ticks as exploration holds a price."""

import datetime as dt

import numpy as np

from catalog.load import CLASSIC, load
from etl.twin.visits import draw_visits

DAY = dt.date(2026, 1, 5)


def test_ticks_for_which_a_throw_holds_share_its_numbers_and_no_others() -> None:
    shelf = load(CLASSIC)
    hold, dice = shelf.store.exploration.hold_ticks, draw_visits(shelf, ("S01", "S02"), DAY, 7).dice
    assert len(dice) == shelf.store.opening.ticks
    assert [np.array_equal(own, before) for own, before in zip(dice[1:], dice, strict=False)] == [
        tick % hold != 0 for tick in range(1, len(dice))
    ]
    assert sum(np.shares_memory(dice[0], own) for own in dice) == hold
