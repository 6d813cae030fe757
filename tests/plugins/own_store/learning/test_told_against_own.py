"""What a log told is withdrawn where the product's own draws exclude it, and not elsewhere."""

from collections.abc import Callable

import numpy as np
import pytest

from plugins.own_store.learning.belief_priors import ToldPrior
from plugins.own_store.learning.told_against_own import own_draws

Sell = Callable[..., "object"]


def test_a_log_that_is_far_off_is_contradicted_and_one_that_is_near_is_not(sold_by: Sell) -> None:
    sold = sold_by((12, 4, 24))
    wrong = np.arange(12) < 6
    told = ToldPrior.of(np.where(wrong, sold.slopes - 2.5, sold.slopes), 0.2)
    draws = own_draws(sold.rows, told)
    assert draws.contradict[wrong].sum() >= 5
    assert not draws.contradict[~wrong].any()
    left = told.without(draws.contradict)
    assert np.isnan(left.slopes[draws.contradict]).all()
    assert np.isfinite(left.slopes[~wrong]).all()


def test_own_draws_look_at_no_other_product_and_at_no_log(sold_by: Sell) -> None:
    sold = sold_by((12, 2, 8))
    believing, another = (own_draws(sold.rows, ToldPrior.of(sold.slopes + off)) for off in (0.0, -3.0))
    assert believing.slopes == pytest.approx(another.slopes)
    unvaried = sold.rows.log_ratios.copy()
    unvaried[0] = 0.0
    rows = type(sold.rows)(sold.rows.units, sold.rows.exposure, unvaried)
    assert own_draws(rows, ToldPrior.none(12)).deviations[0] > 9  # its price was never drawn


def test_true_logs_are_withdrawn_once_in_a_hundred(sold_by: Sell) -> None:
    withdrawn = []
    for seed in range(15):
        sold = sold_by((20, 2, 12), seed)
        withdrawn.append(own_draws(sold.rows, ToldPrior.of(sold.slopes)).contradict)
    assert np.mean(withdrawn) < 0.035


def test_nothing_told_is_never_contradicted(sold_by: Sell) -> None:
    draws = own_draws(sold_by().rows, ToldPrior.none(12))
    assert (draws.p_values == 1).all()
    assert not draws.contradict.any()
