"""What shoppers did beside what the champion predicted: demand curves, calibration, and drift."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import card, chart, empty, fold
from dashboard.data.versions import by_price, reliability
from dashboard.figures import models as figures
from dashboard.formats import count, day
from dashboard.monitor import Monitor
from dashboard.theme import Scheme
from warehouse.query.advice import on_shelf


def curves_of(
    curves: pd.DataFrame,
    observed: pd.DataFrame,
    names: dict[str, str],
    skus: Sequence[str],
    scheme: Scheme,
    command: str | None,
) -> Component:
    """Draw the demand curve of each product with what was observed, newest curve in front.

    `command` is what to run where there is no curve at all.
    """
    panels: list[Component] = []
    for position, sku in enumerate(skus):
        curve, seen = curves[curves["sku"] == sku], observed[observed["sku"] == sku]
        if curve.empty:
            continue
        label = names.get(sku, sku)
        drawn = chart(f"models-curve-{position}", f"Demand for {label}", figures.demand(curve, by_price(seen), scheme))
        panels.append(html.Div([dmc.Text(label, fw=600, size="sm", truncate=True), drawn]))
    if not panels:
        text = "They are drawn from the champion when a day is priced."
        return empty("No demand curves yet", text, command if curves.empty else None)
    return html.Div(panels, className="grid grid-3")


def calibration_card(seen: pd.DataFrame, scheme: Scheme) -> Component:
    """Show predicted against observed shares on the days the curves were made for.

    Parameters
    ----------
    seen
        What shoppers did on those days, as `dashboard.data.versions.predicted` returns it.
    """
    title = "Predicted and observed"
    if seen.empty:
        return card(title, dmc.Text("No day that a champion priced is over yet.", c="dimmed", size="sm"))
    drawn = figures.reliability(reliability(seen), scheme)
    return card(
        title,
        chart("models-reliability", "Observed over predicted share of purchases", drawn),
        caption=f"Look for points on the diagonal. {count(seen['n_offered'].sum())} decisions on the newest "
        f"{seen['business_date'].nunique()} priced days, which their model had not seen; lines are 95 % intervals.",
    )


TABLES = ("drift_checks", "model_versions", "booked_prices")
_STEPS = 12


def drift_fold(monitor: Monitor) -> Component:
    """Show whether demand is still as the champion predicts, and each step from a change to new prices."""
    days = monitor.reader.ask("drift_by_day", ("drift_checks", "products"), n_days=1)
    title = "Is demand still as predicted?"
    if days.empty:
        now = monitor.situation()
        sentence = (
            f"No day has been checked for drift yet. `{on_shelf('shelfprice nightly', now)}` checks the last days."
        )
        if not now.has_champion:
            sentence = "No day has been checked for drift: there is no champion yet to compare the days with."
        return fold(title, sentence)
    steps = monitor.reader.ask("healing_steps", TABLES, most=_STEPS)
    finding = "Every product sells as predicted." if steps.empty else f"Demand changed: {len(steps)} steps since."
    return fold(
        title,
        finding,
        html.Div(recovery_steps(steps), id="models-recovery"),
        caption="The share bought is held against the champion's chance of sale each day; drift_checks has it.",
    )


def recovery_steps(steps: pd.DataFrame) -> list[Component]:
    """List the steps from a change in demand to new prices, the newest first."""
    if steps.empty:
        return [dmc.Text("Every product sells as its champion predicts.", size="sm")]
    lines = [_step(row) for row in steps.to_dict(orient="records")]
    return [html.Ol([html.Li(line, className="event-text") for line in lines], className="steps")]


def _step(row: Mapping[Any, Any]) -> Sequence[Component | str]:
    date, since = (day(pd.Timestamp(str(row[name])).date()) for name in ("date", "since"))
    version = row["version"]
    sentences = {
        1: f": drift in {row['skus']} since {since}; version {version} no longer holds, and a new model is requested",
        2: f": version {version} was trained on the days since {since} and "
        + ("became champion" if row["promoted"] is True else "was not promoted"),
        3: f": first prices of version {version}",
    }
    return [html.Strong(date), sentences[row["step"]]]
