"""Candidates, judgement and gate, on cells drawn from a known demand."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, precision_score, recall_score, roc_auc_score

from catalog.errors import DataError
from catalog.ladder import price_ladder
from catalog.load import CLASSIC, load
from catalog.metrics import calibration_error
from plugins.evaluation.truth import chance_of_sale
from training.fit.candidates import CANDIDATES, Candidate, fit, p_sale
from training.fit.dataset import Dataset, columns_to_learn, last_training_day, weighted_rows
from training.judge.scores import calibration_luck, choose_threshold, judge, log_loss, outcomes_of, reliability_slope

CATALOG = load(CLASSIC)
LADDER = price_ladder(CATALOG)
RATIO = LADDER / CATALOG.base_prices[:, None]
TRUTH = chance_of_sale(CATALOG, RATIO)
ONE_HOT = tuple(sorted(f"sku_{sku}" for sku in CATALOG.skus))
BALANCED, PLAIN, DEMAND, _ = CANDIDATES


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
    assert last_training_day(np.array(decisions)) == last


def test_scores_of_a_perfect_judge_are_those_of_the_truth() -> None:
    frame = cells(200_000, 7)
    truth = chance_of_sale(CATALOG, frame["price_ratio"].to_numpy())
    scores = judge(truth, frame, truth)
    assert scores["excess_log_loss"] == pytest.approx(0.0, abs=1e-9)
    assert scores["calibration_error"] < 0.01
    assert calibration_error(np.clip(truth + 0.2, 0, 1), frame) > 0.1


def test_cells_of_one_chance_are_ranked_and_called_as_each_cell_by_itself() -> None:
    frame = cells(20_000, 9)
    chance = np.round(chance_of_sale(CATALOG, frame["price_ratio"].to_numpy()), 1)
    bought = frame["n_purchased"].to_numpy()
    weight = np.concatenate([bought, frame["n_offered"] - bought])
    y, p = np.repeat([1, 0], len(frame)), np.clip(np.tile(chance, 2), 1e-6, 1 - 1e-6)
    scores = judge(chance, frame)
    assert len(outcomes_of(chance, frame).y) <= 2 * len(np.unique(chance)) < len(frame)
    assert scores["roc_auc"] == roc_auc_score(y, p, sample_weight=weight)
    assert scores["precision"] == precision_score(y, p >= 0.5, sample_weight=weight)
    assert scores["recall"] == recall_score(y, p >= 0.5, sample_weight=weight)
    assert scores["brier"] == pytest.approx(brier_score_loss(y, p, sample_weight=weight), rel=1e-12)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
def test_the_reliability_slope_undoes_how_sharp_predictions_are(sharpness: float) -> None:
    frame = cells(400_000, 8)
    frame = frame[frame["price_ratio"].between(0.7, 1.3)]
    truth = chance_of_sale(CATALOG, frame["price_ratio"].to_numpy())
    odds = (truth / (1 - truth)) ** sharpness
    slope, error = reliability_slope(odds / (1 + odds), frame)
    assert slope == pytest.approx(1 / sharpness, abs=4 * error)
    assert error < 0.02
    assert calibration_luck(truth, frame) == pytest.approx(calibration_error(truth, frame), rel=0.9)


@pytest.mark.parametrize("candidate", CANDIDATES[:3], ids=lambda candidate: candidate.name)
def test_at_the_chosen_threshold_purchases_are_found_and_calls_are_right(candidate: Candidate) -> None:
    data = dataset(cells(20_000, 11), cells(10_000, 12))
    fitted = fit(candidate, data, 0)
    threshold = choose_threshold(fitted.p_sale(data.training), data.training)
    truth = chance_of_sale(CATALOG, data.holdout["price_ratio"].to_numpy())
    scores = judge(fitted.p_sale(data.holdout), data.holdout, truth, threshold)
    assert scores["recall_at_threshold"] >= 0.71
    assert scores["accuracy_at_threshold"] >= 0.77
    assert scores["accuracy_at_threshold"] == pytest.approx(scores["truth_accuracy_at_threshold"], abs=0.02)
    assert scores["recall_at_threshold"] == pytest.approx(scores["truth_recall_at_threshold"], abs=0.05)


def test_a_balanced_forest_is_corrected_before_it_is_judged_or_prices() -> None:
    data = dataset(cells(20_000, 1), cells(20_000, 2))
    fitted = fit(BALANCED, data, 0)
    raw = p_sale(fitted.model, data.holdout[fitted.features])
    rate = data.training["n_purchased"].sum() / data.training["n_offered"].sum()
    assert fitted.odds_factor == pytest.approx(rate / (1 - rate))
    assert calibration_error(raw, data.holdout) > 0.05
    assert calibration_error(fitted.p_sale(data.holdout), data.holdout) < 0.025


def shelf_of(shares: list[float]) -> pd.DataFrame:
    """Cells of products that have some shares of ten thousand decisions."""
    skus = [f"P{number:03d}" for number in range(len(shares))]
    return pd.DataFrame({"sku": pd.Categorical(skus, skus), "n_offered": [round(10_000 * own) for own in shares]})


def test_every_product_of_a_short_shelf_has_a_column_visited_or_not() -> None:
    assert len(columns_to_learn(shelf_of([0.5, 0.5, *[0.0] * 198]))) == 200


def test_on_a_long_shelf_only_products_that_a_leaf_can_hold_have_a_column() -> None:
    assert columns_to_learn(shelf_of([0.2, 0.014, 0.016, *[0.77 / 998] * 998])) == ("sku_P000", "sku_P002")


def test_a_column_that_no_leaf_can_hold_tells_a_demand_forest_nothing() -> None:
    long = pd.concat([cells(20_000, 7).assign(sku=f"P{number}") for number in range(70)], ignore_index=True)
    every = replace(dataset(long, long), one_hot=tuple(f"sku_P{number}" for number in range(70)))
    for name in ONE_HOT:
        del long[name]
    with_columns, without = fit(DEMAND, every, 0), fit(DEMAND, replace(every, one_hot=()), 0)
    np.testing.assert_allclose(with_columns.p_sale(long), without.p_sale(long), atol=0.005)
