"""How good a model is, from weighted cells: every decision counts once, whatever cell it is in."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from catalog.arrays import Floats, Ints
from catalog.metrics import bins_of, calibration_error

_THRESHOLD = 0.5
_RECALL_WANTED = 0.71
_RECALL_MARGIN = 0.02  # two standard errors of a recall among 2,000 held-out purchases
NEARLY_SURE = 0.005
"""Log odds are taken no further out: a forest's 0 and 1 say no more."""

_CLOSE, _STEPS = 1e-10, 1_000  # of the fit of a slope
_SURE = 1e-6  # probabilities are kept this far from 0 and 1 before a logarithm


class Outcomes(NamedTuple):
    """Judged rows, shape (n_rows,): a predicted chance `p_sale`, class `y` and `weight` in decisions."""

    p_sale: Floats
    y: Ints
    weight: Floats


def outcomes_of(p_sale: Floats, cells: pd.DataFrame) -> Outcomes:
    """Gather cells of one predicted chance into a row of purchases and one of refusals, ascending in the chance.

    What ranks and counts decisions finds in these rows what it would find in the cells, of which a long shelf has many
    for each chance.
    """
    chance, place = np.unique(p_sale, return_inverse=True)
    weight = np.concatenate([np.bincount(place, count, len(chance)) for count in _bought_and_refused(cells)])
    seen = weight > 0
    return Outcomes(np.tile(chance, 2)[seen], np.repeat(np.array([1, 0]), len(chance))[seen], weight[seen])


def _bought_and_refused(cells: pd.DataFrame) -> tuple[Ints, Ints]:
    bought = cells["n_purchased"].to_numpy()
    return bought, cells["n_offered"].to_numpy() - bought


def judge(
    p_sale: Floats, cells: pd.DataFrame, truth: Floats | None = None, threshold: float | None = None
) -> dict[str, float]:
    """Score predicted chances of sale on cells.

    Parameters
    ----------
    p_sale
        Predicted chance of sale of each cell, shape (n_cells,).
    cells
        Cells with `n_offered` and `n_purchased`.
    truth
        True chance of sale of each cell where it is known, shape (n_cells,).
    threshold
        Chance from which on a decision is called a purchase, chosen on other cells by `choose_threshold`.

    Returns
    -------
    dict
        accuracy, precision, recall and f1 at a threshold of 0.5; roc_auc; log_loss (nats per decision); brier;
        calibration_error (mean distance between predicted and observed in ten bins, weighted); with the truth also
        excess_log_loss, the expected log loss above that of the truth itself (a Kullback-Leibler divergence). With a
        threshold also threshold, recall_at_threshold and accuracy_at_threshold, and with the truth both for the
        truth, at the threshold that is best for it: what no model can be expected to exceed.
    """
    chance = np.clip(p_sale, _SURE, 1 - _SURE)
    scores = _scores(chance, cells)
    if truth is not None:
        scores["excess_log_loss"] = excess_log_loss(truth, chance, cells)
    if threshold is not None:
        scores["threshold"] = threshold
        scores["recall_at_threshold"], scores["accuracy_at_threshold"] = _called_at(threshold, p_sale, cells)
    if threshold is not None and truth is not None:
        expected = cells.assign(n_purchased=truth * cells["n_offered"])
        best = choose_threshold(truth, expected)
        scores["truth_recall_at_threshold"], scores["truth_accuracy_at_threshold"] = _called_at(best, truth, cells)
    return scores


