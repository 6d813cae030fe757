"""What an experiment can tell is said for the schedule and the prices that it will really have."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from outside_grocer import MONDAY, Grocer

from plugins.own_store.draws.experiments import Experiment
from plugins.own_store.experiment import SHAPE, power_of
from plugins.own_store.learning.design_analysis import CoinRows, coin_slopes
from plugins.own_store.learning.fair_coin import power_of_coin


def planned(shop: Grocer, step: float, weeks: int) -> Experiment:
    through = MONDAY + dt.timedelta(weeks=weeks) - dt.timedelta(days=1)
    return Experiment(1, MONDAY, through, step, ("P001",), "-", "anna", dt.datetime.now(dt.UTC))


@pytest.mark.parametrize("changes", ["weekly", "daily"])
def test_the_chance_that_is_promised_is_that_of_the_schedule_and_of_the_sides_that_the_coin_has(
    tmp_path: Path, changes: str
) -> None:
    more = f"sales: outside\ndrawn_prices: {{changes: {changes}, held_share: 0.2}}\n"
    shop = Grocer(tmp_path, more=more, n_stores=3)
    [found] = power_of(shop.lake, shop.catalog, planned(shop, 0.1, 8))
    assert found.step == pytest.approx(0.045, abs=0.004), "sides of a coin are at most the step of 10 % apart"
    assert found.units == pytest.approx(7 * 40, rel=0.1)
    if changes == "daily":
        assert found.chances[-2.0] > 0.95, "seven times as many throws, and these days vary by chance alone"
    else:  # one week before tells no spread of weeks
        expected = power_of_coin(-2.0, found.step, int(8 * 3 * 0.8), found.units, SHAPE, n_terms=3 + 2)
        assert found.chances[-2.0] == pytest.approx(expected, abs=0.01)


def test_as_many_experiments_tell_a_slope_as_were_promised() -> None:
    n_stores, n_slots, units, shape, slope, step = 6, 10, 70.0, 30.0, -2.0, 0.045
    stores, slots = (own.ravel() for own in np.indices((n_stores, n_slots)))
    half, told, dice = float(np.arctanh(step)), list[bool](), np.random.default_rng(3)
    for seed in range(100):
        is_high = dice.random(len(stores)) < 0.5
        means = units * np.exp(slope * np.where(is_high, half, -half))
        sold = dice.negative_binomial(shape, shape / (shape + means)).astype(float)
        sides, place = np.full(len(stores), half), np.arange(len(stores))
        rows = CoinRows(sold, -sides, sides, is_high, np.full(len(stores), 0.5), place, stores, slots)
        told.append(coin_slopes([rows], seed)[0].is_told)
    promised = power_of_coin(slope, step, len(stores), units, shape, n_terms=n_stores + 2)
    assert promised == pytest.approx(np.mean(told), abs=0.08)
