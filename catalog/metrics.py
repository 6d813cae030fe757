"""The metrics of a judgement as people read them: what each is called, which way is better, and what it says."""

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
        "log_loss", "Log loss, nats", "lower", "How surprised the chances are by what happened. Decides who is best."
    ),
    Metric(
        "excess_log_loss", "Excess log loss, nats", "lower", "Log loss above that of the true chances: 0 is perfect."
    ),
    Metric("brier", "Brier score", "lower", "Mean squared distance between the chance and what happened."),
    Metric(
        "calibration_error", "Calibration error", "lower", "Mean distance between predicted and observed shares bought."
    ),
    Metric("roc_auc", "ROC AUC", "higher", "How often a purchase gets a higher chance than a refusal."),
    Metric(
        "accuracy", "Accuracy", "higher", "Share called rightly when a chance of one half or more is called a purchase."
    ),
    Metric("precision", "Precision", "higher", "Share of the called purchases that were purchases."),
    Metric("recall", "Recall", "higher", "Share of the purchases that were called. Inflated chances lift it."),
    Metric("f1", "F1", "higher", "Harmonic mean of precision and recall."),
    Metric(
        "threshold", "Threshold", None, "Chance from which on a decision is called a purchase; no price depends on it."
    ),
    Metric("recall_at_threshold", "Recall at the threshold", "higher", "Share of the purchases called there."),
    Metric("accuracy_at_threshold", "Accuracy at the threshold", "higher", "Share called rightly there."),
    Metric("truth_recall_at_threshold", "Recall of the truth", None, "What the true chances reach at their threshold."),
    Metric("truth_accuracy_at_threshold", "Accuracy of the truth", None, "The most that any model can be right."),
)
