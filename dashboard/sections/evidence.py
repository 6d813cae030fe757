"""What the Models page shows of what came true: promises kept, champions over time, and demand as it was seen."""

from collections.abc import Sequence

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import card, empty
from dashboard.data import calibration
from dashboard.data.versions import Version
from dashboard.figures import models as figures
from dashboard.sections.chart import chart
from dashboard.theme import Scheme, count


def promises(seen: pd.DataFrame, scheme: Scheme) -> Component:
    """Show promised against observed shares on the days the curves were made for."""
    title = "Promised and kept"
    if seen.empty:
        return card(title, dmc.Text("No day that a champion priced is over yet.", c="dimmed", size="sm"))
    table = calibration.reliability(seen)
    return card(
        title,
        chart("models-reliability", "Observed over promised share of purchases", figures.reliability(table, scheme)),
        caption=f"Look for points on the diagonal. {count(seen['n_offered'].sum())} decisions on the newest "
        f"{seen['business_date'].nunique()} priced days, which their model had not seen; lines are 95 % intervals.",
    )


def timeline(versions: Sequence[Version], scheme: Scheme) -> Component:
    """Show who was champion when."""
    return card(
        "Champions over time",
        chart("models-history", "Log loss of every judged version over time", figures.history(versions, scheme)),
        caption="Look for a line that does not climb. Each version is judged on the days before its date, so days that "
        "are harder to foresee lift every version of that time.",
    )


def curves_of(
    curves: pd.DataFrame, observed: pd.DataFrame, names: dict[str, str], skus: Sequence[str], scheme: Scheme
) -> Component:
    """Draw the demand curve of each product with what was observed, newest curve in front."""
    panels: list[Component] = []
    for position, sku in enumerate(skus):
        own, seen = curves[curves["sku"] == sku], observed[observed["sku"] == sku]
        if own.empty:
            continue
        label = names.get(sku, sku)
        drawn = figures.demand(own, calibration.by_price(seen), scheme)
        panels.append(
            html.Div(
                [
                    dmc.Text(label, fw=600, size="sm", truncate=True),
                    chart(f"models-curve-{position}", f"Demand for {label}", drawn),
                ]
            )
        )
    if not panels:
        return empty(
            "No demand curves yet", "They are drawn from the champion when a day is priced.", "shelfprice price"
        )
    return html.Div(panels, className="grid grid-3")
