"""The training report: one self-contained page per training run, a model card with its evidence.

A page needs nothing beside itself: one stylesheet within it, drawings within it, no script. Whatever comes from data,
such as a product's name, is text and never markup.

MLflow shows what came of the training in a few lines of Markdown, with tags and metrics beside it.
"""

from functools import cache
from math import isfinite, nan
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from catalog.metrics import METRICS
from training.judge import judge
from training.registry import Conclusion
from training.report import figures
from training.report.breakdown import prices_by_product, scores_by_budget_group, scores_by_product
from training.report.figures import inline_svg
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
        gain = f"\n\nIts prices would earn {result.gain.judged_by.told(result.money)}. {result.gain.note}."
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
            [metric.label, *(_in_words(own.get(metric.name)) for own in result.scores.values()), metric.says]
            for metric in METRICS
            if metric.name in _COMPARED
        ),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _in_words(value: float | None) -> str:
    return "" if value is None or not isfinite(value) else f"{value:.4f}"


_CURVES, _PRODUCTS = 12, 200  # that are drawn, and that have a row in each table: those with most decisions
_NOTHING = "–"  # shown where there is no number


def training_report(found: TrainingResult) -> str:
    """Write the report of one training as an HTML page. Equal inputs give equal bytes."""
    holdout = found.dataset.holdout
    rival = found.champion.p_sale if found.champion else None
    offered = prices_by_product(found.dataset)
    offered = offered[offered["sku"].isin(offered.nlargest(_PRODUCTS, "decisions")["sku"])]
    is_shown = holdout["sku"].isin(offered["sku"]).to_numpy()
    chances = (None if own is None else own[is_shown] for own in (rival, found.truth))
    page = _environment().get_template("training_report.html.j2")
    return page.render(
        found=found,
        amount=lambda value: _written(value, f",.{found.money.digits}f"),
        best=found.fitted.candidate,
        metrics=METRICS,
        champion_scores=None if rival is None else judge(rival, holdout, found.truth),
        parts=[("fitted on", found.dataset.training), ("held out", holdout)],
        n_products=holdout["sku"].nunique(),
        offered=offered.to_dict("records"),
        products=scores_by_product(holdout[is_shown], found.p_sale[is_shown], *chances).to_dict("records"),
        base_rate_loss=found.base_rate_log_loss,
        groups=scores_by_budget_group(found.budget_groups, holdout, found.p_sale).to_dict("records"),
        curves=_curves(found),
        judgement=_judgement(found),
    )


def _curves(found: TrainingResult) -> list[tuple[str, Markup]]:
    """Draw the demand curves of the products with most held-out decisions: sku and drawing."""
    curves, cells = found.curves, found.dataset.holdout
    most_offered = cells.groupby("sku")["n_offered"].sum().nlargest(_CURVES).index
    drawings = []
    for position, sku in enumerate(sorted(most_offered)):
        figure = figures.product_curves(curves[curves["sku"] == sku], cells[cells["sku"] == sku], found.money)
        drawings.append((sku, inline_svg(figure, f"curve-{position}", f"chance of sale of {sku} over its price")))
    return drawings


def _judgement(found: TrainingResult) -> list[Markup]:
    name, holdout = found.fitted.candidate.name, found.dataset.holdout
    return [
        inline_svg(figures.reliability(name, found.p_sale, holdout), "reliability", "observed over predicted"),
        inline_svg(figures.precision_recall(name, found.p_sale, holdout), "precision-recall", "precision over recall"),
    ]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["nan"] = nan
    environment.filters.update(
        count=lambda value: _written(value, ",.0f"),
        percent=lambda value: _written(value, ".1%"),
        points=lambda value: _written(100 * value, "+.1f"),
        score=lambda value: _written(value, ".4f"),
        change=lambda value: _written(value, "+.4f"),
    )
    return environment


def _written(value: float, how: str) -> str:
    if not isfinite(value):
        return _NOTHING
    text = format(value, how)
    return text.replace("-", "−") if float(text.replace(",", "").rstrip("%")) else text.lstrip("+-")
