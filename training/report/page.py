"""The training report: one self-contained page per training run, a model card with its evidence.

A page needs nothing beside itself: one stylesheet within it, drawings within it, no script. Whatever comes from data,
such as a product's name, is text and never markup.
"""

from functools import cache
from math import isfinite, nan
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from catalog.metrics import METRICS
from training.judge import judge
from training.report import figures
from training.report.breakdown import prices_by_product, scores_by_budget_group, scores_by_product
from training.report.inline_svg import inline_svg
from training.result import TrainingResult

_CURVES = 12  # products drawn; every product is in the tables
_NOTHING = "–"  # shown where there is no number


def training_report(found: TrainingResult) -> str:
    """Write the report of one training as an HTML page. Equal inputs give equal bytes."""
    holdout = found.dataset.holdout
    rival = found.champion.p_sale if found.champion else None
    page = _environment().get_template("training_report.html.j2")
    return page.render(
        found=found,
        amount=lambda value: _written(value, f",.{found.money.digits}f"),
        best=found.fitted.candidate,
        metrics=METRICS,
        champion_scores=None if rival is None else judge(rival, holdout, found.truth),
        parts=[("fitted on", found.dataset.training), ("held out", holdout)],
        offered=prices_by_product(found.dataset).to_dict("records"),
        products=scores_by_product(holdout, found.p_sale, rival, found.truth).to_dict("records"),
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
        slope=lambda value: _written(value, "+.2f"),
        change=lambda value: _written(value, "+.4f"),
    )
    return environment


def _written(value: float, how: str) -> str:
    if not isfinite(value):
        return _NOTHING
    text = format(value, how)
    return text.replace("-", "−") if float(text.replace(",", "").rstrip("%")) else text.lstrip("+-")
