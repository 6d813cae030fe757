"""Demand curves of several products with what was observed, for the Models page."""

from collections.abc import Sequence

import dash_mantine_components as dmc
import pandas as pd
from dash import html
from dash.development.base_component import Component

from dashboard.components import chart, empty
from dashboard.data.calibration import by_price
from dashboard.figures import models as figures
from dashboard.theme import Scheme


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
        own, seen = curves[curves["sku"] == sku], observed[observed["sku"] == sku]
        if own.empty:
            continue
        label = names.get(sku, sku)
        drawn = chart(f"models-curve-{position}", f"Demand for {label}", figures.demand(own, by_price(seen), scheme))
        panels.append(html.Div([dmc.Text(label, fw=600, size="sm", truncate=True), drawn]))
    if not panels:
        text = "They are drawn from the champion when a day is priced."
        return empty("No demand curves yet", text, command if curves.empty else None)
    return html.Div(panels, className="grid grid-3")
