"""The Store page."""

from dash import Dash, html
from dash.development.base_component import Component

from dashboard.components import heading
from dashboard.monitor import Monitor, Page


def layout(_monitor: Monitor) -> Component:
    """Build the page."""
    return html.Div([heading("Store", "What the store sells now, and at which prices.")])


def wire(_app: Dash, _monitor: Monitor) -> None:
    """Register the page's callbacks."""


PAGE = Page("store", "/", "Store", "store", 1, layout, wire)
