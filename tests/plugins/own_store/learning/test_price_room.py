"""Prices that may be shown keep band, step, ladder and cost, and there is always one."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.own_store.learning.price_room import PriceRoom


@st.composite
def rooms(draw: st.DrawFn) -> PriceRoom:
    n_products, n_stores = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    dice = np.random.default_rng(draw(st.integers(0, 10_000)))
    ending = draw(st.sampled_from([0.01, 0.05, 0.1, 0.5]))
    owner = np.round(dice.uniform(0.5, 5.0, (n_products, n_stores)), 2)
    before = np.round(owner * dice.uniform(0.6, 1.5, owner.shape), 2)
    ladder = np.sort(np.round(np.round(dice.uniform(0.3, 6.5, (n_products, 40)) / ending) * ending, 2), axis=1)
    ladder[0, 25:] = np.nan
    return PriceRoom(ladder, owner, before, dice.uniform(0.2, 1.2, n_products) * owner[:, 0])


@settings(max_examples=100, deadline=None)
@given(room=rooms())
def test_a_price_that_may_be_shown_is_within_step_and_where_it_can_be_within_band_ladder_and_cost(
    room: PriceRoom,
) -> None:
    assert room.is_free.any(axis=2).all()
    for product, store, place in np.argwhere(room.is_free):
        price, before = room.prices[product, store, place], room.before[product, store]
        assert abs(price - before) <= 0.1 * before + 1e-6
        owner, cost, own = room.owner[product, store], room.costs[product], room.ladder[product]
        low, high = max(0.75 * owner, cost), 1.25 * owner
        near = own[np.abs(own - before) <= 0.1 * before]
        if ((near >= low) & (near <= high)).any():
            assert low - 1e-6 <= price <= high + 1e-6
            assert price in own
        elif price < low:  # nothing nearer to what is sound could be reached
            assert not (near > price + 1e-9).any()


def test_a_price_below_cost_goes_up_as_far_as_the_step_allows() -> None:
    ladder = np.round(np.linspace(0.5, 1.5, 101), 2)[None]
    room = PriceRoom(ladder, np.array([[1.0]]), np.array([[0.8]]), np.array([0.95]))
    assert room.prices[room.is_free].tolist() == [0.88]


def test_a_price_that_no_ending_brings_nearer_goes_home_by_steps_in_whole_cents() -> None:
    """Endings of 9 allow 0.99 and 1.09, which is more than a tenth above; the owner's price is 1.25."""
    room = PriceRoom(np.array([[0.99, 1.09, 1.19, 1.29]]), np.array([[1.25]]), np.array([[0.99]]), np.array([0.5]))
    way = [0.99]
    while way[-1] != 1.25:
        way.append(round(float(replace(room, before=np.array([[way[-1]]])).homeward[0, 0]), 2))
    assert way == [0.99, 1.08, 1.09, 1.19, 1.25]
    assert all(abs(after / before - 1) <= 0.1 + 1e-9 for before, after in pairwise(way))


def test_a_ladder_without_a_price_in_reach_leaves_the_price_as_it_is() -> None:
    room = PriceRoom(np.array([[0.79, 1.29]]), np.array([[1.0]]), np.array([[1.0]]), np.array([0.5]))
    assert room.prices[room.is_free].tolist() == [1.0]
