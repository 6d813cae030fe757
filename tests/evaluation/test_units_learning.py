"""Learning from units: what is lost on the way, and that a wrong log does not break a week."""

import numpy as np
import pytest

from evaluation.units_learning import UnitsChain, learned_weeks, losses

pytestmark = pytest.mark.play


def test_five_stores_learn_prices_that_lose_little_and_never_much() -> None:
    played = [learned_weeks(UnitsChain(5, 10), seed) for seed in range(3)]
    first, *_, last = losses(played, lambda own: own.shown)
    owner = losses(played, lambda own: own.owner)[-1]
    assert last < first < owner
    assert last < 0.012
    assert max(own.worst_week for own in played) < 0.03
    assert losses(played, lambda own: own.surest)[-1] <= last + 0.001  # draws cost something, and it fades


def test_a_wrong_log_is_unlearned_and_no_week_of_it_is_worse_than_the_owner_s_prices_by_much() -> None:
    for every in (1, 2):
        played = [learned_weeks(UnitsChain(5, 10, told_wrong=2.0, wrong_every=every), seed) for seed in range(2)]
        assert losses(played, lambda own: own.shown)[-1] < 0.015
        assert max(own.worst_week for own in played) < 0.03


def test_prices_keep_band_and_step_also_to_and_from_holds() -> None:
    own = learned_weeks(UnitsChain(3, 10, weeks=16), 4, held_share=0.3)
    prices = own.seen.prices.transpose(2, 1, 0)
    ratios = prices / own.world.owner_prices.T[:, :, None]
    assert (np.abs(ratios - 1) <= 0.25 + 1e-9).all()
    assert own.in_hold.any()
    assert np.abs(prices[:, :, 1:] / prices[:, :, :-1] - 1).max() <= 0.1 + 1e-9


@pytest.mark.slow
def test_what_was_earned_lies_in_its_interval_and_nothing_is_claimed_where_nothing_was_earned() -> None:
    chains = (learned_weeks(UnitsChain(10, 10), 1000 + n) for n in range(400))
    found = [(own.earned(), own.earned_without_effect(), own.truly_earned) for own in chains]
    told = [(own, none, truth) for own, none, truth in found if np.isfinite(own.share)]
    assert np.mean([np.isfinite([own.share_low, own.share_high]).all() for own, *_ in told]) > 0.9
    assert np.mean([own.share_low <= truth <= own.share_high for own, _, truth in told]) >= 0.94
    assert np.mean([none.share_low > 0 or none.share_high < 0 for _, none, _ in told]) <= 0.06
