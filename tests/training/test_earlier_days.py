"""Days before a change lend the shape of their curve to the days since."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.ladder import price_ladder
from catalog.load import CLASSIC, load
from plugins.evaluation.truth import chance_of_sale
from training.fit.candidates import CANDIDATES, fit
from training.fit.dataset import Dataset, carried_over, carried_through, odds_ratios

CATALOG = load(CLASSIC)
LADDER = price_ladder(CATALOG)
RATIO = LADDER / CATALOG.base_prices[:, None]
ONE_HOT = tuple(sorted(f"sku_{sku}" for sku in CATALOG.skus))
DEMAND = CANDIDATES[2]


def cells(offered: np.ndarray, shift: float, seed: int) -> pd.DataFrame:
    """Return cells of the whole ladder with `offered` decisions, shape (n_products, n_prices), at shifted budgets."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "sku": np.repeat(np.array(CATALOG.skus, dtype=object), LADDER.shape[1]),
            "price_offered": LADDER.ravel(),
            "price_ratio": RATIO.ravel(),
            "inventory_level": 50.0,
            "n_offered": offered.ravel(),
            "n_purchased": draw.binomial(offered, chance_of_sale(CATALOG, RATIO, shift)).ravel(),
        }
    )
    for name in ONE_HOT:
        frame[name] = (frame["sku"] == name.removeprefix("sku_")).astype(float)
    return frame[frame["n_offered"] > 0].reset_index(drop=True)


def explored(n: int = 60) -> np.ndarray:
    return np.full(LADDER.shape, n)


def at_one_price(n: int = 300, position: int = 2) -> np.ndarray:
    offered = np.zeros(LADDER.shape, dtype=int)
    offered[:, position] = n
    return offered


def best_shares(training: pd.DataFrame, shift: float) -> np.ndarray:
    """Return what each product's best price by a model earns of the best there is, under the truth."""
    day = pd.Timestamp(2026, 1, 5).date()
    fitted = fit(DEMAND, Dataset(training, training.iloc[:0], ONE_HOT, day, day, "f"), 1)
    asked = cells(explored(1), 0.0, 0)
    chance = fitted.p_sale(asked).reshape(LADDER.shape)
    earned = LADDER * chance_of_sale(CATALOG, RATIO, shift)
    chosen = (LADDER * chance).argmax(axis=1)
    return earned[np.arange(len(chosen)), chosen] / earned.max(axis=1)


@pytest.mark.parametrize("shift", [-0.2, 0.2])
def test_one_day_at_one_price_and_the_days_before_find_the_new_best_price(shift: float) -> None:
    before, since = cells(explored(), 0.0, 1), cells(at_one_price(), shift, 2)
    found = best_shares(carried_over(before, since), shift)
    assert found.min() > 0.96
    earned = LADDER * chance_of_sale(CATALOG, RATIO, shift)
    stale = (LADDER * chance_of_sale(CATALOG, RATIO)).argmax(axis=1)
    assert found.mean() > (earned[np.arange(5), stale] / earned.max(axis=1)).mean() + 0.02


def test_the_odds_ratio_is_that_of_the_prices_both_periods_showed() -> None:
    before, since = cells(explored(20_000), 0.0, 1), cells(at_one_price(20_000), -0.2, 2)
    old, new = chance_of_sale(CATALOG, RATIO[:, 2]), chance_of_sale(CATALOG, RATIO[:, 2], -0.2)
    expected = pd.Series((new / (1 - new)) / (old / (1 - old)), index=CATALOG.skus)
    pd.testing.assert_series_equal(
        odds_ratios(before, since), expected.sort_index(), rtol=0.1, check_names=False, check_index_type=False
    )


def test_other_shares_of_the_same_prices_are_no_change_in_demand() -> None:
    before, since = cells(explored(5_000), 0.0, 1), cells(at_one_price(5_000) + 500, 0.0, 2)
    assert odds_ratios(before, since).to_numpy() == pytest.approx(np.ones(5), abs=0.1)


def test_a_product_shown_at_none_of_its_prices_lends_nothing_and_one_not_shown_stays_as_it_was() -> None:
    before = cells(at_one_price(80, 1), 0.0, 1)
    since = cells(at_one_price(50, 3), 0.0, 2)
    since = since[since["sku"] != "MILK"]
    joined = carried_over(before, since)
    assert set(joined.loc[joined["sku"] == "MILK", "price_offered"]) == {LADDER[0, 1]}
    assert joined.loc[joined["sku"] == "MILK", "n_purchased"].tolist() == pytest.approx(
        before.loc[before["sku"] == "MILK", "n_purchased"].tolist()
    )
    for position, sku in enumerate(CATALOG.skus[1:], start=1):
        assert set(joined.loc[joined["sku"] == sku, "price_offered"]) == {LADDER[position, 3]}


def test_one_period_is_left_as_it_is_and_a_third_is_carried_to_from_the_second() -> None:
    first, second, third = (cells(explored(90), shift, seed) for shift, seed in ((0.0, 1), (-0.2, 2), (0.1, 3)))
    assert carried_through([first]) is first
    expected = carried_over(carried_over(first, second), third)
    pd.testing.assert_frame_equal(carried_through([first, second, third]), expected)


@settings(deadline=None, max_examples=25)
@given(
    seeds=st.tuples(st.integers(0, 99), st.integers(100, 199)),
    visits=st.tuples(st.integers(1, 300), st.integers(1, 5_000)),
    shift=st.floats(-0.5, 0.5),
)
def test_no_price_weighs_more_than_a_hundred_and_no_more_is_bought_than_offered(
    seeds: tuple[int, int], visits: tuple[int, int], shift: float
) -> None:
    before, since = cells(explored(visits[0]), 0.0, seeds[0]), cells(at_one_price(visits[1]), shift, seeds[1])
    joined = carried_over(before, since)
    counts = joined[["n_offered", "n_purchased"]].to_numpy(dtype=float)
    assert np.isfinite(counts).all()
    assert (counts >= 0).all()
    assert (counts[:, 1] <= counts[:, 0] + 1e-9).all()
    assert joined.groupby(["sku", "price_offered"])["n_offered"].sum().max() <= 100 + 1e-9
