"""A planned experiment: two sides, families together, and the power that was promised."""

from dataclasses import replace

import numpy as np
import pytest

from plugins.own_store.learning.draws_of_prices import drawn_prices
from plugins.own_store.learning.fair_coin import FairCoin, power_of_coin, slots_wanted
from plugins.own_store.learning.price_room import PriceRoom


def room_of(n_products: int = 4, n_stores: int = 2, step: float = 0.16) -> PriceRoom:
    owner = np.full((n_products, n_stores), 2.0)
    ladder = np.tile(np.round(np.linspace(1.5, 2.5, 101), 2), (n_products, 1))
    return PriceRoom(ladder, owner, owner.copy(), np.full(n_products, 1.0), step=step)


def test_each_listed_product_is_a_step_above_or_below_by_a_fair_coin_and_others_keep_their_price() -> None:
    room, coin = room_of(), FairCoin(0.07, np.array([True, True, False, True]))
    drawn = [drawn_prices(room, coin, 3, day, held_share=0.0) for day in range(800)]
    prices = np.array([one.prices for one in drawn])
    listed = prices[:, coin.products]
    assert set(np.unique(listed).tolist()) == {1.86, 2.14}
    assert (listed > 2).mean(axis=0) == pytest.approx(np.full((3, 2), 0.5), abs=0.07)
    assert (prices[:, ~coin.products] == 2.0).all()
    assert (drawn[0].propensity[coin.products] == 0.5).all()
    assert (drawn[0].propensity[~coin.products] == 1.0).all()
    assert abs(np.corrcoef(listed[:, 0, 0], listed[:, 1, 0])[0, 1]) < 0.12
    assert abs(np.corrcoef(listed[1:, 0, 0], listed[:-1, 0, 0])[0, 1]) < 0.12


@pytest.mark.parametrize(("step", "ladder_step"), [(0.10, 0.01), (0.10, 0.10), (0.05, 0.02), (0.02, 0.01)])
@pytest.mark.parametrize("asked", [0.02, 0.10, 0.20])
def test_a_coin_that_turns_never_moves_a_price_by_more_than_the_step(
    step: float, ladder_step: float, asked: float
) -> None:
    ladder = np.round(np.arange(1.5, 2.5, ladder_step), 2)
    room = replace(room_of(step=step), ladder=np.tile(ladder, (4, 1)), middle=np.full((4, 2), 2.0))
    coin, shown, fell = FairCoin(asked, np.ones(4, dtype=bool)), [room.before], []
    for week in range(12):
        drawn = drawn_prices(replace(room, before=shown[-1]), coin, 3, week, held_share=0.0)
        shown.append(drawn.prices)
        fell.append(drawn.propensity)
    moves = np.array(shown[1:]) / np.array(shown[:-1]) - 1
    assert np.abs(moves).max() <= step + 1e-9
    assert len(np.unique(np.array(shown[1:]))) == (1 if ladder_step > 0.05 else 2)
    assert set(np.unique(fell)) == ({1.0} if ladder_step > 0.05 else {0.5})


def test_a_family_is_dear_or_cheap_together() -> None:
    coin = FairCoin(0.07, np.ones(4, dtype=bool), families=np.array([5, 5, 9, 5]))
    prices = np.array([drawn_prices(room_of(), coin, 3, day, held_share=0.0).prices for day in range(50)])
    assert (prices[:, 0] == prices[:, 1]).all()
    assert (prices[:, 0] == prices[:, 3]).all()
    assert (prices[:, 0] != prices[:, 2]).any()


def test_who_has_no_price_on_one_side_takes_no_part_and_neither_does_its_family() -> None:
    room = room_of()
    ladder = room.ladder.copy()
    ladder[1, 51:] = np.nan  # nothing above the price
    alone = replace(room, ladder=ladder)
    everything = np.ones(4, dtype=bool)
    drawn = drawn_prices(alone, FairCoin(0.07, everything), 3, 1, held_share=0.0)
    assert (drawn.prices[1] == 2.0).all()
    assert (drawn.propensity[1] == 1.0).all()
    assert (drawn.prices[[0, 2, 3]] != 2.0).all()
    family = FairCoin(0.07, everything, families=np.array([5, 5, 9, 9]))
    assert family.takes_part(alone).tolist() == [[False, False], [False, False], [True, True], [True, True]]


def test_power_is_the_level_without_a_response_and_grows_with_slope_step_and_slots() -> None:
    assert power_of_coin(-1e-9, 0.07, 84, 20, 56) == pytest.approx(0.025, abs=0.001)  # on the side of a response
    assert power_of_coin(-2, 0.07, 84, 20, 56) > 0.95
    for steeper, smaller in (
        (power_of_coin(-2, 0.05, 84, 20, 56), power_of_coin(-1, 0.05, 84, 20, 56)),
        (power_of_coin(-1, 0.10, 84, 20, 56), power_of_coin(-1, 0.05, 84, 20, 56)),
        (power_of_coin(-1, 0.07, 168, 20, 56), power_of_coin(-1, 0.07, 84, 20, 56)),
        (power_of_coin(-1, 0.07, 84, 20, 56), power_of_coin(-1, 0.07, 84, 20, 56, n_products=20)),
    ):
        assert steeper > smaller


def test_the_slots_wanted_are_the_fewest_that_have_the_power() -> None:
    wanted = slots_wanted(-1.5, 0.07, 20, 56, n_products=5)
    assert wanted is not None
    assert power_of_coin(-1.5, 0.07, wanted, 20, 56, 5) >= 0.8
    assert power_of_coin(-1.5, 0.07, wanted - 1, 20, 56, 5) < 0.8
    assert slots_wanted(-0.01, 0.01, 1, 5) is None
