"""The metrics of a judged model: label, direction of improvement, and meaning of each."""

from dataclasses import dataclass
from typing import Literal


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
