"""The training report: one self-contained page per training run, a model card with its evidence.

A page needs nothing beside itself: one stylesheet within it, drawings within it, no script. Whatever comes from data,
such as a product's name, is text and never markup.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite, nan
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from catalog.arrays import Floats
from catalog.metrics import METRICS
from features.price_response import PriceResponse
from training.candidates import FittedModel
from training.dataset import Dataset
from training.gate import Verdict
from training.judge import base_rates, judge, log_loss
from training.off_policy import OffPolicyEstimate
from training.report import figures
from training.report.breakdown import prices_by_product, scores_by_budget_group, scores_by_product
from training.report.inline_svg import inline_svg

_CURVES = 12  # products drawn; every product is in the tables
_NOTHING = "–"  # shown where there is no number


@dataclass(frozen=True)
class Rival:
    """The champion at the time of judging; `p_sale` per held-out cell, None when it does not know this shelf."""

    version: str
    p_sale: Floats | None


@dataclass(frozen=True)
class ReportInput:
    """What a training found, shape (n_cells,) for arrays: one chance of sale per held-out cell.

    Attributes
    ----------
    fitted, version, p_sale
        The best candidate, its registered version and its chances.
    curves
        Chances of sale at every `sku` and `price_offered` (EUR, rising): `predicted`, and `champion` and `truth` where
        they are known.
    scores
        Metrics of every candidate by name, as `judge` gives them.
    names
        Product names by sku.
    run_id, seed
        The training's parent run, and the seed of its forests.
    champion, truth, money
        None where there is none.
    budget_groups
        Held-out decisions as `holdout_budget_groups` reads them; empty where nobody knows the budgets.
    responses
        How exported decisions answer to prices; empty where all prices were ours.
    """

    dataset: Dataset
    fitted: FittedModel
    version: str
    p_sale: Floats
    curves: pd.DataFrame
    scores: Mapping[str, Mapping[str, float]]
    verdict: Verdict
    names: Mapping[str, str]
    run_id: str
    seed: int
    champion: Rival | None
    truth: Floats | None
    budget_groups: pd.DataFrame
    money: OffPolicyEstimate | None = None
    responses: tuple[PriceResponse, ...] = ()


def training_report(found: ReportInput) -> str:
    """Write the report of one training as an HTML page. Equal inputs give equal bytes."""
    holdout = found.dataset.holdout
    rival = found.champion.p_sale if found.champion else None
    page = _environment().get_template("training_report.html.j2")
    return page.render(
        found=found,
        best=found.fitted.candidate,
        metrics=METRICS,
        champion_scores=None if rival is None else judge(rival, holdout, found.truth),
        parts=[("fitted on", found.dataset.training), ("held out", holdout)],
        offered=prices_by_product(found.dataset).to_dict("records"),
        products=scores_by_product(holdout, found.p_sale, rival, found.truth).to_dict("records"),
        base_rate_loss=log_loss(base_rates(found.dataset.training, holdout), holdout),
        groups=scores_by_budget_group(found.budget_groups, holdout, found.p_sale).to_dict("records"),
        curves=_curves(found),
        judgement=_judgement(found),
    )


def _curves(found: ReportInput) -> list[tuple[str, Markup]]:
    """Draw the demand curves of the products with most held-out decisions: sku and drawing."""
    curves, cells = found.curves, found.dataset.holdout
    most_offered = cells.groupby("sku")["n_offered"].sum().nlargest(_CURVES).index
    drawings = []
    for position, sku in enumerate(sorted(most_offered)):
        figure = figures.product_curves(curves[curves["sku"] == sku], cells[cells["sku"] == sku])
        drawings.append((sku, inline_svg(figure, f"curve-{position}", f"chance of sale of {sku} over its price")))
    return drawings


def _judgement(found: ReportInput) -> list[Markup]:
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
        eur=lambda value: _written(value, ",.2f"),
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
