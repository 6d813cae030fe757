"""Carry-over: where nothing carries over, hardly any experiment says so, and where it does, its interval holds it."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from plugins.own_store.experiment import coin_rows, rows_of_the_price_before
from plugins.own_store.learning.design_analysis import CoinSlope, coin_slopes

MONDAY = dt.datetime(2026, 1, 19)  # noqa: DTZ001 - a business date, as pandas has it


def carried(seed: int, carry: float, n_stores: int = 8, weeks: int = 14) -> CoinSlope | None:
    """Return what a coin of 8 % up or down tells of the price before, where a seventh of the weeks is missing."""
    dice = np.random.default_rng(seed)
    prices = np.where(dice.random((n_stores, weeks)) < 0.5, 1.08, 0.92)
    before = np.column_stack([np.ones(n_stores), prices[:, :-1]])
    units = dice.poisson(280 * prices**-3.0 * before**carry)
    store, week = (place.ravel() for place in np.indices(prices.shape))
    first = [MONDAY + dt.timedelta(days=7 * int(at)) for at in week]
    sold = pd.DataFrame(
        {
            "store_id": [f"S{at}" for at in store],
            "first_date": first,
            "through": [date + dt.timedelta(days=6) for date in first],
            "price": prices.ravel(),
            "low_price": 0.92,
            "high_price": 1.08,
            "units": units.ravel(),
            "minutes": 5040.0,
        }
    )
    sold = sold[dice.random(len(sold)) > 1 / 7]
    rows = rows_of_the_price_before(sold, coin_slopes([coin_rows(sold)])[0])
    return None if rows is None else coin_slopes([rows])[0]


@pytest.mark.slow
def test_of_experiments_in_which_nothing_carries_over_one_in_twenty_seems_to_and_intervals_hold_what_does() -> None:
    nothing, some = ([own for seed in range(150) if (own := carried(seed, carry))] for carry in (0.0, 0.8))
    assert np.mean([own.p_value <= 0.05 for own in nothing]) <= 0.09
    assert np.mean([own.low <= 0.8 <= own.high for own in some]) >= 0.91
    assert np.mean([own.p_value <= 0.01 for own in some]) > 0.9


def test_an_experiment_of_few_weeks_says_nothing_of_the_price_before() -> None:
    assert carried(1, 0.8, n_stores=3, weeks=8) is None
