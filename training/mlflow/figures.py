"""What a model looks like, as figures that MLflow shows beside its run: pure functions, frame -> Figure."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import precision_recall_curve

from catalog.arrays import Floats
from catalog.currency import Currency
from catalog.metrics import calibration_table, wilson
from features.prior_forests import DayForest, ProductForest, StoreForest
from training.fit.candidates import FittedCandidate, FittedModel
from training.fit.dataset import Dataset
from training.judge.scores import outcomes_of

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#777777"  # told apart by colour-blind readers
_STYLES = ({"color": GREY, "ls": "--"}, {"color": GREEN, "ls": ":"}, {"color": BLUE})
_BUCKETS = 10
_CHANCES = (0.0, 0.5, 1.0)  # ticks of every axis of chances; few, for ticks are most of what a figure costs
_TITLE_AT = 1.02  # a place that is given is not searched for


def of_model(fitted: FittedCandidate, holdout: pd.DataFrame) -> dict[str, Figure]:
    """Return what is drawn of one model, by name."""
    prior, drawn = fitted.fitted.prior, dict[str, Figure]()
    if prior.products is not None:
        drawn["products"] = what_matters(prior.products, "products")
    if prior.stores is not None:
        drawn["stores"] = what_matters(prior.stores, "stores")
    if prior.days is not None:
        drawn["days"] = what_days_are(prior.days)
    return drawn | {
        "reliability": reliability(fitted.name, fitted.p_sale, holdout),
        "precision_recall": precision_recall(fitted.name, fitted.p_sale, holdout),
        "importance": importance(fitted.fitted),
    }


def curve_points(dataset: Dataset) -> pd.DataFrame:
    """Return every price that was ever offered, as model input: where demand curves are drawn.

    Returns
    -------
    pd.DataFrame
        One row per `sku` and `price_offered` (EUR), in that order, with the features; `inventory_level` is the
        product's median.
    """
    cells = pd.concat([dataset.training, dataset.holdout], ignore_index=True)
    stock = cells.groupby("sku")["inventory_level"].median()
    points = cells[["sku", "price_offered", "price_ratio"]].drop_duplicates(["sku", "price_offered"])
    points = points.sort_values(["sku", "price_offered"], ignore_index=True)
    return points.assign(inventory_level=stock.loc[points["sku"]].to_numpy())


def demand_curves(models: Mapping[str, FittedModel], dataset: Dataset, money: Currency) -> Figure:
    """Chance of sale over price, one panel per product, a line per model, and what was observed with 95 % intervals.

    Look for: lines within the intervals, and never rising. Prices are in the currency given.
    """
    points, cells = curve_points(dataset), dataset.holdout
    curves = points[["sku", "price_offered"]].assign(**{name: model.p_sale(points) for name, model in models.items()})
    skus = sorted(cells["sku"].unique())[:12]
    styles = dict(zip(models, cycle(_STYLES), strict=False))
    figure = Figure(figsize=(3.0 * len(skus), 3.2))
    figure.subplots_adjust(left=0.6 / (3.0 * len(skus)), right=0.99, bottom=0.16, top=0.8, wspace=0.08)
    panels = figure.subplots(1, len(skus), squeeze=False, sharey=True)[0]
    for panel, sku in zip(panels, skus, strict=True):
        _draw_demand(panel, curves[curves["sku"] == sku], cells[cells["sku"] == sku], styles, money)
        panel.set_title(sku, fontsize=9, parse_math=False, y=_TITLE_AT)
    panels[0].set_ylabel("chance of sale")
    panels[0].legend(list(models), fontsize=7, loc="lower left", frameon=False)
    figure.suptitle("predicted (lines), observed with 95 % intervals (points)", fontsize=10)
    return figure


def reliability(name: str, p_sale: Floats, cells: pd.DataFrame) -> Figure:
    """Observed share of purchases over predicted chance. Look for: points on the diagonal."""
    figure, panel = _single()
    table = calibration_table(p_sale, cells)
    panel.plot([0, 1], [0, 1], color=GREY, lw=1, ls="--")
    panel.plot(table["predicted"], table["observed"], marker="o", color=BLUE)
    panel.set(xlabel="predicted chance of sale", ylabel="observed share of purchases", xticks=_CHANCES, yticks=_CHANCES)
    panel.set_title(f"{name}: reliability", y=_TITLE_AT)
    return figure


def precision_recall(name: str, p_sale: Floats, cells: pd.DataFrame) -> Figure:
    """Precision over recall at every threshold. Look for: a curve above the dashed base rate."""
    figure, panel = _single()
    rows = outcomes_of(p_sale, cells)
    precision, recall, _ = precision_recall_curve(rows.y, rows.p_sale, sample_weight=rows.weight)
    panel.plot(recall, precision, color=BLUE, drawstyle="steps-post")
    panel.axhline(float(np.average(rows.y, weights=rows.weight)), color=GREY, lw=1, ls="--")
    panel.set(xlabel="recall", ylabel="precision", ylim=(0, 1.02), xticks=_CHANCES, yticks=_CHANCES)
    panel.set_title(f"{name}: precision and recall", y=_TITLE_AT)
    return figure


def importance(model: FittedModel) -> Figure:
    """How much each feature splits the trees. Look for: price first."""
    weights = np.asarray(getattr(model.model, "feature_importances_", np.zeros(len(model.features))))
    return _importances(model.features, weights, f"{model.candidate.name}: feature importance")


def what_matters(forest: ProductForest | StoreForest, of: str) -> Figure:
    """How much each attribute of products or stores tells of them. Look for: attributes that mean something."""
    return _importances(forest.columns, forest.forest.feature_importances_, f"what {of} are: importance")


def what_days_are(forest: DayForest) -> Figure:
    """Show what each fact of a day adds to the log odds of a sale, other facts as on the days that were seen.

    Partial dependence, the mean over products (Friedman, "Greedy function approximation", Annals of Statistics, 2001).
    """
    figure = Figure(figsize=(3.0 * len(forest.columns), 3.0))
    figure.subplots_adjust(left=0.7 / (3.0 * len(forest.columns)), right=0.98, bottom=0.2, top=0.85, wspace=0.15)
    panels = figure.subplots(1, len(forest.columns), squeeze=False, sharey=True)[0]
    for panel, (name, (values, added)) in zip(panels, forest.partial_dependence().items(), strict=True):
        panel.plot(values, added, color=BLUE, marker="o", ms=3)
        panel.axhline(0, color=GREY, lw=1, ls="--")
        panel.set_xlabel(name.replace("_", " "), parse_math=False)
        panel.xaxis.set_major_locator(MaxNLocator(4))
    panels[0].set_ylabel("added to the log odds")
    return figure


def _importances(features: Sequence[str], weights: Floats, title: str) -> Figure:
    figure, panel = _single()
    panel.set(xlabel="share of impurity removed")
    order = np.argsort(weights)[-15:]
    panel.barh(np.array(features)[order], weights[order], color=BLUE)
    panel.set_title(title, y=_TITLE_AT)
    return figure


def _draw_demand(
    panel: Axes, curve: pd.DataFrame, cells: pd.DataFrame, styles: Mapping[str, Mapping[str, Any]], money: Currency
) -> None:
    seen = _buckets(cells)
    intervals = seen[["below", "above"]].T.to_numpy()
    for name in (line for line in styles if line in curve):
        panel.plot(curve["price_offered"], curve[name], **styles[name])
    panel.errorbar(seen["price"], seen["rate"], yerr=intervals, fmt="o", ms=3, color=ORANGE)
    panel.set_xlabel(f"price, {money.code}")
    panel.set(ylim=(-0.02, 1.02), yticks=_CHANCES)
    panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.spines[["top", "right"]].set_visible(False)


def _single() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.2, 3.4))
    figure.subplots_adjust(left=0.24, right=0.96, bottom=0.15, top=0.9)
    return figure, figure.subplots()


def _buckets(cells: pd.DataFrame) -> pd.DataFrame:
    """Observed share of purchases by price, in at most ten buckets, with Wilson intervals."""
    by_price = cells.groupby("price_offered", as_index=False)[["n_offered", "n_purchased"]].sum()
    bucket = pd.cut(by_price["price_offered"], _BUCKETS, labels=False) if len(by_price) > _BUCKETS else by_price.index
    weighted = by_price.assign(total=by_price["price_offered"] * by_price["n_offered"])
    sums = weighted.groupby(bucket)[["total", "n_offered", "n_purchased"]].sum()
    n, rate = sums["n_offered"], sums["n_purchased"] / sums["n_offered"]
    low, high = wilson(sums["n_purchased"].to_numpy(float), n.to_numpy(float))
    return pd.DataFrame(
        {
            "price": sums["total"] / n,
            "rate": rate,
            "below": np.maximum(rate - low, 0),
            "above": np.maximum(high - rate, 0),
        }
    )
