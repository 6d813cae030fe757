"""What the Models page shows of drift: how each product answers prices against its champion, and how it was healed."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import card
from dashboard.figures.drift import control_chart
from dashboard.monitor import Monitor
from dashboard.sections.chart import chart
from dashboard.theme import Scheme, day

TABLES = ("drift_checks", "model_versions", "price_book")
_DAYS, _STEPS, _PRODUCTS = 60, 12, 12


def drift_card(monitor: Monitor, scheme: Scheme) -> Component:
    """Show whether demand still is what the champion says, and each step from a change to new prices."""
    days = monitor.reader.ask("drift_by_day", ("drift_checks", "products"), n_days=_DAYS)
    title = "Does demand still hold?"
    if days.empty:
        said = "No day after a champion's training was checked yet; every night does, and so does shelfprice drift."
        return card(title, dmc.Text(said, c="dimmed", size="sm"))
    steps = monitor.reader.ask("healing_steps", TABLES, most=_STEPS)
    return card(
        title,
        html.Div(healing(steps), id="models-healing"),
        html.Div(charts(days, scheme), className="grid grid-3"),
        caption="Look for a level that moves and stays: share bought less the champion's mean chance of sale, by day. "
        "Grey: three standard errors of luck. Crosses: drift was seen and a new model asked for.",
    )


def charts(days: pd.DataFrame, scheme: Scheme) -> list[Component]:
    """Draw a control chart of each product, those with an alarm first."""
    alarmed = days.groupby("sku", sort=False)["detected"].any()
    skus = [*alarmed.index[alarmed], *alarmed.index[~alarmed]][:_PRODUCTS]
    panels: list[Component] = []
    for position, sku in enumerate(skus):
        own = days[days["sku"] == sku]
        name = str(own["product_name"].iloc[0])
        drawn = chart(f"models-drift-{position}", f"Residuals of {name} by day", control_chart(own, scheme))
        panels.append(html.Div([dmc.Text(name, fw=600, size="sm", truncate=True), drawn]))
    return panels


def healing(steps: pd.DataFrame) -> list[Component]:
    """List the steps from a change in demand to new prices, the newest first."""
    if steps.empty:
        return [dmc.Text("Every product is bought as its champion says.", size="sm")]
    lines = [_step(row) for row in steps.to_dict(orient="records")]
    return [html.Ol([html.Li(line, className="event-text") for line in lines], className="steps")]


def _step(row: Mapping[Any, Any]) -> Sequence[Component | str]:
    date, since = (day(pd.Timestamp(str(row[name])).date()) for name in ("date", "since"))
    version = row["version"]
    said = {
        1: f": drift in {row['skus']} since {since}; version {version} no longer holds, and a new model is asked for",
        2: f": version {version} was trained on the days since {since}, and the gate "
        + ("made it champion" if row["promoted"] is True else "did not let it pass"),
        3: f": first prices of version {version}",
    }
    return [html.Strong(date), said[row["step"]]]