def _scores(chance: Floats, cells: pd.DataFrame) -> dict[str, float]:
    """Score chances of sale that are neither 0 nor 1."""
    from sklearn import metrics

    rows = outcomes_of(chance, cells)
    p, y, weight = rows.p_sale, rows.y, rows.weight
    called = (p >= _THRESHOLD).astype(int)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        y, called, average="binary", sample_weight=weight, zero_division=0
    )
    return {
        "accuracy": float(metrics.accuracy_score(y, called, sample_weight=weight)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(metrics.roc_auc_score(y, p, sample_weight=weight)) if len(np.unique(y)) > 1 else float("nan"),
        "log_loss": log_loss(chance, cells),
        "brier": float(metrics.brier_score_loss(y, p, sample_weight=weight)),
        "calibration_error": calibration_error(chance, cells),
    }


def choose_threshold(p_sale: Floats, cells: pd.DataFrame) -> float:
    """Choose the chance from which on a decision is called a purchase. It is reported; no price depends on it.

    Of all thresholds that find the wanted share of the purchases, and a margin, the one with the highest accuracy.

    Parameters
    ----------
    p_sale
        Predicted chance of sale of each cell, shape (n_cells,); cells the model was fitted on, never those it is
        judged on.
    """
    order = np.argsort(-p_sale, kind="stable")
    called = p_sale[order]
    bought = cells["n_purchased"].to_numpy()[order].astype(float)
    refused = cells["n_offered"].to_numpy()[order] - bought
    called_right, false_alarms = np.cumsum(bought), np.cumsum(refused)
    right = (called_right + refused.sum() - false_alarms) / (bought.sum() + refused.sum())
    ends = np.append(called[1:] < called[:-1], [True])  # a threshold takes all cells of one chance or none
    enough = called_right >= (_RECALL_WANTED + _RECALL_MARGIN) * bought.sum()
    return float(called[np.argmax(np.where(ends & enough, right, -1.0))])


def _called_at(threshold: float, p_sale: Floats, cells: pd.DataFrame) -> tuple[float, float]:
    """Recall and accuracy when every decision with at least this chance is called a purchase."""
    called = p_sale >= threshold
    bought = cells["n_purchased"].to_numpy()
    refused = cells["n_offered"].to_numpy() - bought
    right = bought[called].sum() + refused[~called].sum()
    recall = bought[called].sum() / bought.sum() if bought.sum() else float("nan")
    return float(recall), float(right / (bought.sum() + refused.sum()))


def base_rates(training: pd.DataFrame, holdout: pd.DataFrame) -> Floats:
    """Return each held-out cell's share of purchases of its product in training, 0.5 for a product not seen there."""
    totals = training.groupby("sku")[["n_purchased", "n_offered"]].sum()
    rates: pd.Series = totals["n_purchased"] / totals["n_offered"]
    return np.asarray(holdout["sku"].astype(object).map(rates.to_dict()).fillna(0.5), dtype=float)


def losses(p_sale: Floats, cells: pd.DataFrame) -> Floats:
    """Negative log likelihood of each cell, nats, shape (n_cells,)."""
    chance = np.clip(p_sale, _SURE, 1 - _SURE)
    bought = cells["n_purchased"].to_numpy()
    refused = cells["n_offered"].to_numpy() - bought
    return np.asarray(-(bought * np.log(chance) + refused * np.log(1 - chance)), dtype=float)


def log_loss(p_sale: Floats, cells: pd.DataFrame) -> float:
    """Mean negative log likelihood, nats per decision."""
    return float(losses(p_sale, cells).sum() / cells["n_offered"].sum())


def calibration_luck(p_sale: Floats, cells: pd.DataFrame) -> float:
    """Calibration error that luck alone shows for a perfect model: sqrt(2 / pi) standard errors in each bin."""
    offered = cells["n_offered"].to_numpy().astype(float)
    spread = np.sqrt(np.bincount(bins_of(p_sale), p_sale * (1 - p_sale) * offered))
    return float(np.sqrt(2 / np.pi) * spread.sum() / offered.sum())


def reliability_slope(p_sale: Floats, cells: pd.DataFrame) -> tuple[float, float]:
    """Slope of a logistic regression of purchases on predicted log odds, and its standard error; below 1 overconfident.

    After Cox, "Two further applications of a model for binary regression" (Biometrika, 1958).
    """
    offered, bought = (cells[name].to_numpy().astype(float) for name in ("n_offered", "n_purchased"))
    sure = np.clip(p_sale, NEARLY_SURE, 1 - NEARLY_SURE)
    odds = np.log(sure / (1 - sure))
    centred = odds - np.average(odds, weights=offered)
    if np.allclose(centred, 0):
        return 0.0, 0.0  # one chance for all: no purchase is told from a refusal
    from sklearn.linear_model import LogisticRegression

    weight, y = np.concatenate([bought, offered - bought]), np.repeat([1, 0], len(odds))
    model = LogisticRegression(C=np.inf, tol=_CLOSE, max_iter=_STEPS).fit(np.tile(centred, 2)[:, None], y, weight)
    slope = float(model.coef_[0, 0])
    fitted = 1 / (1 + np.exp(-(model.intercept_[0] + slope * centred)))
    certain = offered * fitted * (1 - fitted)  # information of each cell
    X = np.column_stack([np.ones(len(odds)), centred])
    return slope, float(np.sqrt(np.linalg.inv(X.T @ (X * certain[:, None]))[1, 1]))


def excess_log_loss(truth: Floats, p_sale: Floats, cells: pd.DataFrame) -> float:
    """Return the expected log loss above that of the true chances, nats per decision: a Kullback-Leibler divergence."""
    chance = np.clip(p_sale, _SURE, 1 - _SURE)
    sure_truth = np.clip(truth, _SURE, 1 - _SURE)
    loss = sure_truth * np.log(sure_truth / chance) + (1 - sure_truth) * np.log((1 - sure_truth) / (1 - chance))
    return float(np.average(loss, weights=cells["n_offered"]))
