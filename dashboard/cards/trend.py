"""How a number went, as a line without axes below it."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.components import aria
from dashboard.figures.sparkline import trend_line


def trend(values: Sequence[float], said: str) -> Component | None:
    """Draw how a number went, in the colour of the text around it; `said` is what a screen reader says."""
    drawn = trend_line(values)
    style = {"--line": f'url("{drawn}")'}
    return html.Span(className="trend", style=style, role="img", title=said, **aria(label=said)) if drawn else None
