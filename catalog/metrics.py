"""How models are measured: their metrics, calibration in ten equal bins, and 95 % confidence intervals.

One definition for the gate, MLflow and the monitor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from catalog.arrays import Floats, Ints

_BINS = 10


def bins_of(p_sale: Floats) -> Ints:
    """Return the bin of each predicted chance of sale, 0 to 9, shape (n_cells,)."""
    return np.minimum((p_sale * _BINS).astype(int), _BINS - 1)


def calibration_table(p_sale: Floats, cells: pd.DataFrame) -> pd.DataFrame:
    """Compare predicted with observed shares bought, bin by bin.

    Parameters
    ----------
    p_sale
        Predicted chance of sale of each cell, shape (n_cells,).
    cells
        Cells with `n_offered` and `n_purchased`, in decisions.

    Returns
    -------
    pandas.DataFrame
        `predicted` and `observed` (shares), `decisions` and `bought` (counts) of each bin that holds decisions.
    """
    offered = cells["n_offered"].to_numpy().astype(float)
    frame = pd.DataFrame(
        {
            "bin": bins_of(p_sale),
            "expected": p_sale * offered,
            "bought": cells["n_purchased"].to_numpy(),
            "decisions": offered,
        }
    )
    sums = frame.groupby("bin").sum()
    return pd.DataFrame(
        {
            "predicted": sums["expected"] / sums["decisions"],
            "observed": sums["bought"] / sums["decisions"],
            "decisions": sums["decisions"],
            "bought": sums["bought"],
        }
    ).reset_index(drop=True)


def calibration_error(p_sale: Floats, cells: pd.DataFrame) -> float:
    """Return the distance between predicted and observed, averaged over the bins by decisions; NaN without any."""
    table = calibration_table(p_sale, cells)
    if not table["decisions"].sum():
        return float("nan")
    return float(np.average((table["predicted"] - table["observed"]).abs(), weights=table["decisions"]))


_Z95 = 1.959964
_UPPER = 0.975


def wilson(bought: Floats, offered: Floats) -> tuple[Floats, Floats]:
    """Return the lower and upper end of an observed share, shape (n,) each.

    The score interval of Wilson ("Probable inference", JASA 1927): it stays within 0 and 1, also for few decisions.
    """
    share = bought / offered
    centre = (share + _Z95**2 / (2 * offered)) / (1 + _Z95**2 / offered)
    half = _Z95 / (1 + _Z95**2 / offered) * np.sqrt(share * (1 - share) / offered + _Z95**2 / (4 * offered**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def half_width(standard_deviation: Floats, n: Floats) -> Floats:
    """Return half the width of the interval of a mean of `n` independent values (Student's t), shape (n_means,).

    NaN where `n` is 1: a single value has no interval.
    """
    half = stdtrit(np.maximum(n - 1, 1), _UPPER) * standard_deviation / np.sqrt(n)
    return np.where(n > 1, half, np.nan)


@dataclass(frozen=True)
class Metric:
    """A metric that `judge` computes under `name`; `better` is the direction of improvement, if one is known."""

    name: str
    label: str
    better: Literal["lower", "higher"] | None
    says: str


METRICS = (
    Metric(
        "log_loss",
        "Log loss, nats",
        "lower",
        "Mean negative log of the chance given to what happened. Decides which candidate is best.",
    ),
    Metric(
        "excess_log_loss", "Excess log loss, nats", "lower", "Log loss less that of the true chances: 0 is perfect."
    ),
    Metric("brier", "Brier score", "lower", "Mean squared distance between the chance and what happened."),
    Metric(
        "calibration_error",
        "Calibration error",
        "lower",
        "Mean distance between predicted and observed purchase shares.",
    ),
    Metric("roc_auc", "ROC AUC", "higher", "How often a purchase gets a higher chance than a refusal."),
    Metric(
        "accuracy",
        "Accuracy",
        "higher",
        "Share classified correctly when a chance of one half or more counts as a purchase.",
    ),
    Metric("precision", "Precision", "higher", "Share of predicted purchases that were purchases."),
    Metric("recall", "Recall", "higher", "Share of purchases that were predicted. Inflated chances raise it."),
    Metric("f1", "F1", "higher", "Harmonic mean of precision and recall."),
    Metric(
        "threshold", "Threshold", None, "Chance from which a decision counts as a purchase; no price depends on it."
    ),
    Metric(
        "recall_at_threshold", "Recall at the threshold", "higher", "Share of purchases predicted at the threshold."
    ),
    Metric(
        "accuracy_at_threshold", "Accuracy at the threshold", "higher", "Share classified correctly at the threshold."
    ),
    Metric("truth_recall_at_threshold", "Recall of the truth", None, "Recall of the true chances at their threshold."),
    Metric(
        "truth_accuracy_at_threshold",
        "Accuracy of the truth",
        None,
        "Accuracy of the true chances at their threshold, the most any model can reach.",
    ),
)


def heard_in_words(metrics: Mapping[str, float]) -> str:
    """Return how much holds of what a version's forests say before a sale, a sentence; empty where none spoke."""
    shares = {kind: metrics.get(f"{kind}_share", 0.0) for kind in ("product", "day", "store")}
    if not any(shares.values()):
        return ""
    held = " and ".join(f"{share:.0%} holds of what it says of {kind}s" for kind, share in shares.items() if share)
    return f"Before a sale, {held}."
