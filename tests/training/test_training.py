"""Candidates, judgement and gate, on cells drawn from a known demand."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from catalog.errors import DataError
from catalog.ladder import price_ladder
from catalog.load import load
from simulation.truth import chance_of_sale
from training.candidates import CANDIDATES, FittedModel, fit
from training.dataset import Dataset, _last_training_day, weighted_rows
from training.gate import pass_gate
from training.judge import calibration_error, judge, log_loss

CATALOG = load()
LADDER = price_ladder(CATALOG)
RATIO = LADDER / CATALOG.base_prices[:, None]
TRUTH = chance_of_sale(CATALOG, RATIO)
ONE_HOT = tuple(sorted(f"sku_{sku}" for sku in CATALOG.skus))
BALANCED, PLAIN, DEMAND = CANDIDATES


def cells(decisions: int, seed: int, truth: np.ndarray = TRUTH) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    offered = draw.multinomial(decisions, np.full(LADDER.size, 1 / LADDER.size))
    frame = pd.DataFrame(
        {
            "business_date": pd.Timestamp(2026, 3, 9),
            "sku": np.repeat(np.array(CATALOG.skus, dtype=object), LADDER.shape[1]),
            "price_offered": LADDER.ravel(),
            "price_ratio": RATIO.ravel(),
            "inventory_level": 50.0,
            "n_offered": offered,
            "n_purchased": draw.binomial(offered, truth.ravel()),
        }
    )
    for name in ONE_HOT:
        frame[name] = (frame["sku"] == name.removeprefix("sku_")).astype(float)
    return frame[frame["n_offered"] > 0].reset_index(drop=True)


def dataset(training: pd.DataFrame, holdout: pd.DataFrame) -> Dataset:
    return Dataset(training, holdout, ONE_HOT, dt.date(2026, 3, 8), dt.date(2026, 3, 9), "f" * 64)


def ladder_cells() -> pd.DataFrame:
    return cells(1_000_000, 0)


def test_demand_forest_recovers_the_demand_from_twenty_thousand_decisions() -> None:
    excess, share = [], []
    for seed in range(5):
        fitted = fit(DEMAND, dataset(cells(20_000, seed), cells(5_000, seed + 100)), seed)
        chance = np.clip(fitted.p_sale(ladder_cells()).reshape(LADDER.shape), 1e-6, 1 - 1e-6)
        loss = TRUTH * np.log(TRUTH / chance) + (1 - TRUTH) * np.log((1 - TRUTH) / (1 - chance))
        excess.append(loss.mean())
        chosen = (LADDER * chance).argmax(axis=1)
        revenue = LADDER * TRUTH
        share.append((revenue[np.arange(len(chosen)), chosen] / revenue.max(axis=1)).mean())
    assert np.mean(excess) <= 0.004
    assert np.mean(share) >= 0.985


def test_balancing_classes_bends_probabilities_and_costs_revenue_beside_the_demand_forest() -> None:
    data = dataset(cells(20_000, 1), cells(5_000, 2))
    balanced, demand = fit(BALANCED, data, 0), fit(DEMAND, data, 0)
    assert log_loss(demand.p_sale(data.holdout), data.holdout) < log_loss(balanced.p_sale(data.holdout), data.holdout)


def test_weighted_rows_count_every_decision_once() -> None:
    training = cells(5_000, 3)
    X, y, weight = weighted_rows(training, ["price_ratio", *ONE_HOT])
    assert weight.sum() == 5_000
    assert weight[y == 1].sum() == training["n_purchased"].sum()
    assert len(X) == len(y) == len(weight)


def test_balanced_weights_are_those_of_the_decisions_and_not_of_the_cells() -> None:
    training = cells(5_000, 3)
    weights: Any = fit(BALANCED, dataset(training, training), 0).model
    bought = training["n_purchased"].sum()
    assert weights.class_weight[1] == pytest.approx(5_000 / (2 * bought))


def test_a_price_further_up_never_sells_more_in_the_demand_forest() -> None:
    fitted = fit(DEMAND, dataset(cells(2_000, 4), cells(500, 5)), 0)
    chance = fitted.p_sale(ladder_cells()).reshape(LADDER.shape)
    assert (np.diff(chance, axis=1) <= 1e-12).all()


def test_one_outcome_only_is_no_demand_to_learn_and_says_so() -> None:
    nobody = cells(1_000, 6, np.zeros_like(TRUTH))
    with pytest.raises(DataError, match=r"was refused.*no model was trained"):
        fit(DEMAND, dataset(nobody, nobody), 0)


@pytest.mark.parametrize(
    ("decisions", "last"), [([50, 50], 0), ([10, 10, 10, 10, 10], 3), ([90, 5, 5], 0), ([1, 1, 1, 97], 2)]
)
def test_the_last_days_with_a_fifth_of_the_decisions_are_held_out(decisions: list[int], last: int) -> None:
    assert _last_training_day(np.array(decisions)) == last


def test_scores_of_a_perfect_judge_are_those_of_the_truth() -> None:
    frame = cells(200_000, 7)
    truth = chance_of_sale(CATALOG, frame["price_ratio"].to_numpy())
    scores = judge(truth, frame, truth)
    assert scores["excess_log_loss"] == pytest.approx(0.0, abs=1e-9)
    assert scores["calibration_error"] < 0.01
    assert calibration_error(np.clip(truth + 0.2, 0, 1), frame) > 0.1


class Double:
    """A model that fails on purpose."""

    classes_ = np.array([0, 1])

    def __init__(self, chance: Any) -> None:
        self.chance = chance

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        p = np.broadcast_to(self.chance(X), len(X)).astype(float)
        return np.column_stack([1 - p, p])


BAD = {
    "rising in price": (lambda X: np.clip(X["price_ratio"] / 2, 0, 1), "10 % higher never sells more"),
    "not a number": (lambda _: np.nan, "is a probability"),
    "above one": (lambda _: 1.5, "is a probability"),
    "constant": (lambda _: 0.01, "base rate"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_model_is_never_promoted_and_the_gate_says_why(name: str) -> None:
    chance, condition = BAD[name]
    data = dataset(cells(20_000, 1), cells(5_000, 2))
    verdict = pass_gate(FittedModel(DEMAND, ["price_ratio", *ONE_HOT], Double(chance)), data, CATALOG.skus, None)
    assert not verdict.promoted
    assert any(condition in refusal for refusal in verdict.refusals)


def test_a_good_model_passes_and_a_worse_one_than_the_champion_does_not() -> None:
    data = dataset(cells(20_000, 1), cells(5_000, 2))
    fitted = fit(DEMAND, data, 0)
    assert pass_gate(fitted, data, CATALOG.skus, None).promoted
    perfect = chance_of_sale(CATALOG, data.holdout["price_ratio"].to_numpy())
    weak = fit(DEMAND, dataset(cells(120, 9), data.holdout), 0)
    verdict = pass_gate(weak, dataset(cells(120, 9), data.holdout), CATALOG.skus, perfect)
    assert any("not worse than the champion" in refusal for refusal in verdict.refusals)


def test_products_never_seen_or_never_varied_stop_the_gate() -> None:
    training = cells(20_000, 1)
    holdout = cells(5_000, 2)
    unseen = dataset(training[training["sku"] != "MILK"], holdout)
    verdict = pass_gate(fit(DEMAND, unseen, 0), unseen, CATALOG.skus, None)
    assert any("MILK" in refusal for refusal in verdict.refusals)
    one_price = (training["sku"] != "MEAT") | (
        training["price_offered"] == training.loc[training["sku"] == "MEAT", "price_offered"].iloc[0]
    )
    constant = dataset(training[one_price], holdout)
    verdict = pass_gate(fit(DEMAND, constant, 0), constant, CATALOG.skus, None)
    assert any("one price only for MEAT" in refusal for refusal in verdict.refusals)
