"""What people read in MLflow about experiments, runs, models and versions: Markdown, tags, parameters and metrics."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from catalog.metrics import METRICS
from catalog.names import REGISTERED_MODEL
from training.candidates import FittedModel
from training.dataset import Dataset
from training.gate import Verdict
from training.off_policy import OffPolicyEstimate

TRAININGS = """\
One run per training, with a run for each candidate model below it. All candidates of a training see the same demand
cells and are judged on the same later days, so their metrics can be compared: open a training, or select its
candidates and press Compare. Lower `log_loss` is better and decides who is registered; `excess_log_loss` is the part
above that of the twin's true demand.

The run of a training holds the metrics of the candidate that was registered, what its prices would gain
(`gain_eur/...`, EUR per store day, with the 95 % interval), and whether it was promoted (1) or not (0). Its report,
`training_report.html`, is among its artifacts. The runs named `..., every training` hold each candidate's metrics with
one step per registered version: select them, and the charts show a line for each candidate over time.
"""

STUDIES = """\
Pricing policies compared on the same shoppers. `share/<scenario>/<policy>/<decisions>` is what a policy earns, as a
share of what a clairvoyant would, after learning from that many logged decisions.
"""

HISTORY = "One step per registered version, at the date through which it was judged, whoever was registered.\n"

MODEL = f"""\
Chance that a shopper who considers a product buys it at a price.

**Input**: price over base price and the product, one-hot (`sku_...`), all double. **Output**: two columns, the chance
that the shopper refuses (0) and buys (1). **Aliases**: `champion` prices the shelf, `challenger` is the newest one
judged.

`mlflow.pyfunc.load_model("models:/{REGISTERED_MODEL}@champion")` gives the forest's own answers. Prices are made from
the same answers smoothed over the price, by the kernels in the model's metadata; `shelfprice verify --model` proves
that both agree. The model is kept as data (skops) and holds no code.
"""

_COMPARED = ("log_loss", "excess_log_loss", "brier", "calibration_error", "roc_auc", "recall_at_threshold")


@dataclass(frozen=True)
class Conclusion:
    """What came of a training, as its run tells it: `metrics` of the version, `scores` of every candidate by name."""

    version: str
    judged_through: dt.date
    note: str
    tags: dict[str, str]
    metrics: Mapping[str, float]
    scores: Mapping[str, Mapping[str, float]]


def parameters(fitted: FittedModel, dataset: Dataset) -> dict[str, Any]:
    """Return what a candidate was fitted with and on, as parameters of its run."""
    candidate = fitted.candidate
    kernels = fitted.smoothing.kernels if fitted.smoothing else ()
    return {
        "candidate": candidate.name,
        "features": ", ".join(fitted.features),
        **candidate.parameters,
        "balance_classes": candidate.balance_classes,
        "decreasing_in": candidate.decreasing_in,
        "smoothing": ", ".join(
            f"{k.weight:.0%} degree {k.degree} width {k.bandwidth:g}{' pooled' if k.pooled else ''}" for k in kernels
        ),
        "trained_since": dataset.trained_since,
        "trained_through": dataset.trained_through,
        "judged_through": dataset.judged_through,
        "decisions_fitted_on": int(dataset.training["n_offered"].sum()),
        "decisions_held_out": int(dataset.holdout["n_offered"].sum()),
    }


def conclusion(
    version: str,
    best: str,
    dataset: Dataset,
    scores: Mapping[str, Mapping[str, float]],
    verdict: Verdict,
    money: OffPolicyEstimate | None,
    champion: str | None,
) -> Conclusion:
    """Say what came of a training.

    Parameters
    ----------
    version, best
        The registered version, and the name of the candidate it is.
    scores
        Metrics of every candidate by name.
    champion
        Version that was champion when the gate judged, or None.
    """
    gain = {"estimate": money.dr.estimate, "lower": money.dr.lower, "upper": money.dr.upper} if money else {}
    gains = {f"gain_eur/{name}": value for name, value in gain.items() if isfinite(value)}
    tags = {
        "best": best,
        "registered_version": version,
        "gate": "promoted" if verdict.promoted else "waits" if verdict.waits else "refused",
        "judged_against": f"champion {champion}" if champion else "base prices",
    }
    table = [
        ["metric", *scores, "what it says"],
        ["---"] * (len(scores) + 2),
        *(
            [metric.label, *(_written(own.get(metric.name)) for own in scores.values()), metric.says]
            for metric in METRICS
            if metric.name in _COMPARED
        ),
    ]
    rows = "\n".join(f"| {' | '.join(row)} |" for row in table)
    return Conclusion(
        version,
        dataset.judged_through,
        f"Version {version}: {version_note(best, dataset, verdict, money)}\n\n{rows}\n",
        tags,
        {**scores[best], **gains, "promoted": float(verdict.promoted)},
        scores,
    )


def version_note(best: str, dataset: Dataset, verdict: Verdict, money: OffPolicyEstimate | None) -> str:
    """Describe a version: what it is, what it learned from, and the gate's verdict with every condition."""
    outcome = "promoted" if verdict.promoted else "not promoted"
    gain = ""
    if money is not None:
        found = f"{money.dr.estimate:+.2f} EUR per store day, 95 % from {money.dr.lower:+.2f} to {money.dr.upper:+.2f}"
        gain = f"\n\nIts prices would gain {found}. {money.note}."
    conditions = "\n".join(f"- {'met' if c.met else '**not met**'}: {c.name} ({c.found})" for c in verdict.conditions)
    since = f"from {dataset.trained_since} " if dataset.trained_since else ""
    return (
        f"{best}, fitted on days {since}through {dataset.trained_through}, judged on those through "
        f"{dataset.judged_through}, {outcome}.{gain}\n\n{conditions}"
    )


def _written(value: float | None) -> str:
    return "" if value is None or not isfinite(value) else f"{value:.4f}"
