"""What a model looks like, as figures for people: pure functions, frame -> Figure.

A page holds a figure as SVG: it takes the page's font and colours, light or dark, and fetches nothing.
"""

import io
import re
from collections.abc import Mapping
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import precision_recall_curve

from catalog.arrays import Floats
from catalog.currency import EUR, Currency
from catalog.metrics import calibration_table, wilson
from training.candidates import FittedModel
from training.context_findings import ContextFindings
from training.judge import outcomes_of

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#777777"  # told apart by colour-blind readers
_STYLES = ({"color": GREY, "ls": "--"}, {"color": GREEN, "ls": ":"}, {"color": BLUE})
_LINES: dict[str, dict[str, Any]] = {
    "truth": {"color": GREY, "ls": ":", "lw": 2.0},
    "champion": {"color": GREEN, "ls": "--"},
    "predicted": {"color": BLUE},
}
_BUCKETS = 10
_CHANCES = (0.0, 0.5, 1.0)  # ticks of every axis of chances; few, for ticks are most of what a figure costs
_TITLE_AT = 1.02  # a place that is given is not searched for


def demand_curves(curves: pd.DataFrame, cells: pd.DataFrame, money: Currency = EUR) -> Figure:
    """Chance of sale over price, one panel per product, a line per model, and what was observed with 95 % intervals.

    Look for: lines within the intervals, and never rising.

    Parameters
    ----------
    curves
        `sku`, `price_offered` (rising) and the chance of sale there, in a column for each model.
    money
        The currency of the prices.
    """
    skus = sorted(cells["sku"].unique())[:12]
    models = [str(column) for column in curves if column not in {"sku", "price_offered"}]
    styles = dict(zip(models, cycle(_STYLES), strict=False))
    figure = Figure(figsize=(3.0 * len(skus), 3.2))
    figure.subplots_adjust(left=0.6 / (3.0 * len(skus)), right=0.99, bottom=0.16, top=0.8, wspace=0.08)
    panels = figure.subplots(1, len(skus), squeeze=False, sharey=True)[0]
    for panel, sku in zip(panels, skus, strict=True):
        _draw_demand(panel, curves[curves["sku"] == sku], cells[cells["sku"] == sku], styles, money)
        panel.set_title(sku, fontsize=9, parse_math=False, y=_TITLE_AT)
    panels[0].set_ylabel("chance of sale")
    panels[0].legend(models, fontsize=7, loc="lower left", frameon=False)
    figure.suptitle("predicted (lines), observed with 95 % intervals (points)", fontsize=10)
    return figure


def product_curves(curve: pd.DataFrame, cells: pd.DataFrame, money: Currency = EUR) -> Figure:
    """Chance of sale of one product over price, as predicted, by the champion and in truth, and as observed.

    Look for: the solid line within the intervals, close to the dotted truth, and never rising.

    Parameters
    ----------
    curve
        `price_offered` (rising) and the chances of sale there: `predicted` and, where known, `champion` and `truth`.
    cells
        The product's held-out cells.
    money
        The currency of the prices.
    """
    figure = Figure(figsize=(3.4, 2.5))
    figure.subplots_adjust(left=0.18, right=0.95, bottom=0.19, top=0.96)
    panel = figure.subplots()
    _draw_demand(panel, curve, cells, _LINES, money)
    panel.set_ylabel("chance of sale")
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


def importance(model: FittedModel, context: ContextFindings | None = None) -> Figure:
    """How much each feature splits the trees, or what is lost without it where the model looks at the context.

    Look for: price first.
    """
    figure, panel = _single()
    if context is not None and len(context.importance):
        names, weights = context.importance["part"].to_numpy(), context.importance["nats"].to_numpy()
        panel.set(xlabel="log loss without it, nats per decision")
    else:
        names = np.array(model.features)
        weights = np.asarray(getattr(model.model, "feature_importances_", np.zeros(len(names))))
        panel.set(xlabel="share of impurity removed")
    order = np.argsort(weights)[-15:]
    panel.barh(names[order], weights[order], color=BLUE)
    panel.set_title(f"{model.candidate.name}: feature importance", y=_TITLE_AT)
    return figure


def context_pictures(context: ContextFindings) -> dict[str, Figure | pd.DataFrame]:
    """Return a figure of how demand depends on weekday and hour, and the tables behind it; none without findings.

    Look for: lines that leave the level, where the context matters.
    """
    if context.dependence.empty:
        return {}
    figure = Figure(figsize=(6.4, 3.0))
    figure.subplots_adjust(left=0.1, right=0.98, bottom=0.17, top=0.88, wspace=0.08)
    panels = figure.subplots(1, 2, sharey=True)
    for panel, feature in zip(panels, ("weekday", "hour"), strict=True):
        own = context.dependence[context.dependence["feature"] == feature]
        panel.plot(own["value"], own["p_sale"], marker="o", color=BLUE)
        panel.set(xlabel=feature if feature == "hour" else "weekday, 1 is Monday", ylim=(-0.02, 1.02), yticks=_CHANCES)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("chance of sale at the base price")
    return {
        "partial_dependence": figure,
        "importance_by_part": context.importance,
        "partial_dependence_values": context.dependence,
    }


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


# The page's stylesheet gives each of these a shade that reads well on its ground.
_COLOURS = {
    "#000000": "currentColor",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    GREEN: "var(--green)",
    GREY: "var(--grey)",
}
_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


def inline_svg(figure: Figure, name: str, label: str) -> Markup:
    """Draw a figure as an SVG element; equal figures give equal bytes.

    Parameters
    ----------
    name
        Unique in the page: what the drawing repeats is identified by it.
    label
        What the figure shows, for readers who do not see it.
    """
    drawn = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(drawn, format="svg", transparent=True, metadata=_NO_METADATA)
    text = drawn.getvalue()
    view_box = re.search(r'viewBox="[0-9. ]+"', text)
    body = text[text.index("</style>") : text.rindex("</svg>")].split("</defs>", 1)[1]
    for found, own in _COLOURS.items():
        body = body.replace(found, own)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    body = _without_unused_ids(body)
    box = view_box.group() if view_box else ""
    return Markup('<svg {} role="img" aria-label="{}">{}</svg>').format(Markup(box), label, Markup(body))  # noqa: S704


def _without_unused_ids(body: str) -> str:
    """Drop the ids that nothing refers to: every figure counts its own from 1, and a page has each id once."""
    used = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', body))
    return re.sub(r' id="([^"]*)"', lambda found: found.group() if found.group(1) in used else "", body)
