"""Tables about candidates: their scores, what their prices would gain, and how purchases respond to prices."""

from collections.abc import Mapping, Sequence
from math import isfinite

from catalog.currency import Currency
from features.response import PriceResponse, Slope
from flows.cli.console import show_table
from training.off_policy import OffPolicyEstimate

_METRICS = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "log_loss",
    "brier",
    "calibration_error",
    "excess_log_loss",
    "threshold",
    "recall_at_threshold",
    "accuracy_at_threshold",
    "truth_recall_at_threshold",
    "truth_accuracy_at_threshold",
)


def show_candidates(title: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Print the candidates side by side, one row per metric."""
    rows = [[metric, *(own.get(metric) for own in scores.values())] for metric in _METRICS]
    show_table(title, ["metric", *scores], rows, "judged on the last days, which no candidate had seen")


def show_gain(gain: OffPolicyEstimate, incumbent: str, money: Currency) -> None:
    """Print what the challenger's prices would gain by each estimator, with the truth beside it where it is known."""
    rows = [[name, *(round(x, money.digits) if isfinite(x) else None for x in numbers)] for name, *numbers in gain.rows]
    title = f"Gain over {incumbent}, estimated from the log, {money.code} per store day"
    show_table(title, ["estimator", "gain", "95 % from", "to"], rows, gain.note)


def show_responses(responses: Sequence[PriceResponse]) -> None:
    """Print how purchases respond to prices that somebody else set, and which responses can be identified."""

    def rounded(slope: Slope | None, *names: str) -> list[float | None]:
        return [round(getattr(slope, name), 2) if slope else None for name in names]

    rows = [
        [
            own.sku,
            own.decisions,
            own.purchases,
            *rounded(own.estimate, "estimate", "lower", "upper"),
            *rounded(own.naive, "estimate"),
            *rounded(own.strict, "estimate"),
            own.verdict,
            own.why,
        ]
        for own in responses
    ]
    columns = ["sku", "decisions", "purchases", "response", "95 % from", "to", "without effects", "strict"]
    title = "Response to prices that somebody else set: log odds of a purchase (or log of units sold) per log price"
    caption = "Only a told response moves a price, in small steps; other products keep the price of their shelf"
    show_table(title, [*columns, "verdict", "why"], rows, caption)
