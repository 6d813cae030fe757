"""Predicted against observed shares bought, as a card of the Models page."""

import dash_mantine_components as dmc
import pandas as pd
from dash.development.base_component import Component

from dashboard.components import card, chart
from dashboard.data.calibration import reliability
from dashboard.figures import models as figures
from dashboard.formats import count
from dashboard.theme import Scheme


def calibration_card(seen: pd.DataFrame, scheme: Scheme) -> Component:
    """Show predicted against observed shares on the days the curves were made for.

    Parameters
    ----------
    seen
        What shoppers did on those days, as `dashboard.data.calibration.predicted` returns it.
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
