"""What came of a training in a few lines of Markdown, with tags and metrics beside it."""

from math import isfinite

from catalog.metrics import METRICS
from training.registry import Conclusion
from training.result import TrainingResult

_COMPARED = ("log_loss", "excess_log_loss", "brier", "calibration_error", "roc_auc", "recall_at_threshold")


def conclusion(result: TrainingResult) -> Conclusion:
    """Say what came of a training."""
    ends = vars(result.gain.judged_by) if result.gain else {}
    gains = {f"gain_eur/{name}": value for name, value in ends.items() if isfinite(value)}
    note = version_note(result)
    return Conclusion(
        version=result.version,
        judged_through=result.dataset.judged_through,
        note=f"Version {result.version}: {note}\n\n{_scores_table(result)}\n",
        version_note=note,
        tags={
            "best": result.best,
            "registered_version": result.version,
            "gate": result.verdict.outcome,
            "judged_against": result.rival,
        },
        metrics={**result.scores[result.best], **gains, "promoted": float(result.verdict.promoted)},
        scores=result.scores,
    )


def version_note(result: TrainingResult) -> str:
    """Describe a version: what it is, what it learned from, and the gate's verdict with every condition."""
    dataset, verdict, gain = result.dataset, result.verdict, ""
    if result.gain is not None:
        gain = f"\n\nIts prices would gain {result.gain.judged_by.told(result.money)}. {result.gain.note}."
    conditions = "\n".join(f"- {'met' if c.met else '**not met**'}: {c.name} ({c.found})" for c in verdict.conditions)
    since = f"from {dataset.trained_since} " if dataset.trained_since else ""
    return (
        f"{result.best}, fitted on days {since}through {dataset.trained_through}, judged on those through "
        f"{dataset.judged_through}, {'promoted' if verdict.promoted else 'not promoted'}.{gain}\n\n{conditions}"
    )


def _scores_table(result: TrainingResult) -> str:
    rows = [
        ["metric", *result.scores, "what it says"],
        ["---"] * (len(result.scores) + 2),
        *(
            [metric.label, *(_written(own.get(metric.name)) for own in result.scores.values()), metric.says]
            for metric in METRICS
            if metric.name in _COMPARED
        ),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _written(value: float | None) -> str:
    return "" if value is None or not isfinite(value) else f"{value:.4f}"
