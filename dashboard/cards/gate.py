"""What the gate said of one version: the verdict, every condition, and the estimated gain."""

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.components import aria, chart
from dashboard.data.versions import AskedByGate, Version
from dashboard.figures import models as figures
from dashboard.formats import day
from dashboard.theme import Scheme

_BADGES = {
    "champion": ("ocean", "filled"),
    "was champion": ("ocean", "light"),
    "waits": ("yellow", "light"),
    "refused": ("gray", "light"),
}


def verdict(version: Version, scheme: Scheme) -> Component:
    """Show the verdict about a version, unmet conditions first, and the estimated gain if there is one."""
    lines = sorted(version.conditions, key=lambda condition: condition.met)
    decided = f"{day(version.decided_at)}: {version.sentence}."
    parts: list[Component] = [
        html.Div([status_badge(version), dmc.Text(decided, size="sm")], className="verdict"),
        html.Ul([_condition(condition) for condition in lines], className="conditions"),
    ]
    if version.money:
        described = "Estimated gain in money per store day, with intervals"
        parts.append(dmc.Title("Estimated gain of its prices", order=3, className="card-title"))
        parts.append(chart("models-money", described, figures.money(version.money, scheme)))
        if warning := version.money.get("warning"):
            parts.append(dmc.Text(f"Warning: {warning}.", size="sm"))
    return html.Div(parts)


def status_badge(version: Version) -> Component:
    """Show where a version stands."""
    drawn, variant = _BADGES[version.status]
    return dmc.Badge(version.status, color=drawn, variant=variant, size="sm", tt="none")


def _condition(condition: AskedByGate) -> Component:
    mark = html.Span("✓" if condition.met else "✗", className="mark", **aria(hidden="true"))
    said = html.Span(
        [
            html.Strong(condition.name.capitalize()),
            html.Span(" met: " if condition.met else " not met: ", className="met" if condition.met else "unmet"),
            condition.found,
        ]
    )
    return html.Li([mark, said], className="condition met" if condition.met else "condition unmet")
