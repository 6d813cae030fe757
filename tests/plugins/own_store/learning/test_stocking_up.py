"""Shoppers who stock up are seen in what is missing after low prices, and prices count on it as far as it is sure."""

import numpy as np
import pytest

from plugins.evaluation.outside_store.learning import KINDS, learned_weeks
from plugins.own_store.learning.belief_from_units import UnitsBelief
from plugins.own_store.learning.price_room import PriceRoom
from plugins.own_store.learning.slope_draws import SlopeDraws
from plugins.own_store.learning.stocking_up import NOBODY, StockingUp


def believed(kind: str) -> UnitsBelief:
    return learned_weeks(KINDS[kind].of(3, 10, 10.0)).belief


def test_what_is_missing_after_low_prices_is_learned_where_shoppers_stock_up() -> None:
    found = believed("shoppers who stock up").stocking_up
    assert found.shares == pytest.approx([0.30, 0.15], abs=0.12)
    assert 0.5 < found.lasting < 0.75


def test_where_nobody_stocks_up_prices_count_on_little_of_it() -> None:
    assert believed("plain").stocking_up.lasting > 0.93
    assert NOBODY.lasting == 1.0


def test_a_share_that_is_not_sure_changes_no_price() -> None:
    assert StockingUp(np.array([0.1, 0.05]), 0.2).lasting == 1.0


def test_the_more_is_missing_the_less_a_low_price_is_drawn() -> None:
    owner = np.full((1, 1), 2.0)
    room = PriceRoom(np.linspace(1.8, 2.2, 41)[None], owner, owner, np.array([1.0]))
    means = []
    for lasting in (1.0, 0.55):
        chances = SlopeDraws(np.array([-2.5]), np.array([0.1]), lasting=lasting).chances(room)
        means.append(float((chances * np.where(room.is_free, room.prices, 0.0)).sum()))
    assert means[1] > means[0] + 0.05
