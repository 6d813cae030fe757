"""What the Models page shows of judged versions: side by side, as the gate saw them, and against what came."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from catalog.metrics import Metric
from dashboard.components import aria, stat
from dashboard.data import calibration
from dashboard.data.registry import artifact_link, run_link, version_link
from dashboard.data.versions import Condition, Version, champion_of, metrics_of
from dashboard.figures import models as figures
from dashboard.sections.chart import chart
from dashboard.theme import Scheme, day, euros

_REPORT = "training_report.html"
_NOTHING = "–"
_BADGES = {"champion": ("ocean", "filled"), "was champion": ("ocean", "light"), "not promoted": ("gray", "light")}


def health(versions: Sequence[Version], newest_date: dt.date | None, seen: pd.DataFrame) -> Component:
    """Show the champion, its age, the newest verdict and how well its chances hold.

    Parameters
    ----------
    newest_date
        Newest business date in the lake.
    seen
        What shoppers did on the days the curves were made for, as `dashboard.data.calibration.promised` returns it.
    """
    champion, newest = champion_of(versions), versions[0]
    met = sum(condition.met for condition in newest.conditions)
    gate = stat(
        "Newest verdict",
        "promoted" if newest.promoted else "not promoted",
        None,
        f"version {newest.number}: {met} of {len(newest.conditions)} conditions met",
    )
    if champion is None:
        return html.Div([stat("Champion", "none", None, "base prices stand"), gate], className="grid grid-4")
    age = (newest_date - champion.trained_through).days if newest_date else None
    own = seen[seen["model_version"].astype(str) == champion.number]
    error = calibration.calibration_error(own)
    came = f"{100 * error:.1f} points off on its days" if math.isfinite(error) else "its first day is not over"
    judged = champion.metrics.get("calibration_error", float("nan"))
    return html.Div(
        [
            stat(
                "Champion",
                f"Version {champion.number}",
                None,
                f"{champion.candidate}, since {day(champion.decided_at)}",
            ),
            stat(
                "Age of what it knows",
                _NOTHING if age is None else "1 day" if age == 1 else f"{age} days",
                None,
                f"trained through {day(champion.trained_through)}",
            ),
            gate,
            stat("Calibration error", f"{100 * judged:.1f} points", None, f"held-out days; {came}"),
        ],
        className="grid grid-4",
    )


def side_by_side(versions: Sequence[Version], pages: str | None) -> Component:
    """Compare versions metric by metric, the best of a row marked, with links where the registry has `pages`."""
    metrics = metrics_of(versions)
    judged: list[tuple[str, list[Any]]] = [
        ("trained through", [_short(version.trained_through) for version in versions])
    ]
    judged += [("judged through", [_short(version.judged_through) for version in versions])]
    if any(version.money for version in versions):
        judged += [("gain a store day", [_gain(version) for version in versions])]
    head = [
        dmc.TableTh([html.Div(f"Version {version.number}"), _badge(version)], className="number")
        for version in versions
    ]
    rows = [
        _metric_row(metric, [version.metrics.get(metric.name, float("nan")) for version in versions])
        for metric in metrics
    ]
    rows += [
        dmc.TableTr([dmc.TableTh(name.capitalize()), *(dmc.TableTd(text, className="number") for text in texts)])
        for name, texts in judged
    ]
    links = [dmc.TableTd(_links(version, pages)) for version in versions]
    rows.append(dmc.TableTr([dmc.TableTh("In MLflow"), *links]))
    return _table([dmc.TableTh("Metric"), *head], rows)


def candidates(version: Version) -> Component:
    """Compare the candidates of the training that a version came from: all judged on the same days."""
    names = list(version.candidates)
    frame = {name: version.candidates[name] for name in names}
    metrics = [metric for metric in metrics_of((version,)) if any(metric.name in own for own in frame.values())]
    head = [
        dmc.TableTh([html.Div(name.replace("_", " ")), *_registered(name, version)], className="number")
        for name in names
    ]
    rows = [_metric_row(metric, [frame[name].get(metric.name, float("nan")) for name in names]) for metric in metrics]
    return _table([dmc.TableTh("Metric"), *head], rows)


def gate(version: Version, scheme: Scheme) -> Component:
    """Show the verdict about a version, every condition with what was found, and the estimated gain if there is one."""
    lines = sorted(version.conditions, key=lambda condition: condition.met)
    parts: list[Component] = [
        html.Div([_badge(version), dmc.Text(_verdict_sentence(version), size="sm")], className="verdict"),
        html.Ul([_condition(condition) for condition in lines], className="conditions"),
    ]
    if version.money:
        parts.append(dmc.Title("What its prices are estimated to gain", order=3, className="card-title"))
        parts.append(
            chart(
                "models-money",
                "Estimated gain in euros per store day with intervals",
                figures.money(version.money, scheme),
            )
        )
        if warning := version.money.get("warning"):
            parts.append(dmc.Text(f"Mind: {warning}.", size="sm"))
    return html.Div(parts)


def _metric_row(metric: Metric, values: Sequence[float]) -> Component:
    finite = [round(value, 4) for value in values if math.isfinite(value)]
    best = None
    if len(values) > 1 and finite and metric.better and len(set(finite)) > 1:
        best = min(finite) if metric.better == "lower" else max(finite)
    arrow = {"lower": "↓", "higher": "↑", None: ""}[metric.better]
    cells = [
        dmc.TableTd(
            [f"{value:.4f}" if math.isfinite(value) else _NOTHING, *([_best()] if round(value, 4) == best else [])],
            className="number",
        )
        for value in values
    ]
    named = html.Span(metric.label, className="named", title=metric.says or metric.name)
    direction = html.Span(arrow, className="arrow", **aria(label=f"{metric.better} is better" if metric.better else ""))
    return dmc.TableTr([dmc.TableTh([named, direction]), *cells])


def _best() -> Component:
    return html.Span(" ★", className="best", title="best of the row", **aria(label="best of the row"))


def _table(head: list[Component], rows: list[Component]) -> Component:
    table = dmc.Table(
        [dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(rows)], verticalSpacing=6, className="figures-table"
    )
    return dmc.TableScrollContainer(table, minWidth=130 + 106 * (len(head) - 1), type="native")


def _badge(version: Version) -> Component:
    drawn, variant = _BADGES[version.verdict]
    return dmc.Badge(version.verdict, color=drawn, variant=variant, size="sm", tt="none")


def _registered(name: str, version: Version) -> list[Component]:
    if name != version.candidate:
        return []
    return [dmc.Badge(f"registered as {version.number}", color="ocean", variant="light", size="sm", tt="none")]


def _verdict_sentence(version: Version) -> str:
    unmet = sum(not condition.met for condition in version.conditions)
    decided = f"Decided for {day(version.decided_at)}: "
    if version.promoted:
        return f"{decided}all {len(version.conditions)} conditions are met, version {version.number} became champion."
    few = "one condition is" if unmet == 1 else f"{unmet} conditions are"
    return f"{decided}{few} not met, so the champion before it stayed."


def _condition(condition: Condition) -> Component:
    mark = html.Span("✓" if condition.met else "✗", className="mark", **aria(hidden="true"))
    said = html.Span(
        [
            html.Strong(condition.name.capitalize()),
            html.Span(" met: " if condition.met else " not met: ", className="met" if condition.met else "unmet"),
            condition.found,
        ]
    )
    return html.Li([mark, said], className="condition met" if condition.met else "condition unmet")


def _short(date: dt.date) -> str:
    return f"{date.day} {date:%b %Y}"


def _gain(version: Version) -> list[Component | str]:
    found = (version.money or {}).get("dr") or {}
    middle, low, high = (found.get(name) for name in ("estimate", "lower", "upper"))
    if middle is None:
        return [_NOTHING]
    interval = f"{euros(low)} to {euros(high)}" if low is not None and high is not None else "no interval"
    return [euros(middle), dmc.Text(interval, c="dimmed", size="xs")]


def _links(version: Version, pages: str | None) -> Component:
    if pages is None:
        return dmc.Text(f"run {version.run_id[:8]}", size="sm", c="dimmed")
    addresses = {
        "version": version_link(pages, version.number),
        "run": run_link(pages, version.run_id),
        "report": artifact_link(pages, version.training_run_id, _REPORT),
    }
    links = [dmc.Anchor(name, href=address, target="_blank", size="sm") for name, address in addresses.items()]
    return html.Div(links, className="links")


def no_pages_hint() -> Component:
    """Say how to open the registry's pages while nothing serves them."""
    said = [
        "The registry's pages are away; ",
        dmc.Code("shelfprice up"),
        " serves them, and each version here then links to its run and its report.",
    ]
    return dmc.Text(said, size="xs", c="dimmed", mt="xs")
