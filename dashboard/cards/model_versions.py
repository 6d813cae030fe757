"""Judged versions side by side, and the candidates of one training."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from catalog.metrics import Metric
from catalog.names import TRAINING_REPORT
from dashboard.cards.gate import status_badge
from dashboard.components import aria, framed_table
from dashboard.data.mlflow_pages import artifact_link, run_link, version_link
from dashboard.data.versions import Version, metrics_of
from dashboard.formats import UNKNOWN, euros


def side_by_side(versions: Sequence[Version], pages: str | None) -> Component:
    """Compare versions metric by metric, the best of a row marked, with links where MLflow has `pages`."""
    named: list[tuple[str, list[Any]]] = [
        ("Trained through", [_short(version.trained_through) for version in versions]),
        ("Judged through", [_short(version.judged_through) for version in versions]),
    ]
    if any(version.money for version in versions):
        named.append(("Gain a store day", [_gain(version) for version in versions]))
    named.append(("In MLflow", [_links(version, pages) for version in versions]))
    heads = [[html.Div(f"Version {version.number}"), status_badge(version)] for version in versions]
    rows = [
        *_metric_rows(metrics_of(versions), [version.metrics for version in versions]),
        *([dmc.TableTh(name), *(dmc.TableTd(cell, className="number") for cell in cells)] for name, cells in named),
    ]
    return _by_metric(heads, rows)


def candidates(version: Version) -> Component:
    """Compare the candidates of the training that a version came from: all judged on the same days."""
    judged = version.candidates
    metrics = [metric for metric in metrics_of((version,)) if any(metric.name in own for own in judged.values())]
    heads = [[html.Div(name.replace("_", " ")), *_registered(name, version)] for name in judged]
    return _by_metric(heads, _metric_rows(metrics, list(judged.values())))


def no_pages_hint() -> Component:
    """Say how to open MLflow's pages while nothing serves them."""
    said = ["MLflow is not running: ", dmc.Code("shelfprice up"), " starts it and links each version to its run."]
    return dmc.Text(said, size="xs", c="dimmed", mt="xs")


def _by_metric(heads: Sequence[list[Component]], rows: Sequence[Sequence[Component]]) -> Component:
    head = [dmc.TableTh("Metric"), *(dmc.TableTh(cell, className="number") for cell in heads)]
    return framed_table(head, rows, 130 + 106 * len(heads))


def _metric_rows(metrics: Sequence[Metric], scores: Sequence[dict[str, float]]) -> list[list[Component]]:
    return [_metric_row(metric, [own.get(metric.name, float("nan")) for own in scores]) for metric in metrics]


def _metric_row(metric: Metric, values: Sequence[float]) -> list[Component]:
    finite = [round(value, 4) for value in values if math.isfinite(value)]
    best = None
    if len(values) > 1 and finite and metric.better and len(set(finite)) > 1:
        best = min(finite) if metric.better == "lower" else max(finite)
    arrow = {"lower": "↓", "higher": "↑", None: ""}[metric.better]
    cells = [
        dmc.TableTd(
            [f"{value:.4f}" if math.isfinite(value) else UNKNOWN, *([_best()] if round(value, 4) == best else [])],
            className="number",
        )
        for value in values
    ]
    named = html.Span(metric.label, className="named", title=metric.says or metric.name)
    direction = html.Span(arrow, className="arrow", **aria(label=f"{metric.better} is better" if metric.better else ""))
    return [dmc.TableTh([named, direction]), *cells]


def _best() -> Component:
    return html.Span(" ★", className="best", title="best of the row", **aria(label="best of the row"))


def _registered(name: str, version: Version) -> list[Component]:
    if name != version.candidate:
        return []
    return [dmc.Badge(f"registered as {version.number}", color="ocean", variant="light", size="sm", tt="none")]


def _short(date: dt.date) -> str:
    return f"{date.day} {date:%b %Y}"


def _gain(version: Version) -> list[Component | str]:
    found = (version.money or {}).get("dr") or {}
    middle, low, high = (found.get(name) for name in ("estimate", "lower", "upper"))
    if middle is None:
        return [UNKNOWN]
    interval = f"{euros(low)} to {euros(high)}" if low is not None and high is not None else "no interval"
    return [euros(middle), dmc.Text(interval, c="dimmed", size="xs")]


def _links(version: Version, pages: str | None) -> Component:
    if pages is None:
        return dmc.Text(f"run {version.run_id[:8]}", size="sm", c="dimmed")
    addresses = {
        "version": version_link(pages, version.number),
        "run": run_link(pages, version.run_id),
        "report": artifact_link(pages, version.training_run_id, TRAINING_REPORT),
    }
    links = [dmc.Anchor(name, href=address, target="_blank", size="sm") for name, address in addresses.items()]
    return html.Div(links, className="links")
