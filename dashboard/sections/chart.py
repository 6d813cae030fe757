"""A figure that is there at once, without a callback of its own."""

import plotly.graph_objects as go
from dash.development.base_component import Component

from dashboard.components import graph


def chart(identifier: str, described: str, figure: go.Figure) -> Component:
    """Place a drawn figure; `described` is what a screen reader says."""
    framed = graph(identifier, described, int(figure.layout.height))
    framed.children.figure = figure
    return framed
