"""The Prices page."""

from dash import Dash, html
from dash.development.base_component import Component

from dashboard.components import heading
from dashboard.monitor import Monitor, Page


def layout(_monitor: Monitor) -> Component:
    """Build the page."""
    return html.Div([heading("Prices", "Why each price is what it is.")])


def wire(_app: Dash, _monitor: Monitor) -> None:
    """Register the page's callbacks."""


PAGE = Page("prices", "/prices", "Prices", "prices", 2, layout, wire)
